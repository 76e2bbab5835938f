"""Fields that take what people type literally: no signs, exponents or foreign digits."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from revampd.kit.money import decimal_text, parse_minor

PERCENT_DIGITS = "USD"  # Two digits after the point, as dollars have.

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """What a radio card says: a name, a detail below it, and a price."""

    name: str
    detail: str = ""
    price: str = ""

    def __str__(self) -> str:
        return self.name


class WholeNumberField(forms.IntegerField):
    """A number of things. Python's int() would also take "1_000" and the digits of any script."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values or isinstance(value, int):
            return super().to_python(value)
        if not _WHOLE.fullmatch(str(value).strip()):
            raise ValidationError("Enter a whole number, like 5.", code="invalid")
        return super().to_python(str(value).strip())


class PercentField(forms.Field):
    """People type percent with at most two decimals; it cleans to hundredths of a percent."""

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values or isinstance(value, int):
            return value if isinstance(value, int) else None
        try:
            return parse_minor(str(value).strip().removesuffix("%"), PERCENT_DIGITS)
        except ValueError as error:
            raise ValidationError("Enter a percentage like 2.5.", code="invalid") from error

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is not None and value > 100_00:
            raise ValidationError("Enter at most 100 percent.", code="max_value")

    def prepare_value(self, value: Any) -> Any:
        return decimal_text(value, PERCENT_DIGITS) if isinstance(value, int) else value
