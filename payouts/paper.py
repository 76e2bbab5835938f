"""What stands on the statement of a payout: every earning with the approvals behind it.

A payout never changes but by its settlements, so a statement says as of which moment it is.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate, chain
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.formats import date_format

from billing.models import InvoiceLine
from billing.paper import party
from revampd.kit.money import precision, symbol

from .documents.content import Amount, Approval, Row, StatementContent
from .models import Earning, Payout

# Earnings of one file: what rendering takes of memory grows with them, some 200 MiB
# for these.
PART = 500
NOTE = (
    "Gross is what a card paid, or what went back. The fee is that of the tier which was approved "
    "when it was paid. Each approval leads to the request and its sealed terms."
)
TONES = {Payout.State.AVAILABLE: "warn", Payout.State.SETTLED: "good"}

Sums = tuple[int, int, int, int]


def parts_of(payout: Payout, as_of: datetime) -> Iterator[StatementContent]:
    """The statement as of that moment, in parts of so many earnings; at least one."""
    keys = list(Earning.objects.filter(payout=payout).oldest_first().values_list("pk", flat=True))
    parts = [keys[first : first + PART] for first in range(0, len(keys), PART)] or [[]]
    before: Sums = (0, 0, 0, 0)
    for number, part in enumerate(parts, start=1):
        rows = list(_rows(part))
        sums = tuple(accumulate(map(_amounts, rows), _plus, initial=before))
        yield _part(payout, as_of, rows, sums, number, len(parts))
        before = sums[-1]


def _rows(part: Sequence[UUID]) -> Iterator[Earning]:
    lines = InvoiceLine.objects.select_related("request__decided_by").order_by("position")
    approved = Prefetch("payment__invoice__lines", queryset=lines)
    rows = Earning.objects.filter(pk__in=part).with_documents().oldest_first()
    return iter(rows.prefetch_related(approved))


def _amounts(earning: Earning) -> Sums:
    return earning.gross, earning.fee, earning.affiliate, earning.net


def _plus(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _part(
    payout: Payout,
    as_of: datetime,
    rows: list[Earning],
    sums: tuple[Sums, ...],
    number: int,
    parts: int,
) -> StatementContent:
    connection = payout.connection
    part = f", part {number} of {parts}" if parts > 1 else ""
    state = Payout.State(payout.state)
    return StatementContent(
        title="Payout statement",
        code=payout.week[0].upper() + payout.week[1:] + part,
        status=str(state.label),
        tone=TONES.get(state, "plain"),
        issued_at=as_of,
        period=f"{_day(payout.period_start)} – {_day(payout.last_day)}",
        closed=_day(connection.day_of(payout.closed_at)),
        as_of=_day(connection.day_of(as_of)),
        provider=party(connection.provider.party_details),
        customer=party(connection.customer.party_details),
        amount=str(payout.total),
        settlement=". ".join(_settlements(payout)),
        receipt=tuple(chain(_receipt(payout), _went(payout))),
        rest=Amount("Available", str(payout.available)),
        rows=tuple(_row(payout, earning) for earning in rows),
        sums=sums,
        is_last=number == parts,
        symbol=symbol(payout.currency),
        digits=precision(payout.currency),
        notes=NOTE,
    )


def _receipt(payout: Payout) -> Iterator[Amount]:
    yield Amount("Collected, less what went back", str(payout.gross_money))
    yield Amount("Transaction fee", str(-payout.fee_money))
    if payout.affiliate:
        yield Amount("Affiliate share", str(-payout.affiliate_money))
    if payout.carries:
        yield Amount(f"Carried over from the {payout.carries.week}", str(payout.carried_money))


def _went(payout: Payout) -> Iterator[Amount]:
    if payout.credited:
        yield Amount("To the wallet", str(-payout.credited_money))
    if payout.banked:
        yield Amount("To the bank", str(-payout.banked_money))
    if payout.amount < 0:
        later = getattr(payout, "carried_into", None)
        into = f"the {later.week}" if later else "the next payout"
        yield Amount(f"Carried into {into}", str(-payout.total))


def _settlements(payout: Payout) -> Iterator[str]:
    """What was settled, when and by whom, with what became of each bank transfer."""
    rows = payout.settlements.select_related("settled_by", "bank_transfer__account")
    for row in rows.order_by("settled_at", "pk"):
        day = _day(payout.connection.day_of(row.settled_at))
        who = row.settled_by or "the standing preference"
        sent = f" ({row.sent.account}: {row.sent.get_state_display().lower()})" if row.sent else ""
        yield f"{day}: {row.in_words}{sent}, settled by {who}"


def _row(payout: Payout, earning: Earning) -> Row:
    invoice = earning.payment.invoice
    return Row(
        sub_org=earning.connection.customer.name,
        what=f"{earning.kind} of " if earning.reverses_id else "",
        invoice=invoice.code,
        url=_page("billing:invoice", earning.connection_id, invoice.number),
        day=f", {_day(earning.earned_on)}",
        approvals=tuple(_approvals(payout, earning)),
        gross=str(earning.gross_money),
        fee=str(earning.fee_money),
        rate=earning.fee_percent,
        affiliate=str(earning.affiliate_money),
        net=str(earning.net_money),
    )


def _approvals(payout: Payout, earning: Earning) -> Iterator[Approval]:
    """Each request behind the invoice, once, and the one behind the fee."""
    requests = {line.request_id: line.request for line in earning.payment.invoice.lines.all()}
    for asked in requests.values():
        day = _day(payout.connection.day_of(asked.decided_at or asked.proposed_at))
        text = f"{asked.item_name}: {asked.reference}, approved by {asked.decided_by} on {day}"
        yield Approval(text, _page("billing:request", asked.connection_id, asked.pk))
    if earning.authority:
        text = f"Fee of {earning.authority.item_name}: {earning.authority.reference}"
        yield Approval(text, _page("billing:request", payout.connection_id, earning.authority_id))


def _page(name: str, *args: object) -> str:
    return f"{settings.BASE_URL}{reverse(name, args=args)}"


def _day(day: object) -> str:
    return date_format(day, "j M Y")  # type: ignore[arg-type]
