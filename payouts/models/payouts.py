"""Payouts: the earnings of a closed week, and how they are settled. All in minor units."""

import uuid
from datetime import date, datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models, transaction
from django.db.models import F, Func, Max, Q, Sum
from django.db.models.functions import Greatest
from django.utils.formats import date_format
from django.utils.text import slugify

from connections.models import Connection, Event, User
from payouts import events
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .accounts import BankAccount
from .settlements import Settlement
from .transfers import BankTransfer


class NotAvailable(Conflict):
    """The payout is settled, is on its way, or has nothing to settle."""


class PayoutQuerySet(models.QuerySet["Payout"]):
    def available(self) -> Self:
        return self.filter(state=Payout.State.AVAILABLE)

    def with_parties(self) -> Self:
        return self.select_related("connection__provider", "connection__customer")

    def untouched(self) -> Self:
        """Available ones that nobody has settled before, in any way."""
        return self.available().filter(settlements=None)

    def newest_first(self) -> Self:
        return self.order_by("-period_start")

    def left(self) -> int:
        """What is available of them together, in minor units."""
        left = F("amount") - F("credited") - F("banked")
        return int(self.available().aggregate(left=Sum(left, default=0))["left"])


class Payout(models.Model):
    """The earnings of one closed week of a Partner, on its connection with Revampd.

    `gross`, `fee` and `affiliate` are the sums of its earnings, kept by their trigger; `carried` is
    what the payout before, `carries`, came to below zero, or 0. What is left of `amount` is
    settled: `credited` to the wallet and `banked` (sent, or on its way), kept by the triggers of
    settlements and bank transfers. One that comes to nothing or less is carried into the next.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Being closed"
        AVAILABLE = "AVAILABLE", "Available"
        IN_TRANSIT = "IN_TRANSIT", "In transit"
        SETTLED = "SETTLED", "Settled"
        CARRIED = "CARRIED", "Carried over"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="payouts", db_index=False
    )
    currency = CurrencyField()
    period_start = models.DateField()
    period_end = models.DateField()
    closed_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    gross = MinorUnitsField(default=0)
    fee = MinorUnitsField(default=0)
    affiliate = MinorUnitsField(default=0)
    carries = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="carried_into",
        db_constraint=False,
    )
    carried = MinorUnitsField(default=0)
    amount = models.GeneratedField(
        expression=F("gross") - F("fee") - F("affiliate") + F("carried"),
        output_field=MinorUnitsField(),
        db_persist=True,
    )
    credited = MinorUnitsField(default=0)
    banked = MinorUnitsField(default=0)

    mutable = ("state", "gross", "fee", "affiliate", "credited", "banked")

    objects: ClassVar[Any] = PayoutQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="payout_connection_id"),
            models.UniqueConstraint(
                fields=["connection", "period_start"], name="payout_once_a_period"
            ),
            ExclusionConstraint(
                name="payout_periods_apart",
                expressions=[
                    ("connection", RangeOperators.EQUAL),
                    (
                        Func(F("period_start"), F("period_end"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            CompositeForeignKey(
                name="payout_carries_own",
                fields=["connection", "carries"],
                to="payouts.Payout",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="payout_period"
            ),
            models.CheckConstraint(
                condition=Q(carries=None, carried=0) | Q(carries__isnull=False, carried__lt=0),
                name="payout_carried",
            ),
            models.CheckConstraint(
                condition=Q(
                    credited__gte=0,
                    banked__gte=0,
                    credited__lte=Greatest(F("amount"), 0) - F("banked"),
                ),
                name="payout_never_over_settled",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", credited=0, banked=0)
                | Q(state="CARRIED", amount__lte=0)
                | Q(state="AVAILABLE", amount__gt=F("credited") + F("banked"))
                | Q(
                    state__in=["IN_TRANSIT", "SETTLED"],
                    amount__gt=0,
                    amount=F("credited") + F("banked"),
                ),
                name="payout_state",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="begun",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.state <> 'OPEN' OR (NEW.gross, NEW.fee, NEW.affiliate) <> (0, 0, 0) THEN
                        RAISE EXCEPTION 'a payout begins empty'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.carries_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payouts_payout WHERE id = NEW.carries_id
                        AND state = 'CARRIED' AND amount = NEW.carried
                    ) THEN
                        RAISE EXCEPTION 'a payout carries what was left below zero'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['state', 'gross', 'fee', 'affiliate', 'amount',"
                        " 'credited', 'banked']",
                    )
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a payout never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state <> 'OPEN' AND (OLD.gross, OLD.fee, OLD.affiliate)
                        IS DISTINCT FROM (NEW.gross, NEW.fee, NEW.affiliate) THEN
                        RAISE EXCEPTION 'a closed payout takes no more earnings'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF pg_trigger_depth() < 2 AND (
                        OLD.state <> 'OPEN' OR NEW.state NOT IN ('AVAILABLE', 'CARRIED')
                        OR to_jsonb(OLD) - 'state' - 'amount'
                            IS DISTINCT FROM to_jsonb(NEW) - 'state' - 'amount'
                    ) THEN
                        RAISE EXCEPTION 'a payout is settled only by what is booked on it'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Payout, {self.week}"

    # Verbs

    @transaction.atomic
    def settle(self, *, credit: int, transfer: int, by: User | None, at: datetime) -> Settlement:
        """Put `credit` minor units into the wallet and send `transfer` to the bank, once.

        Together they are exactly what is available. Nobody is asked for the transfer yet: it is
        committed first. `by` is None where the standing preference settles. Raises NotAvailable,
        Invalid, NoBankAccount, NotAllowed.
        """
        self.hold()
        if by:
            self.connection.customer.require_biller(by)
        self._guard_available()
        self._guard_parts(credit, transfer)
        bank = BankAccount.objects.ready(self.connection, at=at) if transfer else None
        settlement = Settlement.make(self, credit=credit, banked=transfer, by=by, at=at)
        if bank:
            BankTransfer.begin(settlement, bank, at=at)
        self.refresh_from_db()
        return settlement

    def leave_to_people(self, failure: str, *, at: datetime) -> None:
        """It could not be settled by itself: the Partner is told why."""
        events.preference_failed.record(
            self,
            by=None,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            week=self.week,
            failure=failure,
        )

    def hold(self) -> None:
        """Lock the connection and read what stands now. Every verb begins so."""
        self.connection = lock(self.connection)
        self.refresh_from_db(fields=[f.attname for f in self._meta.concrete_fields])

    def _guard_available(self) -> None:
        if self.state == self.State.AVAILABLE:
            return
        last = self.settlements.select_related("settled_by").order_by("settled_at", "pk").last()
        if last is None:
            raise NotAvailable(f"There is nothing to settle of the {self.week}.")
        who = last.settled_by or "Your standing preference"
        raise NotAvailable(
            f"{who} settled the {self.week} already: {last.in_words}.",
            next_step="A payout is settled once.",
        )

    def _guard_parts(self, credit: int, transfer: int) -> None:
        for minor, field in ((credit, "credit"), (transfer, "transfer")):
            if minor < 0:
                raise Invalid("An amount cannot be below zero.", field=field)
        parts, left = Money(credit + transfer, self.currency), self.available
        if parts != left:
            raise Invalid(
                f"The two parts come to {parts}; together they have to be {left}.",
                field="transfer",
            )

    # Properties

    @property
    def changed_at(self) -> datetime:
        """When something happened to it last; costs a query."""
        moments = Payout.objects.filter(pk=self.pk).aggregate(
            settled=Max("settlements__settled_at"),
            sent=Max("bank_transfers__settled_at"),
            returned=Max("bank_transfers__returned_at"),
            carried=Max("carried_into__closed_at"),
        )
        return max([self.closed_at, *filter(None, moments.values())])

    @property
    def file_name(self) -> str:
        """What its statement is called, without an ending."""
        return slugify(f"{self.connection.provider.name} payout {self.period_start}")

    @property
    def is_left_to_people(self) -> bool:
        """Whether the standing preference could not settle it; costs a query."""
        failed = Event.objects.about(self).filter(code=events.preference_failed.code)
        return bool(failed.exists())

    @property
    def week(self) -> str:
        """The period in words."""
        return f"week of {date_format(self.period_start, 'j M Y')}"

    @property
    def last_day(self) -> date:
        return date.fromordinal(self.period_end.toordinal() - 1)

    @property
    def net(self) -> int:
        """What its own earnings come to."""
        return self.gross - self.fee - self.affiliate

    @property
    def left(self) -> int:
        """What is still to be settled, in minor units."""
        if self.state != self.State.AVAILABLE:
            return 0
        return int(self.amount) - self.credited - self.banked

    @property
    def available(self) -> Money:
        return Money(self.left, self.currency)

    @property
    def total(self) -> Money:
        """What it comes to, with what was carried into it."""
        return Money(self.amount, self.currency)

    @property
    def gross_money(self) -> Money:
        return Money(self.gross, self.currency)

    @property
    def fee_money(self) -> Money:
        return Money(self.fee, self.currency)

    @property
    def affiliate_money(self) -> Money:
        return Money(self.affiliate, self.currency)

    @property
    def net_money(self) -> Money:
        return Money(self.net, self.currency)

    @property
    def carried_money(self) -> Money:
        return Money(self.carried, self.currency)

    @property
    def credited_money(self) -> Money:
        return Money(self.credited, self.currency)

    @property
    def banked_money(self) -> Money:
        return Money(self.banked, self.currency)
