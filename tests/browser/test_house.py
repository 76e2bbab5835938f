"""What the tests of this folder stand on: who calls the web server is heard until he hangs up."""

import socket
from contextlib import closing
from urllib.parse import urlsplit

from .house import House, wait_until


def test_hears_a_caller_until_he_hangs_up(house: House) -> None:
    assert house.callers() == []

    with closing(socket.create_connection(("127.0.0.1", urlsplit(house.url).port))):
        wait_until(lambda: len(house.callers()) == 1, "the call")

    wait_until(lambda: house.callers() == [], "the end of the call")
