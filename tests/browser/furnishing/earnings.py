"""What Northwind earns: payouts, and what it gets for those that it brought."""

from datetime import datetime, timedelta

from payouts.affiliates.closing import pay_affiliates
from payouts.linking import begin_link
from payouts.models import Inquiry, SandboxLink
from payouts.sending import resolve_transfer, send_transfers
from tests.payouts.acts import close, link_bank, sell, take_back
from tests.payouts.affiliates.acts import bring_partner, give, link_of, pay_owed, subscribe, tier

from .furnished import LONG_NAME, LONG_NOTE, Furnished


def pay_out(house: Furnished, now: datetime) -> None:
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


def refer(house: Furnished, now: datetime) -> None:
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
