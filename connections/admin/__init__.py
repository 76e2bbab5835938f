"""People, organizations, invitations and what happened, for staff.

What staff change of it goes through the verbs that pages call too, with the same events.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from . import connections, happened, organizations, people

__all__ = ["connections", "happened", "organizations", "people"]

# allauth's sign-in has the rate limits and the second factor; the admin's own has neither.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.index_title = "Today"
