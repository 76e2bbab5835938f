"""A choice is made as it was seen, and once, however often the form is sent."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections
from django.utils import timezone

from billing import prospects
from billing.models import SubscriptionItem
from billing.prospects import NotAsSeen, seal_of
from tests.billing.tiering import choose, own, put_on_sale

AT_ONCE = 8


class TestAdd:
    def test_adds_once_when_a_form_is_sent_eight_times_at_once(self, committed_cast):
        cast, at = committed_cast, timezone.now()
        sale = put_on_sale(cast)
        choose(cast, sale.starter, at)
        seal = seal_of(own(cast).preview_add_on(sale.numbers, 3, by=cast.maya, at=at))
        start = Barrier(AT_ONCE)

        def send(_: int) -> str:
            try:
                start.wait()
                prospects.add(own(cast), sale.numbers, 3, seal, by=cast.maya, at=at)
            except NotAsSeen:
                return "refused"
            finally:
                connections.close_all()
            return "added"

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = Counter(pool.map(send, range(AT_ONCE)))

        assert answers == {"added": 1, "refused": AT_ONCE - 1}
        assert SubscriptionItem.objects.get(kind="ADD_ON").quantity == 3


class TestSeal:
    def test_is_the_same_all_day_and_another_for_another_price(self, cast):
        sale, at = put_on_sale(cast), timezone.now().replace(hour=9)
        choose(cast, sale.starter, at)
        service = own(cast)

        def seal(quantity: int, hour: int) -> str:
            choice = service.preview_add_on(
                sale.numbers, quantity, by=cast.maya, at=at.replace(hour=hour)
            )
            return seal_of(choice)

        seen = seal(3, 9)
        assert seal(3, 17) == seen
        assert seal(2, 9) != seen

        sale.numbers.change(by=cast.rhea, unit_price=5_00)

        assert seal(3, 9) != seen
