"""Opens pages as people of a demo, in a process of its own: `python pages.py`.

It runs with the code of another commit as well, so it asks for little: addresses and models that
stay. Prints how many pages answered.
"""

import django

django.setup()

from django.test import Client  # noqa: E402

from connections.models import Connection, User  # noqa: E402

SIDES = ("PARTNER", "SUB_ORG")
OF_EVERYBODY = ("/", "/notifications/", "/search/?q=invoice")
OF_A_CONNECTION = ("", "plan/", "invoices/", "wallet/", "requests/", "tickets/")


def main() -> int:
    answered = 0
    for side in SIDES:
        members = User.objects.filter(memberships__organization__kind=side, is_staff=False)
        for user in members.order_by("email").distinct()[:3]:
            answered += opened(user, pages_of(user))
    for user in User.objects.filter(is_staff=True).order_by("email")[:2]:
        answered += opened(user, ["/admin/"])
    return answered


def pages_of(user: User) -> list[str]:
    organizations = [membership.organization_id for membership in user.memberships.all()]
    bought = Connection.objects.filter(customer__in=organizations).order_by("pk")
    sold = Connection.objects.filter(provider__in=organizations).order_by("pk")
    own = [*bought[:1], *sold[:1]]
    return [
        *OF_EVERYBODY,
        *(f"/connections/{row.pk}/{page}" for row in own for page in OF_A_CONNECTION),
    ]


def opened(user: User, pages: list[str]) -> int:
    client = Client()
    client.force_login(user, backend="connections.backends.Backend")
    for page in pages:
        answer = client.get(page, follow=True)
        assert answer.status_code == 200, (user.email, page, answer.status_code)
    return len(pages)


print(main())  # noqa: T201
