"""Killing a billing run, its database and its broker: afterwards the books are as if nothing was.

A run of 5,000 is disturbed again and again until it comes to its end; then the next one begins on
a fresh copy of the same books, until each was killed thirty times.
"""

import random
import subprocess
import time
from collections.abc import Callable

import pytest

from .house import CUSTOMERS, House

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(600),
]

KILLS = 30


def disturb(
    house: House,
    kill: Callable[[subprocess.Popen[bytes]], None],
    moments: random.Random,
    most: int,
) -> list[int]:
    """Bill the books anew, killed at random moments, `most` times. What stood at each kill."""
    house.restore()
    left: list[int] = []
    code = None
    while code is None:
        with house.begun() as run:
            if len(left) < most:
                time.sleep(moments.uniform(0, house.longest))
                code = run.poll()
            else:
                code = run.wait()
            if code is None:
                kill(run)
                left.append(house.issued())
    assert code == 0, house.said
    assert house.fingerprint() == house.undisturbed
    return left


def until_killed_often(
    house: House, kill: Callable[[subprocess.Popen[bytes]], None], moments: random.Random
) -> None:
    left: list[int] = []
    while len(left) < KILLS:
        left += disturb(house, kill, moments, KILLS - len(left))
    house.assert_books_agree()
    print(f"invoices at each kill: {left}")  # noqa: T201
    # Many kills found a run that had issued something, and not everything.
    assert sum(0 < issued < CUSTOMERS for issued in left) > KILLS / 3


class TestKilledRun:
    def test_leaves_the_books_as_one_that_was_not_disturbed(self, house, moments):
        def kill(run: subprocess.Popen[bytes]) -> None:
            run.kill()
            run.wait()

        until_killed_often(house, kill, moments)


class TestKilledDatabase:
    def test_keeps_the_books_of_an_undisturbed_run(self, house, moments):
        def kill(run: subprocess.Popen[bytes]) -> None:
            house.kill_database()
            run.wait()

        until_killed_often(house, kill, moments)


class TestKilledBroker:
    def test_is_not_even_noticed(self, house, moments):
        kills = 0
        while kills < KILLS:
            house.restore()
            with house.begun() as run:
                while run.poll() is None:
                    house.kill_broker()
                    kills += 1
                    time.sleep(moments.uniform(0, house.longest / 5))
            assert run.returncode == 0, house.said
            assert house.fingerprint() == house.undisturbed
        house.assert_books_agree()
