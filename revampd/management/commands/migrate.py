"""`manage.py migrate` as the schema's owner, then rights: the application's role's, and staff's."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections

from revampd.kit.grants import grant
from revampd.staff.roles import set_up


class Command(migrate.Command):
    help = (
        "Updates the database schema as its owner (REVAMPD_DATABASE_OWNER_URL), then grants the "
        "application's role (REVAMPD_DATABASE_URL) what it may do and no more, and sets up the "
        "groups of the staff."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        role = str(settings.DATABASES["default"].get("USER") or "")
        owner = connections[options["database"]]
        is_own = role not in ("", owner.settings_dict.get("USER"))
        if settings.IS_PRODUCTION and not is_own:
            raise CommandError(
                "The application would own its tables, and could rewrite what is append-only. "
                "Set REVAMPD_DATABASE_OWNER_URL to a role of its own: docs/deploy.md."
            )
        super().handle(*args, **options)
        if is_own:
            grant(owner, role, apps.get_models(include_auto_created=True))
        if not (options["app_label"] or options["plan"]):
            set_up(using=options["database"])
