"""`manage.py migrate` as the schema's owner, then rights: the application's role's, and staff's."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandParser
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
        super().handle(*args, **options)
        role = settings.DATABASES["default"].get("USER")
        owner = connections[options["database"]]
        if role and role != owner.settings_dict.get("USER"):
            grant(owner, role, apps.get_models(include_auto_created=True))
        if not (options["app_label"] or options["plan"]):
            set_up(using=options["database"])
