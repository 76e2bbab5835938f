"""What a provider types into its catalog. The limits are the platform's, explained and enforced."""

from typing import Any

from django import forms

from billing.models import AddOn, OneTimeCharge, Plan, PriceLimits
from billing.pricing import Interval
from connections.models import Organization
from revampd.kit.money import DEFAULT_CURRENCY, Money, MoneyFormField

from .fields import Choice, PercentField, WholeNumberField

MOST = 1_000_000

TIER_LIMITS = {
    "max_sub_orgs": "Sub-Orgs",
    "max_campaigns": "Campaigns",
    "max_workflows": "Workflows",
}
INTERVALS = [
    (Interval.MONTH, Choice("Each month", "Billed monthly from the day it starts")),
    (Interval.YEAR, Choice("Each year", "Billed yearly from the day it starts")),
]


class CatalogForm(forms.Form):
    """A form of `provider`'s catalog. Revampd's own prices are not limited.

    `act` stands on its button.
    """

    act = "Save"

    def __init__(self, provider: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        self.currency = DEFAULT_CURRENCY
        self.limits = None if provider.is_platform else PriceLimits.of(self.currency)

    def price(self, label: str, limit: str, unit: str = "", **kwargs: Any) -> MoneyFormField:
        """A price field that says its limit and keeps it."""
        most = self.limits.money(limit) if self.limits else None
        return MoneyFormField(
            label=label,
            currency=self.currency,
            max_minor=most.minor if most else None,
            help_text=f"At most {most}{unit}." if most else "",
            **kwargs,
        )

    @property
    def least(self) -> Money | None:
        """What a plan must come to, base price and both fees together."""
        return self.limits.money("min_plan_total") if self.limits else None

    def refuse_price(self) -> None:
        """The database refused a price that this form allowed: staff changed the limits."""
        field = "unit_price" if "unit_price" in self.fields else "base_price"
        self.add_error(
            field, "The platform's limits have changed meanwhile. Reload the page to see them."
        )


class DescriptionForm(CatalogForm):
    """What an item is called; both sides read it."""

    name = forms.CharField(max_length=80, help_text="As it stands on requests and invoices.")
    description = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="What the customer gets. It is part of the terms that they approve.",
    )


class VersionForm(CatalogForm):
    """The prices of a plan version."""

    act = "Publish"
    side_by_side = ("base_price", "booking_fee", "transfer_fee", *TIER_LIMITS)

    interval = forms.ChoiceField(
        label="Billed", choices=INTERVALS, initial=Interval.MONTH, widget=forms.RadioSelect
    )

    def __init__(self, provider: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(provider, *args, **kwargs)
        self.fields["interval"].widget.attrs["class"] = "across"
        self.fields["base_price"] = self.price("Base price", "max_base_price", " an interval")
        for name, what in (("booking_fee", "booking"), ("transfer_fee", "transfer")):
            self.fields[name] = self.price(f"Fee for each {what}", "max_usage_fee", required=False)
        if self.provider.is_platform:
            self.fields |= self._tier_fields()

    @staticmethod
    def _tier_fields() -> dict[str, forms.Field]:
        return {
            "transaction_fee": PercentField(
                label="Transaction fee in percent",
                required=False,
                help_text="Of what a Partner's customers pay. For tiers.",
            )
        } | {
            name: WholeNumberField(
                label=f"Most {label}", required=False, max_value=MOST, help_text="Empty: unlimited."
            )
            for name, label in TIER_LIMITS.items()
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        prices = [
            cleaned.get("base_price"),
            cleaned.get("booking_fee"),
            cleaned.get("transfer_fee"),
        ]
        # Only what could be read adds up to anything; the rest has its own error already.
        if self.limits and not self.errors:
            sum_of_all = Money(sum(price or 0 for price in prices), self.currency)
            if sum_of_all < self.limits.money("min_plan_total"):
                self.add_error(
                    "base_price",
                    f"Base price and both fees together must come to at least {self.least}; "
                    f"these come to {sum_of_all}.",
                )
        return cleaned

    def version(self) -> dict[str, Any]:
        """What `Plan.publish` takes."""
        names = {"interval", "base_price", "transaction_fee", *TIER_LIMITS}
        given = {name: self.cleaned_data[name] for name in names & set(self.cleaned_data)}
        fees = {name: self.cleaned_data[name] or 0 for name in ("booking_fee", "transfer_fee")}
        return given | fees | {"currency": self.currency}


class NewPlanForm(VersionForm, DescriptionForm):
    """A new plan with its first version."""

    act = "Put on sale"

    field_order = ("name", "description", "interval", "base_price")


class ExtraForm(DescriptionForm):
    """An add-on or a one-time charge: a name and one price."""

    LIMITS = {AddOn: ("Price a month", "max_add_on"), OneTimeCharge: ("Price", "max_one_time")}

    def __init__(
        self,
        provider: Organization,
        model: type[AddOn] | type[OneTimeCharge],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(provider, *args, **kwargs)
        label, limit = self.LIMITS[model]
        unit = " for one; a request says how many" if model is AddOn else ""
        self.fields["unit_price"] = self.price(label, limit, unit, min_minor=1)


def details_of(item: Plan | AddOn | OneTimeCharge) -> dict[str, Any]:
    """The initial values of a form that changes `item`."""
    details = {"name": item.name, "description": item.description}
    return details if isinstance(item, Plan) else details | {"unit_price": item.unit_price}
