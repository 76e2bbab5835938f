"""Collecting what is owed: the wallet first, then the payment method, then patience and its end.

Nothing here holds a lock or a transaction while a gateway is asked. An attempt is committed before
the call, and its outcome after it; whatever dies in between leaves an attempt that `reconcile`
looks up, or sends again under the same key.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from connections.clocks import own_day
from connections.models import Connection, User

from .gateways import gateway
from .gateways.base import (
    Decline,
    Gateway,
    GatewayError,
    KeyReused,
    NotSetUp,
    Outcome,
    Refused,
    State,
    Unanswered,
)
from .models import Invoice, Payment, PaymentMethod, Refund
from .models.invoices import grace
from .models.payments import MethodRemoved, NothingOwed, PaymentUnderWay

# How long an attempt may stay unanswered before it is asked about, on the real clock.
PATIENCE = timedelta(minutes=1)

log = logging.getLogger(__name__)


def pay(
    invoice: Invoice,
    method: PaymentMethod,
    *,
    cause: Payment.Cause,
    at: datetime,
    by: User | None = None,
) -> Payment:
    """Try to collect what is owed of `invoice`, now. The payment says what came of it.

    Raises NothingOwed (also when the wallet has just paid it), PaymentUnderWay, MethodRemoved.
    """
    payment = Payment.begin(invoice, method, cause=cause, by=by, at=at)
    _charge(payment, at)
    return payment


def _charge(payment: Payment, at: datetime) -> None:
    """Ask the gateway, and book its answer; without one the payment stays as it is."""
    try:
        outcome = _gateway_of(payment, at).charge(payment.order)
    except Unanswered:
        return
    except (Refused, KeyReused, NotSetUp) as refusal:
        log.error("Payment %s was refused: %s", payment.pk, refusal)
        outcome = _refused(refusal.sentence)
    payment.settle(outcome, at=at)


def _gateway_of(payment: Payment, at: datetime) -> Gateway:
    """The gateway that keeps the method. Raises Refused if the site has changed to another."""
    present = gateway(at)
    if present.name != payment.method.gateway:
        raise Refused(f"{payment.method} is kept by another payment service. Add it again.")
    return present


def _refused(sentence: str) -> Outcome:
    """Nothing was done, so nothing can still come of it."""
    return Outcome(State.FAILED, "", Decline("refused", sentence, is_hard=False))


# What is due


def collect_due(*, at: datetime) -> int:
    """Take the next step with every invoice whose day has come at real time `at`, on the clock of
    its connection. Returns with how many.
    """
    latest, own = Connection.objects.latest_day(at), own_day("connection", at)
    due = Invoice.objects.to_collect(latest).to_collect(own).order_by("collect_on", "id")
    return sum(
        collect(invoice, at=invoice.connection.own_time(at))
        for invoice in due.iterator(chunk_size=200)
    )


def collect(invoice: Invoice, *, at: datetime) -> bool:
    """The next step with one invoice: pay it, call it past due, or suspend the connection.

    False if its day has not come, or somebody else just did it.
    """
    try:
        with transaction.atomic():
            invoice.hold()
            today = invoice.connection.day_of(at)
            if not invoice.collect_on or invoice.collect_on > today:
                return False
            payment = _step(invoice, at)
    except (NothingOwed, PaymentUnderWay, MethodRemoved):
        return False
    if payment:
        _charge(payment, at)
    return True


def _cause(invoice: Invoice) -> Payment.Cause:
    if invoice.attempts:
        return Payment.Cause.RETRY
    # Past due and not tried yet: there is a method that was not there before.
    return Payment.Cause.METHOD if invoice.past_due_on else Payment.Cause.ISSUE


def _step(invoice: Invoice, at: datetime) -> Payment | None:
    today = invoice.connection.day_of(at)
    if invoice.past_due_on and today >= invoice.past_due_on + grace():
        invoice.give_up(at=at)
        return None
    method = invoice.connection.payment_methods.default()
    if method and not invoice.is_stuck:
        return Payment.begin(invoice, method, cause=_cause(invoice), at=at)
    invoice.wait(at=at)
    return None


# What is not known yet


def reconcile(*, at: datetime) -> int:
    """Ask about every payment whose outcome is unknown. Returns how many were settled."""
    silent_since = timezone.now() - PATIENCE
    waiting = Payment.objects.unsettled().filter(asked_at__lt=silent_since)
    rows = waiting.select_related("method", "connection", "invoice__connection")
    return sum(resolve(row, at=row.connection.own_time(at)) for row in rows.iterator())


def resolve(payment: Payment, *, at: datetime) -> bool:
    """Look one payment up; one that the gateway never heard of is sent under the same key.

    True if it is settled now.
    """
    payment.ask_again()
    try:
        outcome = _gateway_of(payment, at).look_up(payment.order, payment.reference)
    except GatewayError:
        return False
    if outcome is None:
        _charge(payment, at)
    else:
        payment.settle(outcome, at=at)
    return payment.is_settled


def settle_refunds(*, at: datetime) -> int:
    """Send every refund that is owed, and ask about those without an answer."""
    waiting = Refund.objects.unsettled().select_related("payment__method", "connection")
    return sum(
        refund_now(refund, at=refund.connection.own_time(at))
        for refund in waiting.order_by("begun_at").iterator()
    )


def refund_now(refund: Refund, *, at: datetime) -> bool:
    """Send one refund under its key, or learn what became of it. True if it is settled now."""
    refund.ask_again()
    try:
        outcome = _refund_outcome(_gateway_of(refund.payment, at), refund)
    except Unanswered:
        return False
    except (Refused, KeyReused, NotSetUp) as refusal:
        log.error("Refund %s was refused: %s", refund.pk, refusal)
        outcome = _refused(refusal.sentence)
    refund.settle(outcome, at=at)
    return refund.state != Refund.State.INTENT


def _refund_outcome(gateway: Gateway, refund: Refund) -> Outcome:
    known = gateway.look_up_refund(refund.order, refund.reference)
    return known or gateway.refund(refund.order)
