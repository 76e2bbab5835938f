"""Money: integer minor units and a currency. Never floats; never added across currencies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol
from django import forms
from django.core.exceptions import ValidationError
from django.db import models

DEFAULT_CURRENCY = "USD"
LOCALE = "en_US"


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met."""


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """An amount of `minor` units (cents) of `currency` (ISO 4217)."""

    minor: int
    currency: str = DEFAULT_CURRENCY

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return _formatted(self.minor, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor

    @property
    def decimal(self) -> str:
        """The bare number as people type it: `1250.00`."""
        return decimal_text(self.minor, self.currency)


def total(amounts: Iterable[Money], currency: str = DEFAULT_CURRENCY) -> Money:
    """The sum of `amounts`, zero of `currency` if there are none."""
    return sum(amounts, Money(0, currency))


def by_currency(currency: str) -> tuple[bool, str]:
    """The key that sorts currencies wherever several stand side by side: US dollars first."""
    return currency != DEFAULT_CURRENCY, currency


def in_order(amounts: Iterable[Money]) -> list[Money]:
    """`amounts`, each of its own currency, as they stand side by side."""
    return sorted(amounts, key=lambda money: by_currency(money.currency))


@lru_cache(maxsize=4096)
def _formatted(minor: int, currency: str) -> str:
    amount = Decimal(minor).scaleb(-precision(currency))
    return format_currency(amount, currency, locale=LOCALE).replace("-", "\N{MINUS SIGN}")


@lru_cache
def precision(currency: str) -> int:
    """How many digits of minor units `currency` has: USD 2, JPY 0."""
    return get_currency_precision(currency)


@lru_cache
def symbol(currency: str) -> str:
    """What stands before an amount: USD $."""
    return str(get_currency_symbol(currency, locale=LOCALE))


def decimal_text(minor: int, currency: str) -> str:
    """Minor units as a plain decimal number: 4999 USD is `49.99`."""
    return str(Decimal(minor).scaleb(-precision(currency)))


# No exponent, underscore, sign or non-ASCII digit, all of which Decimal() would accept.
_TYPED = re.compile(r"(?P<whole>[0-9]{1,9})(?:\.(?P<fraction>[0-9]+))?", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)


def parse_minor(text: str, currency: str = DEFAULT_CURRENCY) -> int:
    """What a person typed, in minor units. Raises ValueError with a sentence for the person."""
    typed = text.strip().removeprefix(get_currency_symbol(currency, locale=LOCALE)).strip()
    if _GROUPED.fullmatch(typed):
        typed = typed.replace(",", "")
    match = _TYPED.fullmatch(typed)
    if not match:
        raise ValueError("Enter an amount like 49 or 49.99, without a sign or letters.")
    digits = precision(currency)
    fraction = match["fraction"] or ""
    if fraction and not digits:
        raise ValueError("Enter a whole amount, without a point.")
    if len(fraction) > digits:
        raise ValueError(f"Enter at most {digits} digits after the point.")
    return int(match["whole"] + fraction.ljust(digits, "0"))


def typed_minor(text: str, currency: str = DEFAULT_CURRENCY) -> int | None:
    """What a person typed, in minor units, if it can be read as an amount: 149, 149.00, $149."""
    try:
        return parse_minor(text, currency)
    except ValueError:
        return None


class MoneyInput(forms.TextInput):
    """A decimal text input for minor units; keeps what was typed when it cannot be read."""

    template_name = "django/forms/widgets/money.html"

    def __init__(self, currency: str = DEFAULT_CURRENCY, attrs: dict[str, Any] | None = None):
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})
        self.currency = currency

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, int):
            return decimal_text(value, self.currency)
        return None if value is None else str(value)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["symbol"] = get_currency_symbol(self.currency, locale=LOCALE)
        return context


class MoneyFormField(forms.Field):
    """People type decimals, the field cleans to integer minor units."""

    widget = MoneyInput

    def __init__(
        self,
        *,
        currency: str = DEFAULT_CURRENCY,
        min_minor: int = 0,
        max_minor: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("widget", MoneyInput(currency))
        super().__init__(**kwargs)
        self.currency, self.min_minor, self.max_minor = currency, min_minor, max_minor

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if isinstance(value, int):
            return value
        try:
            return parse_minor(str(value), self.currency)
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from error

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is None:
            return
        if value < self.min_minor:
            least = Money(self.min_minor, self.currency)
            raise ValidationError(f"Enter at least {least}.", code="min_value")
        if self.max_minor is not None and value > self.max_minor:
            most = Money(self.max_minor, self.currency)
            raise ValidationError(f"Enter at most {most}.", code="max_value")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class MinorUnitsField(models.BigIntegerField):  # type: ignore[type-arg]
    """An amount of money in minor units; the currency stands in a column beside it.

    Its form field takes decimals, so that people never see minor units, in the admin neither.
    """

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.pop("widget", None)
        return models.Field.formfield(self, form_class=MoneyFormField, **kwargs)


class CurrencyField(models.CharField):  # type: ignore[type-arg]
    """An ISO 4217 code beside the amounts of a row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("default", DEFAULT_CURRENCY)
        super().__init__(*args, **kwargs)
