"""Collecting what is owed: the wallet first, then the payment method, then patience and its end.

Nothing here holds a lock or a transaction while a gateway is asked: `inquiries.py` says how.
"""

import logging
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from connections.clocks import own_day
from connections.models import Connection, User

from .events import COLLECT_TASK, RECONCILE_TASK
from .gateways import gateway
from .gateways.base import ChargeOrder, Gateway, Outcome, State, Unanswered
from .inquiries import Elsewhere, Inquiry, learn, sent
from .models import Invoice, Payment, PaymentMethod
from .models.oversight import report_contradiction
from .models.payments import Contradiction, MethodRemoved
from .turns import turn

# How long a customer may take to confirm a payment. The invoice is held meanwhile.
CONFIRM_WITHIN = timedelta(days=3)

log = logging.getLogger(__name__)


def pay(
    invoice: Invoice,
    method: PaymentMethod,
    *,
    cause: Payment.Cause,
    at: datetime,
    by: User | None = None,
) -> Payment | None:
    """Try to collect what is owed of `invoice`, now. The payment says what came of it.

    None if the wallet paid everything. Raises NothingOwed, PaymentUnderWay, MethodRemoved.
    """
    if not can_charge(method, at):
        raise MethodRemoved(
            f"{method} is kept by another payment service.", next_step="Add the card again."
        )
    payment = Payment.begin(invoice, method, cause=cause, by=by, at=at)
    if payment:
        _attempt(payment, at)
    return payment


def can_charge(method: PaymentMethod, at: datetime) -> bool:
    """Whether the gateway of this site is the one that keeps the method."""
    return gateway(at).name == method.gateway


def gateway_of(method: PaymentMethod, at: datetime) -> Gateway:
    """The gateway that keeps the method. Raises Elsewhere if the site has changed to another."""
    if not can_charge(method, at):
        raise Elsewhere(f"{method} is kept by another payment service.")
    return gateway(at)


def _attempt(payment: Payment, at: datetime) -> None:
    """Charge for the first time; staff hear of contradictions."""
    try:
        _charge(payment, at)
    except Contradiction as contradiction:
        report_contradiction(payment, str(contradiction), at=at)


def _charge(payment: Payment, at: datetime) -> None:
    """Ask the gateway, and book its answer; without one the payment stays as it is."""
    try:
        outcome = sent(payment, gateway_of(payment.method, at).charge)
    except (Unanswered, Elsewhere):
        return
    payment.settle(outcome, at=at)


# What is due


def collect_due(*, at: datetime) -> int:
    """Take the next step with every invoice whose day has come at real time `at`, on the clock of
    its connection: let the wallet pay, charge the method, call it past due, or suspend.

    Returns with how many. One that fails holds up no other, and is tried again by the next pass.
    """
    done, after = 0, (date.min, UUID(int=0))
    for _ in turn(COLLECT_TASK):
        try:
            with transaction.atomic():
                invoice = _next_due(at, after)
                if invoice is None or invoice.collect_on is None:
                    break
                after = (invoice.collect_on, invoice.pk)
                own = invoice.connection.own_time(at)
                payment = _step(invoice, own)
            done += 1
            if payment:
                _attempt(payment, own)
        except Exception:
            log.exception("Invoice %s could not be collected", after[1])
    return done


def _next_due(at: datetime, after: tuple[date, UUID]) -> Invoice | None:
    """The first due one after another, with its connection locked; those that others hold wait."""
    latest, own = Connection.objects.latest_day(at), own_day("connection", at)
    day, last = after
    rows = Invoice.objects.to_collect(latest).to_collect(own).select_related("connection")
    rows = rows.filter(Q(collect_on__gt=day) | Q(collect_on=day, pk__gt=last))
    rows = rows.select_for_update(no_key=True, skip_locked=True, of=("connection",))
    invoice: Invoice | None = rows.order_by("collect_on", "pk").first()
    return invoice


def _step(invoice: Invoice, at: datetime) -> Payment | None:
    """The next step, under the lock; the payment that is to be sent after it, if there is one."""
    day = invoice.collect_on
    invoice.refresh_from_db()
    if invoice.collect_on != day or invoice.held:
        return None  # Somebody else took this step before the lock was ours.
    invoice.take_credit(at=at)
    if not invoice.is_owed:
        return None
    method = invoice.connection.payment_methods.default()
    today = invoice.connection.day_of(at)
    if method and can_charge(method, at) and invoice.may_be_tried(today):
        return Payment.begin(invoice, method, cause=_cause(invoice), at=at)
    invoice.wait(at=at)
    return None


def _cause(invoice: Invoice) -> Payment.Cause:
    if invoice.attempts:
        return Payment.Cause.RETRY
    # Past due and not tried yet: there is a method that was not there before.
    return Payment.Cause.METHOD if invoice.past_due_on else Payment.Cause.ISSUE


# What is not known yet


def confirmation_page(payment: Payment, return_url: str, *, at: datetime) -> str:
    """Where the customer confirms a payment that needs it; the page leads back to `return_url`.

    Raises GatewayError.
    """
    return gateway_of(payment.method, at).authorization_url(payment.reference, return_url)


def give_up(payment: Payment, *, at: datetime) -> None:
    """Wait no longer for a confirmation. One that went through meanwhile counts as paid.

    Raises GatewayError; staff hear of contradictions.
    """
    outcome = gateway_of(payment.method, at).cancel(payment.reference)
    try:
        payment.settle(outcome, at=at)
    except Contradiction as contradiction:
        report_contradiction(payment, str(contradiction), at=at)


def ask(payment: Payment, /, *, at: datetime) -> None:
    """Look a payment up and book what the gateway says of it.

    One that the gateway has never heard of is sent again under its key; one that nobody confirms is
    given up. Raises GatewayError without an answer, and Contradiction.
    """
    asked = gateway_of(payment.method, at)

    def look_up(order: ChargeOrder, reference: str) -> Outcome | None:
        outcome = asked.look_up(order, reference)
        if outcome and outcome.state is State.ACTION and payment.begun_at + CONFIRM_WITHIN <= at:
            return asked.cancel(outcome.reference)
        return outcome

    learn(payment, look_up, asked.charge, at=at)


PAYMENTS = Inquiry(Payment.objects.all, RECONCILE_TASK, ask)
reconcile, resolve = PAYMENTS.pursue, PAYMENTS.resolve
