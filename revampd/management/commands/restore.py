"""`manage.py restore`: a backup into an empty database, after which the books are verified."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from revampd.backups import BackupFailed, put_back


class Command(BaseCommand):
    help = (
        "Fills the empty database from a backup, brings it up to this version, and verifies the "
        "books. Start web, worker and beat afterwards: docs/restore.md."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dump", type=Path, help="what `backup` wrote: revampd-….dump")
        parser.add_argument("--files", type=Path, help="the files of tickets: revampd-….files.tar")

    def handle(self, *_: Any, dump: Path, files: Path | None, **__: Any) -> None:
        for path in filter(None, (dump, files)):
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        try:
            put_back(dump, files)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        call_command("migrate", verbosity=0, stdout=self.stdout)
        call_command("verify_books", stdout=self.stdout)
