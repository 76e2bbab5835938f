"""A lived-in house for the tests that look at every page: months of billing, every answer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from billing.collecting import pay
from billing.cycle import bill_due
from billing.disputing import find_disputes
from billing.models import (
    Adjustment,
    BillingRequest,
    BillingRun,
    Credit,
    CreditNote,
    Payment,
    Plan,
    SandboxCharge,
    SandboxDispute,
    SandboxSetup,
    SubOrgImport,
    TierUse,
)
from billing.models.proposals import CatalogEntry, Proposal
from billing.models.sub_org_imports import NewSubOrg
from billing.pricing import Timing
from billing.setups import begin_setup
from connections.kinds import Category
from connections.models import Connection, Event, Invitation, Membership, User, Viewing
from connections.tokens import invitation_token
from notifications.draining import drain_events
from notifications.models import Delivery, Notification, Preference
from notifications.tokens import EVERYTHING, unsubscribe_token
from payouts.affiliates.closing import pay_affiliates
from payouts.linking import begin_link
from payouts.models import Inquiry, SandboxLink
from payouts.sending import resolve_transfer, send_transfers
from revampd.charges import about
from tests.billing.cards import add_card
from tests.billing.tiering import add, choose, own, put_on_sale, serve, sub_orgs
from tests.billing.usage.counting import TRANSFER, enter, metered
from tests.cast import Cast
from tests.connections.codes import set_up
from tests.payouts.acts import close, link_bank, sell, take_back
from tests.payouts.affiliates.acts import (
    bring_partner,
    give,
    link_of,
    pay_owed,
    subscribe,
    tier,
)
from tests.tickets.acts import answer, escalated, note, submit, support
from tickets.keeping import Checked, kept
from tickets.models import Side as TicketSide
from tickets.models import Ticket

LONG_NAME = "Chamberlain, Featherstonehaugh & Cholmondeley Physiotherapy Associates of Albuquerque"
LONG_NOTE = (
    "You asked for more numbers when the second practice opens; this is what we agreed on the "
    "phone.\nTell me if the day does not fit and I send a new one.\n" + "A-very-long-word" * 8
)


@dataclass
class Furnished:
    """The cast, and what stands in the addresses: by the name of the parameter."""

    cast: Cast
    values: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, BillingRequest] = field(default_factory=dict)


def furnish(cast: Cast) -> Furnished:
    house, now = Furnished(cast), timezone.now()
    cast.rhea.is_superuser = True
    cast.rhea.save()
    cast.phone_numbers.description = "A local number of your own, with voicemail and forwarding."
    cast.phone_numbers.save()
    _credit(house, 195, 200_00, "Welcome credit")
    _subscribe(house, now)
    _sell(house, now)
    _pay(house, now)
    _credit(house, 50, 75_00, "Goodwill for the outage in October")
    _credit(house, 40, 40_00, LONG_NOTE[:190])
    _credit(house, 2, -15_00, "The outage was shorter than we thought")
    _invite(house, now)
    _settle(house, now)
    _pay_out(house, now)
    _refer(house, now)
    _talk(house, now)
    drain_events()
    _read_some(cast.ben, now)
    set_up(cast.dora)
    _lose_mail(house, now)
    _staff(house, now)
    drain_events()
    house.values |= {
        **{name: request.pk for name, request in house.requests.items()},
        "connection_id": cast.northwind_bluebird.pk,
        "empty": cast.contoso_fabrikam.pk,
        "tier": cast.revampd_northwind.pk,
        "revampd_bluebird": cast.revampd_bluebird.pk,
        "slug": cast.northwind.slug,
        "topic": "members",
        "number": cast.northwind_bluebird.invoices.newest_first().first().number,
        "membership_id": Membership.objects.get(user=cast.vera).pk,
        "plan_id": cast.growth.plan.pk,
        "add_on_id": cast.phone_numbers.pk,
        "charge_id": cast.setup.pk,
        "pk": cast.ben.notifications.order_by("pk").last().pk,
    }
    return house


def _subscribe(house: Furnished, now: datetime) -> None:
    """Northwind with Revampd: a tier with one to come, add-ons that stay, end and shrink."""
    cast, begun = house.cast, now - timedelta(days=75)
    on_sale = put_on_sale(cast)
    choose(cast, on_sale.pro, at=begun)
    kept, ended, less = (add(cast, on_sale.numbers, n, at=begun) for n in (2, 1, 40))
    serve(cast, on_sale.training)
    bill_due(at=now)
    own(cast).remove(ended, by=cast.maya, at=now)
    own(cast).remove(less, quantity=15, by=cast.maya, at=now)
    sub_orgs(cast, 12)
    choose(cast, on_sale.scale, at=now)
    TierUse.report(connection=cast.revampd_northwind, campaigns=131, workflows=9, at=now)
    house.values |= {
        "tier connection_id": cast.revampd_northwind.pk,
        "tier version_id": on_sale.scale.pk,
        "tier add_on_id": on_sale.numbers.pk,
        "tier request_id": kept.pk,
        "tier own": on_sale.pro.pk,
        "too small": on_sale.starter.pk,
        "tier new": Connection.objects.get(provider=cast.revampd, customer=cast.contoso).pk,
    }


def _sell(house: Furnished, now: datetime) -> None:
    """Half a year between Northwind and Bluebird."""
    cast = house.cast

    def ask(item: CatalogEntry, days: int, **details: Any) -> BillingRequest:
        return BillingRequest.propose(
            Proposal(item, **details),
            connection=cast.northwind_bluebird,
            by=cast.noah,
            at=now - timedelta(days=days),
        )

    def approve(request: BillingRequest, days: int, by: User, note: str = "") -> None:
        at = now - timedelta(days=days)
        request.approve(by=by, seal=request.seal, at=at, note=note)

    house.requests = made = {
        "approved": ask(metered(cast), 190, note="As agreed in our call."),
    }
    approve(made["approved"], 185, cast.ben, "Glad to start.")
    bill_due(at=now - timedelta(days=60))
    _count(house, now - timedelta(days=55))
    made["add-on"] = ask(cast.phone_numbers, 50, quantity=12, note=LONG_NOTE)
    approve(made["add-on"], 49, cast.bella)
    made["charge"] = ask(cast.setup, 45)
    approve(made["charge"], 44, cast.ben, LONG_NOTE)
    bill_due(at=now)
    _count(house, now)
    made["rejected"] = ask(cast.growth_yearly, 40)
    made["rejected"].reject(by=cast.bella, at=now - timedelta(days=39), note="Not before spring.")
    made["withdrawn"] = ask(cast.setup, 35)
    made["withdrawn"].withdraw(by=cast.noah, at=now - timedelta(days=34))
    made["expired"] = ask(cast.phone_numbers, 33, quantity=2)
    made["expired"].expire(at=now)
    made["scheduled"] = ask(cast.phone_numbers, 20, quantity=3, timing=Timing.NEXT_CYCLE)
    approve(made["scheduled"], 19, cast.ben)
    made["revised"] = ask(cast.scale, 10)
    made["pending"] = made["revised"].revise(
        Proposal(cast.scale, timing=Timing.NEXT_CYCLE, note=LONG_NOTE),
        by=cast.maya,
        at=now - timedelta(days=2),
    )
    made["pending charge"] = ask(cast.setup, 1)
    house.values["request_id"] = made["pending"].pk


def _credit(house: Furnished, days: int, minor: int, reason: str) -> None:
    cast, at = house.cast, timezone.now() - timedelta(days=days)
    Credit.adjust(cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at)


def _pay(house: Furnished, now: datetime) -> None:
    """Two cards, a visit to the gateway that is not over, and a payment to confirm."""
    cast, connection = house.cast, house.cast.northwind_bluebird
    spare = add_card(connection, "confirms_always", by=cast.ben, at=now)
    add_card(connection, by=cast.bella, at=now, expires=now.date())
    owed = connection.invoices.owed().latest("number")
    asked = pay(owed, spare, cause=Payment.Cause.PERSON, by=cast.ben, at=now)
    assert asked is not None
    house.values |= {
        "credit_id": connection.credits.earliest("issued_at").pk,
        "method_id": spare.pk,
        "charge_reference": asked.reference,
        "setup_reference": begin_setup(connection, "/", by=cast.ben, at=now).reference,
        "setup over": SandboxSetup.objects.exclude(method=None).first().pk,
    }


def _count(house: Furnished, at: datetime) -> None:
    """More bookings than one page holds, and a transfer with a key that is hard to set."""
    cast, on = house.cast, house.cast.northwind_bluebird.day_of(at)
    for number in range(18):
        enter(cast, 1 + number * 7, on=on, at=at, key=f"B-{on}-{number}")
    enter(cast, 4, on=on, at=at, key=f"{on}-" + "A-very-long-key" * 5, measure=TRANSFER)


def _settle(house: Furnished, now: datetime) -> None:
    """Invoices that came to every end: corrected and disputed, declined, void, written off."""
    cast, connection = house.cast, house.cast.northwind_bluebird
    poor = add_card(connection, "insufficient_funds", by=cast.ben, at=now)
    visa = add_card(connection, by=cast.ben, at=now)
    free = connection.invoices.owed().filter(held=0).order_by("number")
    # The wallet pays what it can before any card does.
    tries = (pay(one, visa, cause=Payment.Cause.PERSON, by=cast.ben, at=now) for one in free)
    payment = next(filter(None, tries))
    paid = connection.invoices.get(pk=payment.invoice_id)
    declined, void, written_off = free.all()[:3]
    pay(declined, poor, cause=Payment.Cause.ISSUE, at=now)
    void.void(reason=LONG_NOTE[:190], by=cast.noah, at=now)
    written_off.write_off(reason="They closed.", by=cast.maya, at=now)
    amounts = {paid.lines.earliest("position").pk: 60_00}
    note = CreditNote.issue(paid, amounts, reason=LONG_NOTE[:190], by=cast.noah, at=now)
    SandboxDispute.begin(SandboxCharge.objects.get(key=payment.pk), at=now, minor=5_00)
    find_disputes(at=now)
    ends = {"paid": paid, "declined": declined, "void": void, "written off": written_off}
    house.values |= {name: invoice.number for name, invoice in ends.items()}
    house.values |= {"note_number": note.number, "payment_id": payment.pk}


def _pay_out(house: Furnished, now: datetime) -> None:
    """Payouts that came to every end: settled, returned by the bank, carried over, available."""
    cast, account = house.cast, house.cast.revampd_northwind

    def ago(days: int) -> datetime:
        return now - timedelta(days=days)

    link_bank(cast, "later", at=ago(60))
    first, *_ = [
        sell(cast, minor, at=ago(days)) for minor, days in ((320_00, 60), (80_00, 45), (987_65, 9))
    ]
    close(ago(38))
    settled, returned = account.payouts.order_by("period_start")
    settled.settle(credit=100_00, transfer=settled.left - 100_00, by=cast.noah, at=ago(38))
    send_transfers(at=ago(38))
    link_bank(cast, "returned", at=ago(36))
    returned.settle(credit=0, transfer=returned.left, by=cast.maya, at=ago(30))
    for days in (30, 27):
        send_transfers(at=ago(days))
    resolve_transfer(returned.bank_transfers.get(), at=ago(24))
    take_back(first, 320_00, at=ago(20))
    close(now)
    link_bank(cast, "at_once", at=now)
    house.values |= {
        "settled payout": settled.pk,
        "returned payout": returned.pk,
        "carried payout": account.payouts.get(state="CARRIED").pk,
        "tier payout_id": account.payouts.latest("period_start").pk,
        "link over": SandboxLink.objects.latest("begun_at").pk,
        "link_reference": begin_link(account, "/", by=cast.maya, at=now).reference,
    }


def _refer(house: Furnished, now: datetime) -> None:
    """Northwind brought a Partner that pays; somebody asks through a link of Contoso's own."""
    cast, begun = house.cast, now - timedelta(days=40)
    give(cast.revampd, 20_00, 12, at=begun)
    give(cast.northwind, 12_50, None, at=begun)
    ada = bring_partner(cast.northwind, at=begun)
    subscribe(ada, tier(cast, 83_00), at=begun)
    pay_owed(ada, at=begun)
    pay_affiliates(at=now)
    link_of(cast.northwind, cast.northwind, at=now)
    asked = link_of(cast.bluebird, cast.northwind, at=now)
    inquiry = Inquiry.send(asked, name=LONG_NAME, note=LONG_NOTE, by=cast.zed, at=now)
    house.values |= {
        "code": link_of(cast.contoso, cast.contoso, at=now).code,
        "inquiry_id": inquiry.pk,
        "tier affiliate_payout_id": cast.revampd_northwind.affiliate_payouts.get().pk,
    }


def _talk(house: Furnished, now: datetime) -> None:
    """Tickets in every state, one with all that can be in a conversation, and one escalated."""
    cast = house.cast
    support(cast)
    with kept([Checked(f"{LONG_NAME}.txt", "text/plain", b"Hello")]) as files:
        full = submit(cast, LONG_NAME, body=LONG_NOTE, files=files, at=now - timedelta(days=3))
    answer(full, cast.dana, LONG_NOTE, at=now - timedelta(days=2))
    note(full, cast.maya, LONG_NOTE, at=now - timedelta(days=2))
    full.escalate(LONG_NOTE, by=cast.dana, at=now - timedelta(days=2))
    full.consult("It is the carrier.", side=TicketSide.REVAMPD, by=cast.rhea, at=now)
    BillingRequest.propose(
        Proposal(cast.setup, note=LONG_NOTE, about=about(full)),
        connection=cast.northwind_bluebird,
        by=cast.noah,
        at=now,
    )
    closed = submit(cast, "Closed for good", at=now)
    closed.set_status("CLOSED", side=TicketSide.PROVIDER, by=cast.dana, at=now)
    back = escalated(cast, submit(cast, "Taken back"))
    back.take_back(by=cast.dana, at=now)
    house.values |= {
        "ticket_id": full.pk,
        "attachment_id": files[0].pk,
        "closed ticket": closed.pk,
        "returned ticket": back.pk,
    }


def _invite(house: Furnished, now: datetime) -> None:
    cast = house.cast
    colleague = Invitation.send(
        organization=cast.northwind, email="new@example.com", role="VIEWER", by=cast.maya, at=now
    )
    Invitation.send_to_customer(
        provider=cast.northwind, name=LONG_NAME, email="first@example.com", by=cast.maya, at=now
    )
    house.values |= {
        "import_id": _imported(cast, 3).pk,
        "import over": _imported(cast, 40, are_over=True).pk,
        "token": invitation_token(colleague.pk),
        "invitation_id": colleague.pk,
        "key": "nobody",
    }


@transaction.atomic
def _imported(cast: Cast, number: int, *, are_over: bool = False) -> SubOrgImport:
    """A file of Sub-Orgs that is under way, or one of which nobody could be invited."""
    rows = [NewSubOrg(line, f"{LONG_NAME} {line}", "a@b.example") for line in range(2, 2 + number)]
    begun = SubOrgImport.begin(
        rows, partner=cast.northwind, by=cast.maya, at=timezone.now(), key=uuid4()
    )
    if are_over:
        for row in begun.rows.all():
            row.refuse(f"“{row.name}” is one of your Sub-Orgs already.")
        begun.advance(invited=0, refused=number, at=timezone.now())
    return begun


def _lose_mail(house: Furnished, now: datetime) -> None:
    """Bella's mailbox is gone, so her mail comes back; whoever sent it sees that."""
    cast = house.cast
    sent = Delivery.objects.answered_for_by(cast.northwind).filter(address=cast.bella.email)
    lost, *others = sent.order_by("-event_id")[:4]
    lost.mark_sent(at=now)
    lost.bounce(
        "550 5.1.1 " + LONG_NAME + " does not know this mailbox.", at=now, is_permanent=True
    )
    for one in others:
        one.hold("Mail to this address came back.")
    Preference.choose(cast.ben, {(Category.ACCOUNT, "MAIL"): "DAILY"}, at=now)
    house.values |= {
        "delivery_id": lost.pk,
        "signed": unsubscribe_token(cast.ben, Category.REVAMPD_BILLING),
        "signed for all": unsubscribe_token(cast.maya, EVERYTHING),
    }


def _staff(house: Furnished, now: datetime) -> None:
    """What Revampd's staff have to look at: an adjustment that takes two, runs, their own pages."""
    cast = house.cast
    large = Adjustment.adjust(
        cast.revampd_bluebird, 900_00, reason=LONG_NOTE[:190], by=cast.rhea, at=now
    )
    lost = BillingRun.objects.create(
        started_at=now - timedelta(hours=1), connections=1200, done=431, issued=431
    )
    seen = Viewing.objects.create(
        staff=cast.rhea,
        person=cast.ben,
        reason="Does not find the invoice",
        started_at=now - timedelta(hours=2),
        until=now - timedelta(hours=1),
        ended_at=now - timedelta(hours=1),
    )
    rows = {
        "organization": cast.northwind,
        "user": cast.ben,
        "connection": cast.revampd_northwind,
        "invoice": cast.northwind_bluebird.invoices.owed().first(),
        "credit": cast.northwind_bluebird.credits.first(),
        "adjustment": large,
        "billingrun": BillingRun.objects.exclude(pk=lost.pk).first(),
        "viewing": seen,
        "plan": Plan.objects.filter(provider=cast.revampd).first(),
        "ticket": Ticket.objects.filter(provider=cast.revampd).first()
        or Ticket.objects.escalated().first(),
        "event": Event.objects.first(),
        "delivery": Delivery.objects.first(),
    }
    house.values |= {f"admin {name}": row.pk for name, row in rows.items() if row}
    house.values["lost run"] = lost.pk


def _read_some(user: User, now: datetime) -> None:
    """All but the newest four."""
    newest = Notification.objects.of(user).order_by("-pk").values("pk")[:4]
    Notification.objects.of(user).exclude(pk__in=newest).mark_read(at=now)
