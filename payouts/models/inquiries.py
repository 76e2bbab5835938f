"""Inquiries: companies that ask a Partner to become its Sub-Org, through a referral link."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from billing.seats import invite
from connections.kinds import EventKind
from connections.models import Invitation, Organization, User
from payouts.affiliates import events
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock

from .referral_links import ReferralLink
from .referrals import Referral, require_newcomer

NOTE_LENGTH = 500
MOST_A_DAY = 5
DAY = timedelta(days=1)


class AlreadyAsked(Conflict):
    """The person has asked, or belongs to a Sub-Org of the Partner already."""


class AlreadyAnswered(Conflict):
    """Somebody at the Partner was faster."""


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    def waiting(self) -> Self:
        return self.filter(state=Inquiry.State.WAITING)

    def newest_first(self) -> Self:
        return self.order_by("-asked_at", "-id")


class Inquiry(models.Model):
    """`asked_by` asks `partner`, through `link`, to be connected as the company `name`.

    Accepting it invites them like any other Sub-Org, on a seat of the Partner's tier.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        ACCEPTED = "ACCEPTED", "Invited"
        DECLINED = "DECLINED", "Declined"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(
        ReferralLink, on_delete=models.PROTECT, related_name="inquiries", db_constraint=False
    )
    referrer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    partner = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="inquiries", db_constraint=False
    )
    name = models.CharField(max_length=120)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="inquiries"
    )
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=NOTE_LENGTH, blank=True)
    invitation = models.OneToOneField(
        Invitation, on_delete=models.PROTECT, null=True, related_name="inquiry"
    )

    mutable = ("state", "answered_by", "answered_at", "answer", "invitation")

    objects: ClassVar[Any] = InquiryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "inquiries"
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "asked_by"],
                condition=Q(state="WAITING"),
                name="inquiry_one_waiting_a_person",
            ),
            CompositeForeignKey(
                name="inquiry_by_link",
                fields=["link", "referrer", "partner"],
                to="payouts.ReferralLink",
                to_fields=["id", "owner", "provider"],
            ),
            models.CheckConstraint(condition=~Q(name=""), name="inquiry_name"),
            models.CheckConstraint(
                condition=Q(state="WAITING", answered_by=None, answered_at=None)
                & Q(answer="", invitation=None)
                | Q(state="ACCEPTED", answered_by__isnull=False, answered_at__isnull=False)
                & Q(invitation__isnull=False)
                | Q(state="DECLINED", answered_by__isnull=False, answered_at__isnull=False)
                & Q(invitation=None),
                name="inquiry_state",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-asked_at"], name="inquiry_of_partner")]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Protect(
                name="answered_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="WAITING"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # Factories

    @classmethod
    @transaction.atomic
    def send(
        cls, link: ReferralLink, *, name: str, note: str = "", by: User, at: datetime
    ) -> "Inquiry":
        """Ask the Partner that `link` leads to. Nothing is founded before it accepts.

        Raises LinkStopped, OwnReferral, AlreadyAsked, Invalid.
        """
        # Of one person's presses the second waits, and finds the first.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        link = lock(link)
        link.require_open()
        name = name.strip()
        if not name:
            raise Invalid("Say what your company is called.", field="name")
        require_newcomer(link, by)
        cls._guard_person(link.provider, by, at)
        inquiry: Inquiry = cls.objects.create(
            link=link,
            referrer=link.owner,
            partner=link.provider,
            name=name,
            note=note.strip(),
            asked_by=by,
            asked_at=at,
        )
        inquiry._record(events.inquiry_sent, by, at)
        return inquiry

    @classmethod
    def _guard_person(cls, partner: Organization, by: User, at: datetime) -> None:
        theirs = by.memberships.filter(organization__bought__provider=partner).first()
        if theirs:
            raise AlreadyAsked(f"{theirs.organization} is connected with {partner} already.")
        own = cls.objects.filter(asked_by=by)
        if asked := own.waiting().filter(partner=partner).first():
            raise AlreadyAsked(
                f"You asked {partner} for {asked.name} already.",
                next_step="You get a mail as soon as it answers.",
            )
        if own.filter(asked_at__gt=at - DAY).count() >= MOST_A_DAY:
            raise Invalid(f"You asked {MOST_A_DAY} times today. Ask again tomorrow.")

    # Verbs

    @transaction.atomic
    def accept(self, *, by: User, at: datetime) -> Invitation:
        """Invite who asked, on a seat of the tier. Whoever brought them has a referral then.

        Raises AlreadyAnswered, NoTier, NoSeatLeft, Invalid, NotAllowed.
        """
        inquiry = self._hold(by)
        invitation = invite(
            partner=inquiry.partner, name=inquiry.name, email=inquiry.asked_by.email, by=by, at=at
        )
        if not inquiry.link.is_own:
            require_newcomer(inquiry.link, inquiry.asked_by)
            Referral.begin(inquiry.link, invitation.connection, by=inquiry.asked_by, at=at)  # type: ignore[arg-type]
        inquiry._close(self.State.ACCEPTED, by, at, invitation=invitation)
        inquiry._record(events.inquiry_accepted, by, at)
        return invitation

    @transaction.atomic
    def decline(self, *, answer: str = "", by: User, at: datetime) -> None:
        """Say no, with an answer for who asked. Raises AlreadyAnswered, NotAllowed."""
        inquiry = self._hold(by)
        inquiry._close(self.State.DECLINED, by, at, answer=answer.strip())
        inquiry._record(events.inquiry_declined, by, at)

    def _hold(self, by: User) -> "Inquiry":
        partner = lock(self.partner)
        partner.require_owner(by, "answers inquiries")
        inquiry = lock(self)
        if inquiry.state != self.State.WAITING:
            done = inquiry.get_state_display().lower()
            raise AlreadyAnswered(f"{inquiry.answered_by} has answered already: {done}.")
        return inquiry

    def _close(self, state: "Inquiry.State", by: User, at: datetime, **details: Any) -> None:
        self.state, self.answered_by, self.answered_at = state, by, at
        for name, value in details.items():
            setattr(self, name, value)
        self.save(update_fields=["state", "answered_by", "answered_at", *details])

    def _record(self, kind: EventKind, by: User, at: datetime) -> None:
        kind.record(
            self,
            by=by,
            at=at,
            organization=self.partner,
            company=self.name,
            person=self.asked_by.name,
            email=self.asked_by.email,
            partner=self.partner.name,
            referrer=self.link.owner.name,
            note=self.note,
            answer=self.answer,
        )
