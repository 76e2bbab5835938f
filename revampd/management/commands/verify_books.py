"""`manage.py verify_books`: whether the ledger, the documents and the approvals agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.books import differences


class Command(BaseCommand):
    help = "Compares the ledger, the documents and the approvals. Names every difference."

    def handle(self, *_: Any, **__: Any) -> None:
        """Raises CommandError with a sentence a line, the first closest to the cause."""
        if found := differences():
            raise CommandError("\n".join(found))
        self.stdout.write("The books agree.")
