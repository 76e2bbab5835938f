"""`manage.py seed_demo`: the demo's companies, their people and their history."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from revampd.demo.seed import PeopleOfItsOwn, seed


class Command(BaseCommand):
    help = "Fills an empty demo database with companies and nine months of their history."

    def handle(self, *_: Any, **__: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError("Only a demo can be seeded: set REVAMPD_MODE=demo.")
        try:
            seed(timezone.now())
        except PeopleOfItsOwn as error:
            raise CommandError(
                "This database holds people of its own. Use an empty one for the demo."
            ) from error
