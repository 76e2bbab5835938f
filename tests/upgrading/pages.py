"""Opens pages as people of a demo, in a process of its own: `python pages.py`.

It runs with the code of another commit as well, so it asks for little: addresses and models that
stay. Prints how many pages answered.
"""

import django

django.setup()

from django.test import Client  # noqa: E402

from connections.models import Connection, User  # noqa: E402

OF_A_CONNECTION = ("", "plan/", "invoices/", "wallet/", "requests/")


def main() -> int:
    answered = 0
    for user in User.objects.filter(memberships__isnull=False).distinct()[:4]:
        client = Client()
        client.force_login(user, backend="connections.backends.Backend")
        organizations = [membership.organization_id for membership in user.memberships.all()]
        own = Connection.objects.filter(customer__in=organizations)
        pages = ["/", "/notifications/", "/search/?q=invoice"]
        pages += [f"/connections/{row.pk}/{page}" for row in own[:1] for page in OF_A_CONNECTION]
        for page in pages:
            answer = client.get(page, follow=True)
            assert answer.status_code == 200, (page, answer.status_code)
            answered += 1
    return answered


print(main())  # noqa: T201
