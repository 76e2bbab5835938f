"""Every URL of the admin, and which role it is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse

from tests.staff.duties import ADDS, CHANGES, LETTERS, PAGES, seers


@dataclass(frozen=True)
class Address:
    """A page of the admin: whose it is, and of which kind."""

    label: str
    kind: str  # list, add, change, delete, history, or the name of a page of ours
    path: str

    def allows(self, role: str, *, post: bool) -> bool:
        letter = LETTERS[role]
        if self.kind in PAGES:
            return letter in PAGES[self.kind]
        if self.kind == "add":
            return letter in ADDS.get(self.label, "")
        if self.kind == "delete":
            return False
        if post and self.kind == "change":
            return letter in CHANGES.get(self.label, "")
        return letter in seers(self.label)


def addresses(arguments: dict[str, Any]) -> Iterator[Address]:
    """Every URL of the admin, with a row of each model; `arguments` stand in those of our own."""
    for model, own in admin.site._registry.items():
        label, stem = model._meta.label_lower, f"{own.opts.app_label}_{own.opts.model_name}"
        row = model._base_manager.first()
        assert row, f"there is no {label} whose pages could be asked for"
        for pattern in own.get_urls():
            if not pattern.name:
                continue  # the address of rows in old versions of Django, which leads elsewhere
            kind = pattern.name.removeprefix(f"{stem}_").replace("changelist", "list")
            given = arguments | {"object_id": quote(row.pk)}
            filled = [given[name] for name in pattern.pattern.converters]
            yield Address(label, kind, reverse(f"admin:{pattern.name}", args=filled))
