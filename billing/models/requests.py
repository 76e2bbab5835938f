"""Requests: consent before money. What a provider proposes, and how the customer decides."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q

from billing import events, pricing, terms
from billing.pricing import Interval, Item, ItemKind, Offer, Preview, Timing
from billing.terms import Difference
from connections.kinds import EventKind
from connections.models import Connection, Membership, Organization, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict, Invalid, NotAllowed
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, Money

from .catalog import AddOn, OneTimeCharge, PlanVersion
from .invoices import DraftLine, Invoice
from .proposals import NOTE_LENGTH, NothingToJoin, Proposal
from .subscriptions import Subscription

REMIND_BEFORE = timedelta(days=3)


class AlreadyDecided(Conflict):
    """Somebody was faster, or the request was withdrawn, revised or has expired."""


class TermsChanged(Conflict):
    """The terms that the person saw are not the terms that stand; `differences` says how."""

    def __init__(self, sentence: str, differences: list[Difference], **kwargs: str) -> None:
        super().__init__(sentence, **kwargs)
        self.differences = differences


class OwnProposal(NotAllowed):
    """Nobody decides what their own organization proposed."""


class BillingRequestQuerySet(models.QuerySet["BillingRequest"]):
    def pending(self) -> Self:
        return self.filter(state=BillingRequest.State.PENDING)

    def newest_first(self) -> Self:
        return self.order_by("-proposed_at", "-id")

    def waiting_for(self, memberships: Iterable[Membership]) -> Self:
        """What these members may decide, the most urgent first."""
        deciding = [m.organization_id for m in memberships if m.may_bill]
        sent = [m.organization_id for m in memberships]
        rows = self.pending().filter(connection__customer__in=deciding)
        rows = rows.exclude(provider__in=sent).order_by("expires_at", "id")
        return rows.select_related("connection__provider", "connection__customer", "proposed_by")

    def count_by_connection(self, connections: Iterable[Connection]) -> dict[Any, int]:
        """How many of these requests each connection has, by its id."""
        rows = self.filter(connection__in=list(connections)).values_list("connection")
        return dict(rows.annotate(number=models.Count("id")))

    def overdue(self, at: datetime) -> Self:
        """Pending ones whose time is over."""
        return self.pending().filter(expires_at__lte=at)

    def to_remind(self, at: datetime) -> Self:
        """Pending ones that expire soon and of which nobody was reminded."""
        soon = at + REMIND_BEFORE
        return self.pending().filter(expires_at__lte=soon, expires_at__gt=at, reminded_at=None)

    def unbilled_charges(self, on: date) -> Self:
        """Approved one-time charges whose day has come and that no line bills yet."""
        approved = self.filter(kind=ItemKind.ONE_TIME, state=BillingRequest.State.APPROVED)
        return approved.filter(starts_on__lte=on, lines=None)


class BillingRequest(models.Model):
    """A proposal of a plan, an add-on or a one-time charge, with its terms sealed.

    Once sent, only the decision is written to it, and that once; the database keeps both rules.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", "Waiting for approval"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Rejected"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        REVISED = "REVISED", "Revised"
        EXPIRED = "EXPIRED", "Expired"

    class MadeBy(models.TextChoices):
        PROVIDER = "PROVIDER", "Provider"
        CUSTOMER = "CUSTOMER", "Customer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="billing_requests", db_constraint=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    made_by = models.CharField(max_length=8, choices=MadeBy, default=MadeBy.PROVIDER)
    kind = models.CharField(max_length=10, choices=ItemKind)
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    add_on = models.ForeignKey(
        AddOn, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    one_time_charge = models.ForeignKey(
        OneTimeCharge, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    quantity = models.PositiveIntegerField(default=1)
    timing = models.CharField(max_length=10, choices=Timing)
    effective_date = models.DateField(null=True)
    currency = CurrencyField()
    note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    terms = models.JSONField()
    seal = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    revises = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="revision", db_constraint=False
    )
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    starts_on = models.DateField(null=True)

    mutable = ("state", "decided_by", "decided_at", "decision_note", "starts_on", "reminded_at")

    objects: ClassVar[Any] = BillingRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="request_connection_id"),
            # Lines and items point at (connection, id, kind, "APPROVED"): their authority.
            models.UniqueConstraint(
                fields=["connection", "id", "kind", "state"], name="request_authority"
            ),
            CompositeForeignKey(
                name="request_of_provider",
                fields=["connection", "provider"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_plan_of_provider",
                fields=["plan_version", "provider"],
                to="billing.PlanVersion",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_add_on_of_provider",
                fields=["add_on", "provider"],
                to="billing.AddOn",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_charge_of_provider",
                fields=["one_time_charge", "provider"],
                to="billing.OneTimeCharge",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="request_revises_same_connection",
                fields=["connection", "revises"],
                to="billing.BillingRequest",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                name="request_one_item",
                condition=Q(
                    kind="PLAN",
                    plan_version__isnull=False,
                    add_on=None,
                    one_time_charge=None,
                    quantity=1,
                )
                | Q(kind="ADD_ON", plan_version=None, add_on__isnull=False, one_time_charge=None)
                | Q(
                    kind="ONE_TIME",
                    plan_version=None,
                    add_on=None,
                    one_time_charge__isnull=False,
                    quantity=1,
                ),
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=10_000), name="request_quantity"
            ),
            models.CheckConstraint(
                name="request_decision",
                condition=Q(state="PENDING", decided_at=None, decided_by=None, starts_on=None)
                | Q(
                    state="APPROVED",
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    starts_on__isnull=False,
                )
                | Q(
                    state__in=["REJECTED", "WITHDRAWN", "REVISED"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    starts_on=None,
                )
                | Q(state="EXPIRED", decided_at__isnull=False, decided_by=None, starts_on=None),
            ),
            models.CheckConstraint(
                name="request_decided_in_time",
                condition=~Q(state__in=["APPROVED", "REJECTED"])
                | Q(decided_at__lt=F("expires_at")),
            ),
            models.CheckConstraint(
                name="request_chosen_by_its_maker",
                condition=Q(made_by="PROVIDER")
                | Q(made_by="CUSTOMER", decided_by=None)
                | Q(made_by="CUSTOMER", decided_by=F("proposed_by")),
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-proposed_at"], name="request_of_connection"),
            models.Index(
                fields=["connection"], condition=Q(state="PENDING"), name="request_pending"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(state="PENDING"), name="request_expiring"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="sealed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[("decision", "text[]")],
                func="""
                    decision := ARRAY['state', 'decided_by_id', 'decided_at', 'decision_note',
                                      'starts_on', 'reminded_at'];
                    IF OLD.state <> 'PENDING' THEN
                        RAISE EXCEPTION 'a decided request never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF to_jsonb(OLD) - decision IS DISTINCT FROM to_jsonb(NEW) - decision THEN
                        RAISE EXCEPTION 'the terms of a request never change'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Consent names somebody who may give it, and never one of those who ask for it.
            pgtrigger.Trigger(
                name="consent",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state__in=["APPROVED", "REJECTED"]),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM connections_membership member
                        JOIN connections_connection connection
                            ON connection.customer_id = member.organization_id
                        WHERE connection.id = NEW.connection_id
                            AND member.user_id = NEW.decided_by_id
                            AND member.role IN ('OWNER', 'BILLING')
                    ) OR NEW.made_by = 'PROVIDER' AND EXISTS (
                        SELECT 1 FROM connections_membership member
                        WHERE member.organization_id = NEW.provider_id
                            AND member.user_id = NEW.decided_by_id
                    ) THEN
                        RAISE EXCEPTION 'only an owner or billing member of the customer decides'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="undecided",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__state__df="PENDING"),
                func="""
                    RAISE EXCEPTION 'a request begins undecided'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_name} for {self.connection.customer}"

    # Factories

    @classmethod
    @transaction.atomic
    def propose(
        cls,
        proposal: Proposal,
        *,
        connection: Connection,
        by: User,
        at: datetime,
        key: uuid.UUID | None = None,
    ) -> "BillingRequest":
        """Seal the proposal and send it to the customer.

        `key` becomes its id: a form that is sent twice gets the request of the first time.
        Raises Invalid for what cannot be offered, NotOnSale, NotAllowed for another's member.
        """
        connection = lock(connection)
        cls._guard_member(connection.provider, by)
        if sent := key and cls.objects.filter(pk=key).first():
            return cls._sent_before(sent, connection)
        cls._guard_active(connection)
        request = cls.draft(proposal, connection, by=by, at=at)
        request.pk = key or request.pk
        request.save(force_insert=True)
        request._record(events.request_sent, by=by, at=at)
        return request

    @staticmethod
    def _sent_before(sent: "BillingRequest", connection: Connection) -> "BillingRequest":
        if sent.connection_id != connection.pk:
            raise Invalid("Something went wrong with this form. Send it once more.")
        return sent

    @classmethod
    @transaction.atomic
    def choose(
        cls, proposal: Proposal, *, connection: Connection, by: User, at: datetime
    ) -> "BillingRequest":
        """A customer's own act: it binds only itself, so it is made and approved in one step.

        Raises Invalid, NotOnSale, NotAllowed, NothingToJoin.
        """
        connection = lock(connection)
        cls._guard_member(connection.customer, by)
        cls._guard_active(connection)
        request = cls.draft(proposal, connection, by=by, at=at)
        request._guard_circumstances(at)
        request.made_by = cls.MadeBy.CUSTOMER
        request.save(force_insert=True)
        request._decide(cls.State.APPROVED, by=by, at=at)
        request._take_effect(by, at)
        request._record(events.request_chosen, by=by, at=at)
        return request

    @classmethod
    def draft(
        cls, proposal: Proposal, connection: Connection, *, by: User, at: datetime
    ) -> "BillingRequest":
        """The request that `proposal` makes, sealed but not saved: what the customer would see.

        Raises Invalid and NotOnSale.
        """
        running = Subscription.running_on(connection)
        settled = proposal.settled(connection, running, at)
        promised = settled.terms(connection, running, connection.day_of(at))
        return cls(
            connection=connection,
            provider=connection.provider,
            kind=settled.kind,
            quantity=settled.quantity,
            timing=settled.timing,
            effective_date=settled.effective_date,
            currency=connection.currency,
            note=settled.note,
            terms=promised,
            seal=terms.seal(promised),
            proposed_by=by,
            proposed_at=at,
            expires_at=settled.expires_at,  # type: ignore[misc]  # settled() has set it
            **settled.entry,
        )

    # Verbs

    @transaction.atomic
    def approve(self, *, by: User, seal: str, at: datetime, note: str = "") -> None:
        """Say yes to the terms whose seal is `seal`; they take effect in this transaction.

        Raises AlreadyDecided, TermsChanged, NothingToJoin, OwnProposal, NotAllowed.
        """
        lock(self.connection)
        self._guard_decision(by, at)
        self._guard_seal(seal)
        self._guard_circumstances(at)
        self._decide(self.State.APPROVED, by=by, at=at, note=note)
        self._take_effect(by, at)
        self._record(events.request_approved, by=by, at=at)

    @transaction.atomic
    def reject(self, *, by: User, at: datetime, note: str = "") -> None:
        """Say no; nothing changes. Raises AlreadyDecided, OwnProposal, NotAllowed."""
        lock(self.connection)
        self._guard_decision(by, at)
        self._decide(self.State.REJECTED, by=by, at=at, note=note)
        self._record(events.request_rejected, by=by, at=at)

    @transaction.atomic
    def withdraw(self, *, by: User, at: datetime) -> None:
        """Take the proposal back. Raises AlreadyDecided, NotAllowed."""
        lock(self.connection)
        self._guard_member(self.provider, by)
        self._decide(self.State.WITHDRAWN, by=by, at=at)
        self._record(events.request_withdrawn, by=by, at=at)

    @transaction.atomic
    def revise(self, proposal: Proposal, *, by: User, at: datetime) -> "BillingRequest":
        """Retire this request and send a new one, so that only the newest can be approved.

        Raises AlreadyDecided, and all that `propose` raises.
        """
        connection = lock(self.connection)
        self._guard_member(self.provider, by)
        self._guard_pending()
        revision = type(self).draft(proposal, connection, by=by, at=at)
        self._decide(self.State.REVISED, by=by, at=at)
        revision.revises = self
        revision.save(force_insert=True)
        revision._record(events.request_revised, by=by, at=at)
        return revision

    @transaction.atomic
    def expire(self, *, at: datetime) -> bool:
        """Its time is over. False if it was decided just before."""
        lock(self.connection)
        rows = type(self).objects.overdue(at).filter(pk=self.pk)
        if not rows.update(state=self.State.EXPIRED, decided_at=at):
            return False
        self.state, self.decided_at = self.State.EXPIRED, at
        self._record(events.request_expired, by=None, at=at)
        return True

    @transaction.atomic
    def remind(self, *, at: datetime) -> bool:
        """Tell the customer that it expires soon, once. False if that is no longer needed."""
        rows = type(self).objects.to_remind(at).filter(pk=self.pk)
        if not rows.update(reminded_at=at):
            return False
        self._record(events.request_reminded, by=None, at=at)
        return True

    def _decide(self, state: str, *, by: User, at: datetime, note: str = "") -> None:
        """The one way out of PENDING. The conditional update lets exactly one person win."""
        if len(note) > NOTE_LENGTH:
            raise Invalid(f"Keep the note under {NOTE_LENGTH:,} characters.", field="note")
        decision = {
            "state": state,
            "decided_by": by,
            "decided_at": at,
            "decision_note": note.strip(),
            "starts_on": self._start(at) if state == self.State.APPROVED else None,
        }
        if not type(self).objects.pending().filter(pk=self.pk).update(**decision):
            raise self._decided_before()
        for field, value in decision.items():
            setattr(self, field, value)

    def _take_effect(self, by: User, at: datetime) -> None:
        today = self.connection.day_of(at)
        if self.kind == ItemKind.ONE_TIME:
            if self.starts_on and self.starts_on <= today:
                Invoice.issue(self.connection, [self.charge_line()], on=today, at=at)
            return
        change = pricing.change(self.offer, Subscription.running_on(self.connection), today)
        subscription = Subscription.carry_out(change, self, by=by, at=at)
        while subscription.next_invoice_date and subscription.next_invoice_date <= today:
            subscription.bill(at=at)

    def _start(self, at: datetime) -> date:
        running = Subscription.running_on(self.connection)
        return self.offer.start(running, self.connection.day_of(at))

    def charge_line(self) -> DraftLine:
        """The invoice line of an approved one-time charge."""
        return DraftLine(
            kind=ItemKind.ONE_TIME,
            description=self.item_name,
            quantity=1,
            unit_price=self.price,
            amount=self.price,
            request=self,
        )

    def _record(self, kind: EventKind, *, by: User | None, at: datetime) -> None:
        # The facts stay as they are today, whatever becomes of names and prices.
        kind.record(
            self,
            by=by,
            at=at,
            organization=self._acting(by),
            connection=self.connection,
            item=self.item_name,
            kind=ItemKind(self.kind).label,
            price=self.price_in_words,
            effective=self.effective_in_words,
            provider=self.terms["provider"],
            customer=self.terms["customer"],
            proposed_by=self.proposed_by.name,
            proposed_at=self.proposed_at,
            expires_at=self.expires_at,
            note=self.note,
            outcome=self.get_state_display(),
            decided_by=self.decided_by.name if self.decided_by else "",
            decided_at=self.decided_at,
            decision_note=self.decision_note,
        )

    def _acting(self, by: User | None) -> Organization:
        decided = self.state in (self.State.APPROVED, self.State.REJECTED)
        return self.connection.customer if by and decided else self.provider

    # Guards

    def _guard_decision(self, by: User, at: datetime) -> None:
        if by.memberships.filter(organization=self.provider_id).exists():
            raise OwnProposal(
                f"You also belong to {self.provider}, who sent this. "
                f"Somebody else at {self.connection.customer} has to decide."
            )
        self._guard_member(self.connection.customer, by)
        self._guard_pending()
        if self.expires_at <= at:
            raise AlreadyDecided(
                "This request has expired.", next_step=f"Ask {self.provider} for a new one."
            )

    def _guard_pending(self) -> None:
        self.refresh_from_db(fields=["state", "decided_by", "decided_at"])
        if not self.is_pending:
            raise self._decided_before()

    @staticmethod
    def _guard_active(connection: Connection) -> None:
        if connection.state == Connection.State.INVITED:
            raise Invalid(f"{connection.customer} has not accepted your invitation yet.")
        if not connection.is_active:
            state = connection.get_state_display().lower()
            raise Invalid(f"The connection with {connection.customer} is {state}.")

    @staticmethod
    def _guard_member(organization: Organization, by: User) -> None:
        if not organization.memberships.billing().filter(user=by).exists():
            raise NotAllowed(f"Only an owner or billing member of {organization} can do this.")

    def _guard_seal(self, seal: str) -> None:
        if seal == self.seal:
            return
        rows = self.connection.billing_requests.filter(kind=self.kind, seal=seal)
        seen = rows.first()
        raise TermsChanged(
            "The terms that you saw are not the terms of this request. Nothing was approved.",
            terms.differences(seen.terms, self.terms) if seen else [],
            next_step="Read the terms below and decide again.",
        )

    def _guard_circumstances(self, at: datetime) -> None:
        """What it changes is part of its terms: that must still be what runs."""
        if self.kind == ItemKind.ONE_TIME:
            return
        today = self.connection.day_of(at)
        running = Subscription.running_on(self.connection)
        replaced = running.plan_on(self.offer.start(running, today))
        if self.kind == ItemKind.ADD_ON and replaced is None:
            raise NothingToJoin(
                "An add-on joins a plan, and no plan runs yet.", next_step="Approve a plan first."
            )
        preview = pricing.preview(self.offer, running, today)
        if changed := self._changes(replaced, preview):
            raise TermsChanged(
                "What runs has changed since this was proposed. Nothing was approved.",
                changed,
                next_step=f"Ask {self.provider} to revise the request.",
            )
        if preview.first_invoice.minor < 0:
            raise TermsChanged(
                "The unused part of what runs is now worth more than the next invoice. "
                "Nothing was approved.",
                [],
                next_step=f"Ask {self.provider} to propose it for the next billing cycle.",
            )

    def _changes(self, replaced: Item | None, preview: Preview) -> list[Difference]:
        """How what runs differs from what it was when the terms were sealed."""
        if self.kind == ItemKind.PLAN:
            now = self.terms | {"replaces": terms.replaced(replaced)}
            return terms.differences(self.terms, now)
        # An add-on is billed with its plan: a year in advance is not what a month's terms promised.
        sealed = Interval(self.terms["afterwards"]["interval"])
        if sealed == preview.interval:
            return []
        return [Difference("Billed", sealed.adverb, preview.interval.adverb)]

    def _decided_before(self) -> AlreadyDecided:
        self.refresh_from_db(fields=["state", "decided_by", "decided_at"])
        what = self.get_state_display().lower()
        if self.decided_by is None or self.decided_at is None:
            return AlreadyDecided(f"This request has {what}.")
        instant = self.decided_at.astimezone(self.provider.zone)
        when = f"{instant.day} {instant:%b %Y at %H:%M}"
        did = "withdrew" if self.state == self.State.WITHDRAWN else what
        return AlreadyDecided(f"{self.decided_by} {did} this request on {when}. It stays so.")

    # Queries

    def preview(self, on: date) -> Preview:
        """What approving it on the day `on` comes to, with what runs today."""
        return pricing.preview(self.offer, Subscription.running_on(self.connection), on)

    # Properties

    @property
    def item(self) -> Any:
        """The catalog entry: a plan version, an add-on or a one-time charge."""
        return self.plan_version or self.add_on or self.one_time_charge

    @property
    def item_name(self) -> str:
        return str(self.terms["name"])

    @property
    def offer(self) -> Offer:
        """The proposal as pricing takes it, at the sealed prices."""
        return Offer(
            kind=ItemKind(self.kind),
            name=self.item_name,
            unit_price=Money(self.terms["unit_price"], self.currency),
            quantity=self.quantity,
            interval=Interval(self.terms["interval"] or Interval.MONTH),
            timing=Timing(self.timing),
            day=self.effective_date,
        )

    @property
    def price(self) -> Money:
        return self.offer.price

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING

    @property
    def is_approved(self) -> bool:
        return self.state == self.State.APPROVED

    @property
    def proposer(self) -> str:
        """The organization that made it, under the name it had then."""
        by_customer = self.made_by == self.MadeBy.CUSTOMER
        return str(self.terms["customer" if by_customer else "provider"])

    @property
    def reference(self) -> str:
        """A short name for people; the address has the whole id."""
        return f"R-{str(self.pk)[:6].upper()}"

    @property
    def headline(self) -> str:
        return terms.headline(self.terms)

    @property
    def price_in_words(self) -> str:
        return terms.price_in_words(self.terms)

    @property
    def effective_in_words(self) -> str:
        return terms.effective_in_words(self.terms)

    @property
    def terms_in_words(self) -> list[tuple[str, str]]:
        return terms.in_words(self.terms)
