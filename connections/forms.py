"""Forms about people and organizations. They validate; the verbs of the models act."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms

from .access import Party
from .models import Membership, Organization, Role, User
from .models.memberships import members_by_name

EMAIL = forms.EmailInput(attrs={"autocomplete": "off"})
BAD_ADDRESS = {"invalid": "Enter an e-mail address like ada@example.com."}


@dataclass(frozen=True)
class RoleLabel:
    """A role on its card: the name, and below it what the role may do."""

    name: str
    detail: str

    def __str__(self) -> str:
        return self.name


def role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="What this person may do",
        choices=[(role.value, RoleLabel(role.label, role.explanation)) for role in Role],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose a role.",
            "invalid_choice": "There is no such role. Choose one of these.",
        },
    )


CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


def time_zone_field(help_text: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=time_zones,
        help_text=help_text,
        error_messages={"invalid_choice": "Choose a time zone from the list."},
    )


def time_zones() -> list[tuple[str, Any]]:
    """UTC, then the places of the world by continent."""
    every = sorted(available_timezones())
    return [
        ("UTC", "UTC"),
        *(
            (
                continent,
                [(zone, _place(zone)) for zone in every if zone.startswith(f"{continent}/")],
            )
            for continent in CONTINENTS
        ),
    ]


def _place(zone: str) -> str:
    return zone.partition("/")[2].replace("_", " ").replace("/", ", ")


def keep_time_zone(form: forms.Form, zone: str) -> None:
    """Offer the present zone too, so that saving the form does not change it unasked."""
    field = cast(forms.ChoiceField, form.fields["time_zone"])
    if not field.valid_value(zone):
        field.choices = [(zone, zone), *time_zones()]


class InviteForm(forms.Form):
    """A colleague's address and role."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=EMAIL, error_messages=BAD_ADDRESS
    )
    role = role_field()


class ResendForm(forms.Form):
    """Where to send an invitation again."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=EMAIL, error_messages=BAD_ADDRESS
    )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = role_field()


class SettingsForm(forms.Form):
    """What an organization is called and where it is; `initial` comes from the organization."""

    name = forms.CharField(max_length=120, help_text="What everybody sees in Revampd.")
    legal_name = forms.CharField(
        max_length=200, required=False, help_text="On invoices, if it differs from the name."
    )
    address = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on invoices from now on. Issued ones keep the address of their day.",
    )
    billing_email = forms.EmailField(
        label="Billing e-mail", max_length=254, required=False, error_messages=BAD_ADDRESS
    )
    tax_number = forms.CharField(max_length=40, required=False)
    time_zone = time_zone_field("Days begin and end by it: due dates, periods, effective dates.")

    @classmethod
    def of(cls, organization: Organization, data: Any = None) -> "SettingsForm":
        initial = {field: getattr(organization, field) for field in cls.base_fields}
        form = cls(data, initial=initial)
        keep_time_zone(form, organization.time_zone)
        return form


class ProfileForm(forms.Form):
    """A person's own name and time zone."""

    name = forms.CharField(
        max_length=120,
        help_text="Others see it beside what you do.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = time_zone_field("Every time you read in Revampd is shown in it.")

    @classmethod
    def of(cls, user: User, data: Any = None) -> "ProfileForm":
        form = cls(data, initial={"name": user.name, "time_zone": user.time_zone})
        keep_time_zone(form, user.time_zone)
        return form


class MemberField(forms.TypedChoiceField):
    """One of some memberships, or nobody. `offer` gives it the memberships to choose from."""

    def offer(self, members: list[Membership]) -> None:
        by_key = {str(member.pk): member for member in members}
        self.choices = [("", "Nobody"), *((key, _named(m)) for key, m in by_key.items())]
        self.coerce = by_key.__getitem__

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, empty_value=None, **options)


def _named(member: Membership) -> str:
    return f"{member.user.name} ({member.role_label})"


class OwnersForm(forms.Form):
    """Who of the provider looks after a customer."""

    NOT_A_MEMBER = {"invalid_choice": "Choose a member of your organization."}

    sales_owner = MemberField(help_text="Answers for what is sold.", error_messages=NOT_A_MEMBER)
    support_owner = MemberField(
        help_text="New tickets go to this person.", error_messages=NOT_A_MEMBER
    )

    def __init__(self, data: Any = None, *, provider: Organization, **options: Any) -> None:
        super().__init__(data, **options)
        offered = members_by_name(provider.pk)
        for field in self._member_fields():
            field.offer(offered)

    @classmethod
    def of(cls, party: Party, data: Any = None) -> "OwnersForm":
        """The form about the party's connection, for its provider."""
        connection = party.connection
        initial = {
            "sales_owner": connection.sales_owner_id,
            "support_owner": connection.support_owner_id,
        }
        return cls(data, provider=connection.provider, initial=initial)

    def _member_fields(self) -> Iterator[MemberField]:
        return (field for field in self.fields.values() if isinstance(field, MemberField))


class InviteSubOrgForm(OwnersForm):
    """A new Sub-Org, its first owner, and who of the Partner looks after it."""

    name = forms.CharField(
        label="Name of the Sub-Org", max_length=120, help_text="It can be changed later by them."
    )
    email = forms.EmailField(
        label="E-mail of its first owner",
        max_length=254,
        widget=EMAIL,
        error_messages=BAD_ADDRESS,
        help_text="This person gets the invitation and decides on everything you propose.",
    )

    field_order = ["name", "email", "sales_owner", "support_owner"]
