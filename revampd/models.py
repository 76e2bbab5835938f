"""What belongs to the composition alone: moves of the demo's clock. Only a demo has rows here."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q, QuerySet

from connections.models import Connection, User
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict, Invalid

MOVE_TASK = "demo.move_clock"
FARTHEST = relativedelta(months=24)
PROBLEM_LENGTH = 500


class ClockIsMoving(Conflict):
    """One move at a time; `move` is the one under way, if it still is."""

    def __init__(self, move: "ClockMove | None") -> None:
        super().__init__("The clock is being moved already.", next_step="Wait until it is there.")
        self.move = move


class ClockMoveQuerySet(models.QuerySet["ClockMove"]):
    def under_way(self) -> Self:
        return self.filter(finished_at=None)


class ClockMove(models.Model):
    """The demo's clock on its way from one day to a later one, for one connection or for all.

    `reached_date` is the last day on which all that was due is done: whoever takes the move over
    after a crash goes on from there. Instants are real time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, null=True, related_name="+"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    start_date = models.DateField()
    target_date = models.DateField()
    reached_date = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=PROBLEM_LENGTH, blank=True)

    objects: ClassVar[Any] = ClockMoveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None),
                nulls_distinct=False,
                name="clock_move_one_under_way",
            ),
            models.CheckConstraint(
                condition=Q(
                    target_date__gt=F("start_date"),
                    reached_date__gte=F("start_date"),
                    reached_date__lte=F("target_date"),
                ),
                name="clock_move_days",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, problem="")
                | Q(finished_at__isnull=False, reached_date=F("target_date"), problem="")
                | Q(finished_at__isnull=False) & ~Q(problem=""),
                name="clock_move_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start_date} to {self.target_date}"

    # Factories

    @classmethod
    def begin(
        cls, connection: Connection | None, *, to: date, by: User, now: datetime
    ) -> "ClockMove":
        """Set out for the day `to`; without a connection, with all of them.

        Raises Invalid for a day that is not ahead or too far, ClockIsMoving.
        """
        if under_way := cls.objects.under_way().first():
            raise ClockIsMoving(under_way)
        start, today = cls.span_of(cls.moved(connection), now)
        cls._guard_day(to, today=today, now=now)
        move = cls(
            connection=connection,
            by=by,
            start_date=start,
            target_date=to,
            reached_date=start,
            started_at=now,
        )
        try:
            with transaction.atomic():
                move.save(force_insert=True)
                ring_on_commit(MOVE_TASK)
        except IntegrityError as error:  # somebody was faster
            raise ClockIsMoving(cls.objects.under_way().first()) from error
        return move

    @classmethod
    def _guard_day(cls, to: date, *, today: date, now: datetime) -> None:
        if to <= today:
            raise Invalid(
                f"The clock only goes forward. Choose a day after {today.day} {today:%b %Y}.",
                field="to",
            )
        if to > (last := cls.last_day(now)):
            raise Invalid(
                "The clock can be at most 24 months ahead. "
                f"Choose a day up to {last.day} {last:%b %Y}.",
                field="to",
            )

    # Verbs

    def reach(self, day: date) -> None:
        """Everything due on this day is done."""
        self.reached_date = day
        self.save(update_fields=["reached_date"])

    def finish(self, *, now: datetime, problem: str = "") -> None:
        """It is there, or it stops where it is because of the `problem`."""
        self.finished_at, self.problem = now, problem[:PROBLEM_LENGTH]
        self.save(update_fields=["finished_at", "problem"])

    # Queries

    @staticmethod
    def moved(connection: Connection | None) -> QuerySet[Connection]:
        """What a move of this connection, or of all, moves."""
        connections: QuerySet[Connection] = Connection.objects.select_related("provider")
        return connections.filter(pk=connection.pk) if connection else connections

    @staticmethod
    def span_of(connections: QuerySet[Connection], now: datetime) -> tuple[date, date]:
        """The earliest and the latest of the days that their clocks show."""
        days = [connection.day_of(connection.own_time(now)) for connection in connections]
        return min(days, default=now.date()), max(days, default=now.date())

    @staticmethod
    def last_day(now: datetime) -> date:
        """The last day to which a clock can be moved."""
        return now.date() + FARTHEST

    # Properties

    @property
    def is_under_way(self) -> bool:
        return self.finished_at is None

    @property
    def days(self) -> int:
        return (self.target_date - self.start_date).days

    @property
    def days_done(self) -> int:
        return (self.reached_date - self.start_date).days

    @property
    def next_day(self) -> date | None:
        """The day to move to next, None at the end."""
        if self.reached_date >= self.target_date:
            return None
        return self.reached_date + timedelta(days=1)
