from django.apps import AppConfig

from revampd.kit import telemetry


class RevampdConfig(AppConfig):
    name = "revampd"

    def ready(self) -> None:
        telemetry.start()
