"""What is called at the end of a chunk of frames, counted in page faults."""

import resource
import sys

import pytest

from revampd.kit.frames import roomy

CALLS = 300
DEPTHS = range(150)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="page faults are counted on Linux")


def nothing() -> None:
    pass


# A frame larger than those that lead there, so that some depth lies where it no longer fits.
nothing.__code__ = nothing.__code__.replace(co_stacksize=100)


def faults_at(depth: int) -> int:
    """How often the kernel gave memory to calls that lie so deep."""
    if depth:
        return faults_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(CALLS):
        nothing()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_calls_cost_a_page_each_where_a_chunk_ends_without_it():
    assert max(map(faults_at, DEPTHS)) >= CALLS


def test_calls_cost_nothing_however_deep_they_lie():
    assert max(map(roomy(faults_at), DEPTHS)) < 10


def test_passes_on_what_it_gets_and_gives():
    assert roomy(divmod)(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        roomy(divmod)(7, 0)
