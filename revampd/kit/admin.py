"""What the admin pages of all apps share: tables that only grow, and verbs as actions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from revampd.kit.errors import DomainError

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin


@dataclass(frozen=True)
class Waiting:
    """Rows that somebody of the staff has to look at, and since when each of them waits.

    The start page counts them and links to the list that `WaitingFilter` makes of the same rows.
    """

    label: str
    since: str
    rows: Callable[[models.QuerySet[Any]], models.QuerySet[Any]]


class WaitingFilter(admin.SimpleListFilter):
    """What needs attention, as the page's own `waiting` lists it by name."""

    title = "needs attention"
    parameter_name = "waiting"

    def lookups(
        self, _request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._waiting: dict[str, Waiting] = model_admin.waiting  # type: ignore[attr-defined]
        return [(name, waiting.label) for name, waiting in self._waiting.items()]

    def queryset(self, _request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        chosen = self._waiting.get(self.value() or "")
        return chosen.rows(rows) if chosen else rows


class ReadOnlyAdmin(AnyModelAdmin):
    """Shows and searches rows that nobody may add, change or delete by hand.

    For tables that only grow, and for those whose rows only verbs change: what staff may do with
    them are actions that call the verb (`call_verb`), declared with `permissions=["verb"]`.
    """

    show_full_result_count = False
    waiting: dict[str, Waiting] = {}

    def get_fields(self, _request: HttpRequest, _row: models.Model | None = None) -> list[Any]:
        """Every column; files are not shown."""
        columns = [f for f in self.opts.fields if not isinstance(f, models.BinaryField)]
        return [field.name for field in columns]

    def get_readonly_fields(self, request: HttpRequest, row: models.Model | None = None) -> Any:
        return self.get_fields(request, row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, title | (extra_context or {}))

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
