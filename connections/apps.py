from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = "People and connections"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Every app lists its event kinds in `events`; loading them fills the registry.
        autodiscover_modules("events")
