"""`manage.py seed_demo`: the demo's companies, their people and their history."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.models import BillingRequest, Invoice
from connections.models import Event, Organization, User
from revampd.demo.seed import PeopleOfItsOwn, seed


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # `migrate` has just run them
    help = "Fills an empty demo database with companies and nine months of their history."

    def handle(self, *_: Any, **__: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError("Only a demo can be seeded: set REVAMPD_MODE=demo.")
        try:
            is_new = seed(timezone.now())
        except PeopleOfItsOwn as error:
            raise CommandError(
                "This database holds people of its own. Use an empty one for the demo."
            ) from error
        if is_new:
            self.stdout.write(self._summary())

    @staticmethod
    def _summary() -> str:
        counts = {
            "organizations": Organization.objects.count(),
            "people": User.objects.count(),
            "requests": BillingRequest.objects.count(),
            "invoices": Invoice.objects.count(),
            "events": Event.objects.count(),
        }
        return ", ".join(f"{count} {noun}" for noun, count in counts.items())
