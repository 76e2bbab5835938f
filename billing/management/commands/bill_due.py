"""`manage.py bill_due`: the billing run by hand, with a progress bar."""

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from billing.cycle import bill_due, in_words
from billing.models import BillingRun


class Command(BaseCommand):
    help = (
        "Issues every invoice that has come due, each period once. It can be run at any time, again"
        " and beside other runs; beat runs it every hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on",
            metavar="DATE",
            help="what is due by this day, as in 2026-12-31; without it, today where each provider"
            " does business; a day to come takes the dry run of the admin",
        )

    def handle(self, *_: Any, on: str | None, **__: Any) -> None:
        due_by = day(on) if on is not None else None
        guard_not_early(due_by)
        bar = Bar(self.stderr)
        try:
            bill_due(due_by, at=timezone.now(), progress=bar.show)
        except ExceptionGroup as group:
            bar.close()
            self.stdout.write(summary(bar.run))
            failures = [f"  {in_words(failure)}" for failure in group.exceptions]
            raise CommandError("\n".join([f"{group.message}:", *failures])) from group
        bar.close()
        self.stdout.write(summary(bar.run))


class Bar:
    """How many connections are done, of all that owe something. It appears with the first."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._bar: tqdm[Any] | None = None
        self.run: BillingRun | None = None

    def show(self, run: BillingRun) -> None:
        self.run = run
        bar = self._bar or tqdm(total=run.connections, unit=" connections", file=self._stream)
        bar.update(run.done - bar.n)
        self._bar = bar

    def close(self) -> None:
        if self._bar:
            self._bar.close()


def day(text: str) -> date:
    """The day that was typed. Raises CommandError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is no date. Write it as 2026-12-31.") from None


def guard_not_early(on: date | None) -> None:
    """As in the admin. A demo moves its clock, so it may be ahead. Raises CommandError."""
    if on and on > timezone.localdate() and not settings.IS_DEMO:
        raise CommandError("That would bill early. A day to come takes the dry run of the admin.")


def summary(run: BillingRun | None) -> str:
    if run is None:
        return "Nothing is due."
    words = f"{_count(run.issued, 'invoice')} issued for {_count(run.done, 'connection')}."
    if run.stopped:
        words += f" {_count(run.stopped, 'connection')} stopped: not what was approved."
    return words


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
