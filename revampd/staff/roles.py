"""What each role of Revampd's staff may see and do: the groups of the admin, as one table.

`manage.py migrate` writes it into the database, so that code and groups never differ. A person may
have several roles. Nobody has to be a superuser for daily work.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

APPS = ("connections", "notifications", "tickets", "billing", "payouts", "revampd")


@dataclass(frozen=True)
class Role:
    """`sees` and `acts` name models, or a whole app by `app.*`; `may` names single permissions.

    Whoever acts on a model calls its verbs. Some begin something new, which `may` says.
    """

    name: str
    sees: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    may: tuple[str, ...] = ()

    def permissions(self, known: Iterable[Permission]) -> list[Permission]:
        return [one for one in known if self._has(one)]

    def _has(self, permission: Permission) -> bool:
        app, model = permission.content_type.natural_key()
        verb = permission.codename.removesuffix(f"_{model}")
        named = {f"{app}.{model}", f"{app}.*"}
        if f"{app}.{permission.codename}" in self.may:
            return True
        return (verb == "view" and bool(named & {*self.sees, *self.acts})) or (
            verb == "change" and bool(named & {*self.acts})
        )


PEOPLE = ("organization", "connection", "membership", "user", "event")

SUPPORT = Role(
    "Support",
    sees=(
        *(f"connections.{name}" for name in (*PEOPLE, "viewing", "outbox")),
        *("tickets.*", "notifications.*"),
        *(f"billing.{name}" for name in ("billingrequest", "subscription", "subscriptionitem")),
        *(f"billing.{name}" for name in ("plan", "planversion", "addon", "onetimecharge")),
        *(f"billing.{name}" for name in ("invoice", "invoiceline", "creditnote", "payment")),
        *(f"billing.{name}" for name in ("credit", "creditapplication", "usagerecord", "tieruse")),
        *(f"billing.{name}" for name in ("suborgimport", "suborgimportrow")),
        *(f"payouts.{name}" for name in ("referral", "referrallink", "inquiry")),
    ),
    acts=(
        *("tickets.ticket", "connections.invitation"),
        *("notifications.delivery", "notifications.undeliverable"),
    ),
    may=("connections.view_as",),
)
FINANCE = Role(
    "Finance",
    sees=(*(f"connections.{name}" for name in PEOPLE), "billing.*", "payouts.*"),
    acts=(
        *("billing.invoice", "billing.credit", "billing.adjustment", "billing.gatewayevent"),
        *("billing.billingrun", "billing.bookscheck", "payouts.referrallink"),
    ),
    may=(
        *("billing.add_usagerecord", "billing.add_billingrequest", "billing.add_billingrun"),
        "payouts.add_referralterms",
    ),
)
ADMINISTRATOR = Role(
    "Administrator",
    acts=tuple(f"{app}.*" for app in APPS),
    may=(
        *FINANCE.may,
        *SUPPORT.may,
        *("connections.add_organization", "connections.appoint_staff"),
        *("billing.add_plan", "billing.add_planversion", "billing.add_addon"),
        "billing.add_onetimecharge",
    ),
)
ROLES = (SUPPORT, FINANCE, ADMINISTRATOR)


def set_up(using: str = "default") -> None:
    """Bring the groups of the database in line with the table. Can be run again."""
    ours = Q(content_type__app_label__in=APPS)
    rows = Permission.objects.using(using).filter(ours).select_related("content_type")
    known = list(rows)
    with transaction.atomic(using=using):
        for role in ROLES:
            group, _ = Group.objects.using(using).get_or_create(name=role.name)
            group.permissions.set(role.permissions(known))
