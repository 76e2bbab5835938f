"""How far the demo's clock is to go."""

from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Min
from django.utils.formats import date_format

from billing.forms.fields import Choice
from billing.forms.requests import day_field
from billing.models import Subscription
from connections.models import Connection
from revampd.models import ClockMove

STEPS = (
    ("day", "One day", relativedelta(days=1)),
    ("week", "One week", relativedelta(weeks=1)),
    ("month", "One month", relativedelta(months=1)),
    ("quarter", "Three months", relativedelta(months=3)),
)


class ClockForm(forms.Form):
    """A step from today, or a day. `today` is what the clock shows that is furthest ahead."""

    step = forms.ChoiceField(
        label="How far?",
        required=False,
        widget=forms.RadioSelect({"class": "across"}),
        error_messages={"invalid_choice": "Choose one of these steps."},
    )
    to = day_field(
        label="Or to a day",
        required=False,
        help_text="A day that you enter counts instead of the step above.",
    )

    def __init__(self, connection: Connection | None, now: datetime, data: Any = None) -> None:
        moved = ClockMove.moved(connection)
        self.first, self.today = ClockMove.span_of(moved, now)
        self.last = ClockMove.last_day(now)
        self._days = self._offered(moved)
        initial = next((key for key in ("billing", "month") if key in self._days), "")
        super().__init__(data, initial={"step": initial})
        self.fields["step"].choices = [  # type: ignore[attr-defined]
            (key, Choice(label, date_format(day, "D, j M Y")))
            for key, (label, day) in self._days.items()
        ]
        tomorrow = self.today + relativedelta(days=1)
        self.fields["to"].widget.attrs |= {"min": str(tomorrow), "max": str(self.last)}

    def _offered(self, moved: Any) -> dict[str, tuple[str, date]]:
        """The steps with the days that they lead to, the nearest first."""
        days = {key: (label, self.today + step) for key, label, step in STEPS}
        if billing := self._next_billing_day(moved):
            days["billing"] = ("To the next billing day", billing)
        near = [(key, entry) for key, entry in days.items() if entry[1] <= self.last]
        return dict(sorted(near, key=lambda entry: entry[1][1]))

    def _next_billing_day(self, moved: Any) -> date | None:
        coming = Subscription.objects.live().filter(connection__in=moved)
        later = coming.filter(next_invoice_date__gt=self.today)
        day: date | None = later.aggregate(day=Min("next_invoice_date"))["day"]
        return day

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not self.errors and not given["to"] and not given["step"]:
            self.add_error("to", "Choose a step or enter a day.")
        return given

    @property
    def day(self) -> date:
        """The day that the valid form asks for."""
        to: date | None = self.cleaned_data["to"]
        return to or self._days[self.cleaned_data["step"]][1]
