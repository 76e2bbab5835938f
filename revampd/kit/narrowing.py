"""How lists narrow down and sort, all of it in the address: what the filters of all apps share."""

from functools import lru_cache
from typing import Any, ClassVar, cast

import django_filters as filters
from django.db.models import Model, QuerySet
from django.http import QueryDict

# Pairs of names and values, which a prepared query takes for its shape.
Chosen = tuple[tuple[str, str], ...]


class StableOrdering(filters.OrderingFilter):
    """Sorts by what was asked for and then by `ties`, so that no row is on two pages."""

    def __init__(self, *args: Any, tie: str | tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ties = (tie,) if isinstance(tie, str) else tie

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        asked = [self.get_ordering_value(name) for name in value or []]
        return qs.order_by(*asked, *self.ties)


class Narrowing(filters.FilterSet):
    """Its form asks everybody the same, so it is made once, not for every request."""

    _form_class: ClassVar[Any] = None

    @classmethod
    def chosen(cls, address: QueryDict, model: type[Model]) -> Chosen:
        """What it understands of an address of rows of `model`, by the names of its filters."""
        asked = ((name, address.get(name, "")) for name in cls.base_filters)
        known = tuple((name, value) for name, value in asked if value)
        return _chosen(cast(Any, cls), model, known)

    @classmethod
    def narrow(cls, rows: QuerySet[Any], chosen: Chosen) -> QuerySet[Any]:
        """Those of `rows` that were chosen, in the order that was."""
        narrowed: QuerySet[Any] = cls(dict(chosen), queryset=rows).qs
        return narrowed

    def get_form_class(self) -> Any:
        if self._form_class is None:
            type(self)._form_class = super().get_form_class()
        return self._form_class


@lru_cache(maxsize=1024)
def _chosen(narrowing: Any, model: Any, asked: Chosen) -> Chosen:
    """A choice is the same for everybody, so the form reads it once."""
    form = narrowing(dict(asked), queryset=model.objects.none()).form
    form.is_valid()
    return tuple((name, value) for name, value in asked if form.cleaned_data.get(name))
