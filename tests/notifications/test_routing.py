"""The one rule of whether, when and how somebody is told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from connections.kinds import CONSENT, Category, Telling
from notifications.models import Channel, Manner
from notifications.models.preferences import next_summary
from notifications.routing import heard_by, route

ACCOUNT = Category.ACCOUNT
KEYS = [(category, channel) for category in Category for channel in Channel]
CHOICES = st.lists(st.sampled_from([None, *Manner]), min_size=len(KEYS), max_size=len(KEYS)).map(
    lambda wanted: {key: one for key, one in zip(KEYS, wanted, strict=True) if one}
)


class TestRoute:
    @given(CHOICES, CHOICES, st.sampled_from(Category))
    def test_lets_nobody_switch_off_what_is_necessary(self, own, suggested, category):
        way = route(Telling("x", necessary=CONSENT), category, own=own, suggested=suggested)

        assert (way.rings, way.mail) == (True, Manner.AT_ONCE)

    @given(CHOICES, CHOICES, st.sampled_from(Category))
    def test_follows_the_own_choice_then_the_suggestion(self, own, suggested, category):
        way = route(Telling("x"), category, own=own, suggested=suggested)

        wanted = (suggested | own).get((category, Channel.MAIL), Manner.AT_ONCE)
        assert way.mail == wanted
        page = (suggested | own).get((category, Channel.PAGE), Manner.AT_ONCE)
        assert way.rings == (page != Manner.OFF)

    @given(CHOICES, CHOICES, st.booleans(), st.sampled_from(["", CONSENT]))
    def test_tells_nobody_of_their_own_act(self, own, suggested, is_active, necessary):
        way = route(
            Telling("x", necessary=necessary), ACCOUNT, own=own, suggested=suggested,
            is_actor=True, is_active=is_active,
        )  # fmt: skip

        assert (way.rings, way.mail) == (False, Manner.OFF)

    @given(CHOICES, CHOICES, st.sampled_from(["", CONSENT]))
    def test_mails_no_closed_account(self, own, suggested, necessary):
        telling = Telling("x", necessary=necessary)
        way = route(telling, ACCOUNT, own=own, suggested=suggested, is_active=False)

        assert way.mail == Manner.OFF


class TestNextSummary:
    @given(
        st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        st.integers(0, 23),
        st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
    )
    def test_is_within_a_day_at_that_hour(self, after, hour, zone):
        moment = next_summary(after, ZoneInfo(zone), hour)

        assert timedelta(0) < moment - after <= timedelta(hours=25)
        assert moment.hour == hour


class TestHeardBy:
    def test_offers_nothing_that_the_person_cannot_hear(self, cast):
        def heard(user) -> set[str]:
            return {one.category for one in heard_by(user.belongs_to)}

        assert Category.PAYOUTS in heard(cast.maya)
        assert Category.PAYOUTS not in heard(cast.sam)
        assert Category.BILLING_MANAGEMENT not in heard(cast.theo)
        assert heard(cast.zed) == set()
