"""`manage.py backup`: the database and the files of tickets, while everything goes on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from revampd.backups import BackupFailed, take


class Command(BaseCommand):
    help = "Writes a backup into a folder: a dump of pg_dump and, beside it, the files of tickets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="it is made if it is not there")

    def handle(self, *_: Any, folder: Path, **__: Any) -> None:
        try:
            backup = take(folder, at=timezone.now())
        except BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        for path in filter(None, (backup.dump, backup.files)):
            self.stdout.write(f"{path}  {path.stat().st_size:,} bytes")
