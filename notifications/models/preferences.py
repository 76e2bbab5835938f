"""How people want to be told: their own choices, and what their organization suggests."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from connections.kinds import Category
from connections.models import Organization, User
from notifications import events
from revampd.kit.locking import lock

from .deliveries import Delivery

MORNING = 8  # the hour at which daily summaries go out unless somebody prefers another


class Channel(models.TextChoices):
    MAIL = "MAIL", "E-mail"
    PAGE = "PAGE", "In Revampd"


class Manner(models.TextChoices):
    """`OFF` on the page means quiet: it stands in the list and does not count as unread."""

    AT_ONCE = "AT_ONCE", "At once"
    DAILY = "DAILY", "Daily summary"
    OFF = "OFF", "Off"


# What is told how. A key that is missing, or None, is left to whoever comes next.
Key = tuple[str, str]
Choices = Mapping[Key, str | None]


class Choice(models.Model):
    """What is told how, in one category and channel."""

    category = models.CharField(max_length=20, choices=Category)
    channel = models.CharField(max_length=4, choices=Channel)
    manner = models.CharField(max_length=7, choices=Manner)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="MAIL", manner__in=["AT_ONCE", "DAILY", "OFF"])
                | Q(channel="PAGE", manner__in=["AT_ONCE", "OFF"]),
                name="%(class)s_manner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()}, {self.get_channel_display()}: {self.words}"

    @property
    def key(self) -> Key:
        return self.category, self.channel

    @property
    def words(self) -> str:
        return Manner(self.manner).label


class Preference(Choice):
    """A person's own choice. It stands above what any organization of theirs suggests."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="preferences"
    )

    class Meta(Choice.Meta):
        abstract = False
        constraints = [
            *Choice.Meta.constraints,
            models.UniqueConstraint(
                fields=["person", "category", "channel"], name="preference_once"
            ),
        ]

    @classmethod
    @transaction.atomic
    def choose(
        cls, person: User, choices: Choices, *, at: datetime, hour: int | None = None
    ) -> None:
        """Take over `choices`, where None goes back to what the organization suggests.

        `hour` is that of the daily summary, in the person's time zone; None keeps the present one.
        """
        # A view hands over the lazy user of its request, which has no table of its own.
        person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        changed = _store(cls, choices, person=person)
        if hour is not None and DigestHour.set(person, hour):
            changed["summary"] = f"{hour}:00"
        if changed:
            for membership in person.belongs_to:
                events.preferences_changed.record(
                    person, by=person, at=at, organization=membership.organization, after=changed
                )


class OrganizationDefault(Choice):
    """What an organization suggests to its members, who may choose otherwise."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="notification_defaults"
    )

    class Meta(Choice.Meta):
        abstract = False
        constraints = [
            *Choice.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "category", "channel"], name="organization_default_once"
            ),
        ]

    @classmethod
    @transaction.atomic
    def suggest(
        cls, organization: Organization, choices: Choices, *, by: User, at: datetime
    ) -> None:
        """Take over `choices`, where None goes back to at once. Raises NotAllowed."""
        organization = lock(organization)
        organization.require_owner(by, "changes how its members are told")
        changed = _store(cls, choices, organization=organization)
        if changed:
            events.defaults_changed.record(
                organization, by=by, at=at, organization=organization, after=changed
            )


class DigestHour(models.Model):
    """When the daily summary goes to a person: a full hour of their own time zone."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="digest_hour",
    )
    hour = models.PositiveSmallIntegerField(default=MORNING)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__lt=24), name="digest_hour_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.hour}:00"

    @classmethod
    def of(cls, person: User) -> int:
        hour = cls.objects.filter(person=person).values_list("hour", flat=True).first()
        return MORNING if hour is None else hour

    @classmethod
    def set(cls, person: User, hour: int) -> bool:
        """Whether it is another one than before. The person is locked."""
        if cls.of(person) == hour:
            return False
        cls.objects.update_or_create(person=person, defaults={"hour": hour})
        waiting = Delivery.objects.awaiting_summary().filter(notification__recipient=person)
        # Mail goes by real time, whatever the demo's clock says.
        waiting.update(due_at=next_summary(timezone.now(), person.zone, hour))
        return True


def _store(table: Any, choices: Choices, **owner: Any) -> dict[str, str]:
    """Write what differs from what is stored. Returns that in words, for the record."""
    stored = {row.key: row for row in table.objects.filter(**owner)}
    changed: dict[str, str] = {}
    for key, manner in choices.items():
        row = stored.get(key)
        if (row.manner if row else None) == manner:
            continue
        if row and manner is None:
            row.delete()
        elif row:
            row.manner = manner
            row.save(update_fields=["manner"])
        else:
            category, channel = key
            table.objects.create(category=category, channel=channel, manner=manner, **owner)
        changed[f"{Category(key[0]).label}, {Channel(key[1]).label}"] = _named(manner)
    return changed


def _named(manner: str | None) -> str:
    return Manner(manner).label if manner else "As suggested"


def next_summary(after: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """The first full `hour` of a day in `zone` that is later than `after`."""
    today = after.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in (0, 1))
    moments = [datetime.combine(day, time(hour), zone) for day in days]
    return next(moment for moment in moments if moment > after)
