"""The product's clock: real time, and later than that inside a block that says so."""

from datetime import timedelta
from threading import Thread

import pytest
from django.utils import timezone

from revampd.kit import clock

MONTH = timedelta(days=30)


def distance() -> timedelta:
    """How far the clock is ahead, to the minute."""
    seconds = (clock.now() - timezone.now()).total_seconds()
    return timedelta(minutes=round(seconds / 60))


class TestNow:
    def test_is_real_time_by_itself(self):
        before = timezone.now()

        assert before <= clock.now() <= timezone.now()
        assert clock.ahead() == timedelta(0)

    def test_is_ahead_inside_the_block_alone(self):
        with clock.ahead_by(MONTH):
            assert distance() == clock.ahead() == MONTH

        assert distance() == timedelta(0)

    def test_goes_back_to_what_was_around_the_block(self):
        with clock.ahead_by(MONTH):
            with clock.ahead_by(timedelta(0)):
                assert distance() == timedelta(0)
            assert distance() == MONTH

    def test_is_as_before_after_a_block_that_failed(self):
        with pytest.raises(RuntimeError), clock.ahead_by(MONTH):
            raise RuntimeError

        assert distance() == timedelta(0)

    def test_is_another_one_in_each_thread(self):
        elsewhere = []
        with clock.ahead_by(MONTH):
            thread = Thread(target=lambda: elsewhere.append(clock.ahead()))
            thread.start()
            thread.join()

        assert elsewhere == [timedelta(0)]

    def test_is_never_behind(self):
        with pytest.raises(ValueError, match="behind"), clock.ahead_by(-MONTH):
            pass
