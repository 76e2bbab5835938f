"""A person, who signs in by e-mail and may belong to several organizations."""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from connections import events
from revampd.kit.errors import NotAllowed
from revampd.kit.prepared import prepared
from revampd.kit.search import vector

if TYPE_CHECKING:
    from .memberships import Membership


def validate_time_zone(name: str) -> None:
    """Raises ValidationError unless `name` is in the time zone database."""
    if name not in available_timezones():
        raise ValidationError("Choose a time zone from the list.", code="time_zone")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


CALLED = vector("name", "email")


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What they may do follows from their memberships, not from this row."""

    email = models.EmailField("e-mail", max_length=254, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("Revampd staff", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        permissions = [("appoint_staff", "Can say who is staff, in which roles")]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
        ]
        indexes = [GinIndex(CALLED, name="user_words")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]

    @transaction.atomic
    def change_profile(self, *, name: str, time_zone: str) -> None:
        """Change one's own name and time zone; every organization of the person hears it."""
        after = {"name": name, "time_zone": time_zone}
        before = {field: getattr(self, field) for field in after}
        changed = [field for field in after if before[field] != after[field]]
        if not changed:
            return
        self.name, self.time_zone = name, time_zone
        self.save(update_fields=changed)
        for membership in self.belongs_to:
            events.person_changed.record(
                self,
                by=self,
                organization=membership.organization,
                before={field: before[field] for field in changed},
                after={field: after[field] for field in changed},
            )

    @transaction.atomic
    def change_account(self, *, by: "User", **given: Any) -> None:
        """Open or close the account, and say what the person is at Revampd, `groups` included.

        Raises NotAllowed to oneself, and to everybody but a superuser if the person is one.
        """
        self.require_keeper(by)
        person = type(self).objects.select_for_update().get(pk=self.pk)
        groups = given.pop("groups", None)
        after = dict(given)
        before: dict[str, Any] = {field: getattr(person, field) for field in given}
        if groups is not None:
            before["groups"] = _names(person.groups.all())
            after["groups"] = _names(groups)
            person.groups.set(groups)
        for field, value in given.items():
            setattr(person, field, value)
            setattr(self, field, value)
        person.save(update_fields=list(given))
        changed = [field for field in after if before[field] != after[field]]
        if changed:
            events.account_changed.record(
                self,
                by=by,
                organization=apps.get_model("connections.Organization").objects.platform(),
                person=self.name,
                before={field: before[field] for field in changed},
                after={field: after[field] for field in changed},
            )

    def require_keeper(self, by: "User") -> None:
        """Raises NotAllowed unless `by` may change this account in the admin."""
        if by == self and not by.is_superuser:
            raise NotAllowed("Somebody else has to change your own account.")
        if self.is_superuser and not by.is_superuser:
            raise NotAllowed(f"Only a superuser changes the account of {self}, who is one.")

    @cached_property
    def belongs_to(self) -> "list[Membership]":
        """Their memberships with the organizations, read once a request."""
        rows = memberships_of(self.pk)
        for membership in rows:
            membership.user = self
        return sorted(rows, key=lambda m: (m.organization.kind, m.organization.name.lower()))

    @property
    def organizations(self) -> list[UUID]:
        """The ids of the organizations that they belong to."""
        return [membership.organization_id for membership in self.belongs_to]

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.email]
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def _names(groups: Any) -> str:
    return ", ".join(sorted(group.name for group in groups))


@prepared
def memberships_of(user: Any) -> "models.QuerySet[Membership]":
    # Memberships point at people, so they are found by name.
    memberships = apps.get_model("connections.Membership").objects
    return memberships.filter(user=user).select_related("organization")
