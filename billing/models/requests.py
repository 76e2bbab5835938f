"""Requests: consent before money. What a provider proposes, and how the customer decides."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from billing import events, pricing, terms
from billing.pricing import Interval, Item, ItemKind, Preview, Running
from billing.terms import Difference
from connections.kinds import EventKind
from connections.models import Connection, Organization, User
from revampd.kit.errors import Conflict, Invalid, NotAllowed
from revampd.kit.locking import lock

from .drafts import Draft, DraftLine, Payer, issue
from .due import bill
from .plans import PlanVersion
from .proposals import NOTE_LENGTH, CatalogEntry, NothingToJoin, Proposal
from .sealed import SealedRequest
from .subscriptions import Subscription
from .tiers import Use


class AlreadyDecided(Conflict):
    """Somebody was faster, or the request was withdrawn, revised or has expired."""


class TermsChanged(Conflict):
    """The terms that the person saw are not the terms that stand; `differences` says how."""

    def __init__(self, sentence: str, differences: list[Difference], **kwargs: str) -> None:
        super().__init__(sentence, **kwargs)
        self.differences = differences


class OwnProposal(NotAllowed):
    """Nobody decides what their own organization proposed."""


class BillingRequest(SealedRequest):
    """A proposal of a plan, an add-on or a one-time charge, and what can be done with it."""

    class Meta(SealedRequest.Meta):
        abstract = False

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
        key: UUID | None = None,
    ) -> "BillingRequest":
        """Seal the proposal and send it to the customer.

        `key` becomes its id: a form that is sent twice gets the request of the first time.
        Raises Invalid for what cannot be offered, NotOnSale, NotAllowed for another's member.
        """
        connection = lock(connection)
        provider = connection.provider
        provider.require_biller(by, or_staff=provider.is_platform)
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

        Only Revampd's customers choose by themselves; see SelfService for what else they do.
        Raises Invalid, NotOnSale, NotAllowed, NothingToJoin, BelowUse.
        """
        connection = lock(connection)
        connection.customer.require_biller(by)
        if not connection.is_self_service:
            raise NotAllowed(f"What you have from {connection.provider} changes through requests.")
        if not proposal.ends:
            cls._guard_active(connection)
        request = cls.draft(proposal, connection, by=by, at=at)
        request._guard_circumstances(at)
        request.made_by = cls.MadeBy.CUSTOMER
        request.save(force_insert=True)
        request._decide(cls.State.APPROVED, by=by, at=at)
        request._record(events.request_chosen, by=by, at=at)
        request._take_effect(by, at)
        return request

    @classmethod
    def draft(
        cls,
        proposal: Proposal,
        connection: Connection,
        *,
        by: User,
        at: datetime,
        running: Running | None = None,
    ) -> "BillingRequest":
        """The request that `proposal` makes, sealed but not saved: what the customer would see.

        `running` is what would run otherwise, if that is not what runs. Raises Invalid, NotOnSale
        and BelowUse.
        """
        if running is None:
            running = Subscription.running_on(connection)
        cls._guard_room(proposal.item, connection)
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
        self._record(events.request_approved, by=by, at=at)
        self._take_effect(by, at)

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
        self.provider.require_biller(by)
        self._decide(self.State.WITHDRAWN, by=by, at=at)
        self._record(events.request_withdrawn, by=by, at=at)

    @transaction.atomic
    def revise(self, proposal: Proposal, *, by: User, at: datetime) -> "BillingRequest":
        """Retire this request and send a new one, so that only the newest can be approved.

        Raises AlreadyDecided, and all that `propose` raises.
        """
        connection = lock(self.connection)
        self.provider.require_biller(by)
        self._guard_pending()
        proposal = replace(proposal, about=proposal.about or self.about)
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
                line = [self.charge_line()]
                issue([Draft(Payer.of(self.connection), line, on=today, at=at)])
            return
        change = pricing.change(self.offer, Subscription.running_on(self.connection), today)
        subscription = Subscription.carry_out(change, self, by=by, at=at)
        if subscription.next_invoice_date and subscription.next_invoice_date <= today:
            bill([self.connection.pk], at=at - self.connection.ahead)

    def _start(self, at: datetime) -> date:
        running = Subscription.running_on(self.connection)
        return self.offer.start(running, self.connection.day_of(at))

    def charge_line(self) -> DraftLine:
        """The invoice line of an approved one-time charge."""
        return DraftLine(
            kind=ItemKind.ONE_TIME,
            description=self.charge_name,
            quantity=1,
            unit_price=self.price.minor,
            amount=self.price.minor,
            request_id=self.pk,
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
            about=self.about.key if self.about else "",
            reference=self.about.reference if self.about else "",
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
        self.connection.customer.require_biller(by)
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
    def _guard_room(item: CatalogEntry, connection: Connection) -> None:
        """A tier must allow what its Partner uses. Product rules, "The Partner's tier"."""
        if connection.sells_tiers and isinstance(item, PlanVersion):
            Use.of(connection).require_room(item)

    @staticmethod
    def _guard_active(connection: Connection) -> None:
        if connection.state == Connection.State.INVITED:
            raise Invalid(f"{connection.customer} has not accepted your invitation yet.")
        if not connection.is_active:
            state = connection.get_state_display().lower()
            raise Invalid(f"The connection with {connection.customer} is {state}.")

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
        self._guard_room(self.item, self.connection)
        today = self.connection.day_of(at)
        running = Subscription.running_on(self.connection)
        offer = self.offer
        replaced = running.plan_on(offer.start(running, today))
        if self.kind == ItemKind.ADD_ON and not (replaced or offer.alone):
            raise NothingToJoin(
                "An add-on joins a plan, and no plan runs yet.", next_step="Approve a plan first."
            )
        preview = pricing.preview(offer, running, today)
        if changed := self._changes(replaced, preview):
            raise TermsChanged(
                "What runs has changed since this was proposed. Nothing was approved.",
                changed,
                next_step=f"Ask {self.provider} to revise the request.",
            )
        if preview.lowest.minor < 0:
            raise TermsChanged(
                "The unused part of what runs is now worth more than a coming invoice. "
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
        if self.decided_by is None or self.decided_at is None:
            return AlreadyDecided(f"{self.outcome}.")
        instant = self.decided_at.astimezone(self.provider.zone)
        when = f"{instant.day} {instant:%b %Y at %H:%M}"
        return AlreadyDecided(f"{self.outcome} on {when}. It stays so.")

    @property
    def outcome(self) -> str:
        """Who did what with it; nobody does anything with one that is pending for too long."""
        if self.decided_by is None:
            return "This request has expired"
        is_withdrawn = self.state == self.State.WITHDRAWN
        did = "withdrew" if is_withdrawn else self.get_state_display().lower()
        return f"{self.decided_by} {did} this request"

    # Queries

    def preview(self, on: date) -> Preview:
        """What approving it on the day `on` comes to, with what runs today."""
        return pricing.preview(self.offer, Subscription.running_on(self.connection), on)
