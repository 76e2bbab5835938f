"""A lived-in house for the tests that look at every page: months of billing, every answer."""

from django.utils import timezone

from connections.models import Membership
from notifications.draining import drain_events
from tests.cast import Cast
from tests.connections.codes import set_up

from .conversations import talk
from .earnings import pay_out, refer
from .furnished import LONG_NOTE, Furnished
from .payments import begin_payments, give_credit, settle_invoices
from .people import invite, lose_mail, read_some
from .sales import choose_tier, sell_and_approve
from .staff import show_staff

__all__ = ["Furnished", "furnish"]


def furnish(cast: Cast) -> Furnished:
    house, now = Furnished(cast), timezone.now()
    cast.rhea.is_superuser = True
    cast.rhea.save()
    cast.phone_numbers.description = "A local number of your own, with voicemail and forwarding."
    cast.phone_numbers.save()
    give_credit(house, 195, 200_00, "Welcome credit")
    choose_tier(house, now)
    sell_and_approve(house, now)
    begin_payments(house, now)
    give_credit(house, 50, 75_00, "Goodwill for the outage in October")
    give_credit(house, 40, 40_00, LONG_NOTE[:190])
    give_credit(house, 2, -15_00, "The outage was shorter than we thought")
    invite(house, now)
    settle_invoices(house, now)
    pay_out(house, now)
    refer(house, now)
    talk(house, now)
    drain_events()
    read_some(cast.ben, now)
    set_up(cast.dora)
    lose_mail(house, now)
    show_staff(house, now)
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
