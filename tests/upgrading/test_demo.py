"""The tests of the demo once more, on a demo that an earlier commit played and this one upgraded.

They need data that is there, so they can be asked of it. All other tests bring people of their own
and a Revampd of their own, and a database holds but one: with `--upgraded`, as in `./run.py test`,
they run on such a database as well, emptied once it was upgraded.
"""

import pytest

from tests.demo.test_clock import TestClockPage, TestMovePage
from tests.demo.test_moved_pages import TestEveryPage
from tests.demo.test_moving import (
    TestAllConnections,
    TestBegin,
    TestOneConnection,
)
from tests.demo.test_seed import TestTheRecord

__all__ = [
    "TestAllConnections",
    "TestBegin",
    "TestClockPage",
    "TestEveryPage",
    "TestMovePage",
    "TestOneConnection",
    "TestTheRecord",
]

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(900),
]
