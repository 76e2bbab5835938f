"""What the admin pages of all apps share: tables that only grow, and verbs as actions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest

from revampd.kit.errors import DomainError

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyModelAdmin):
    """Shows and searches rows that nobody may add, change or delete by hand.

    For tables that only grow, and for those whose rows only verbs change: what staff may do with
    them are actions that call the verb (`call_verb`), declared with `permissions=["verb"]`.
    """

    show_full_result_count = False

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_verb_permission(self, request: HttpRequest) -> bool:
        """Who may call verbs through actions: whoever may change the model."""
        codename = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")


def call_verb(
    request: HttpRequest, rows: models.QuerySet[M], verb: Callable[[M], object], done: str
) -> None:
    """Call `verb` with each of `rows`, and tell staff how that went.

    `done` says what happened, with {} for the number of rows. A row that refuses says why, and
    does not keep the others from being done.
    """
    count = 0
    for row in rows:
        try:
            verb(row)
        except DomainError as refusal:
            messages.error(request, f"{row}: {refusal}")
        else:
            count += 1
    if count:
        messages.success(request, done.format(count))
