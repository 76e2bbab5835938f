"""The web port is ours from the first second, or we say why not."""

import socket
from collections.abc import Iterator

import pytest

from devstack import port
from devstack.terminal import Failed

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_it_takes_the_first_free_port(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as server:
        free = server.getsockname()[1]
    monkeypatch.setattr(port, "PREFERRED", [taken, free])

    with port.listen(HOST, None) as listener:
        assert port.url(listener) == f"http://127.0.0.1:{free}"


def test_it_takes_any_port_when_the_preferred_ones_are_taken(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "PREFERRED", [taken])

    with port.listen(HOST, None) as listener:
        assert listener.getsockname()[1] not in (0, taken)


def test_it_names_the_remedy_when_the_wanted_port_is_taken(taken: int) -> None:
    with pytest.raises(Failed, match=rf"port {taken} cannot be used .* PORT=9000 \./run\.py demo"):
        port.listen(HOST, str(taken))


def test_it_sees_a_program_that_listens_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("", 0)) as server, pytest.raises(Failed, match="cannot be used"):
        port.listen(HOST, str(server.getsockname()[1]))


@pytest.mark.parametrize("wanted", ["http", "-1", "0", "65536"])
def test_it_refuses_what_is_no_port(wanted: str) -> None:
    with pytest.raises(Failed, match="PORT must be a number"):
        port.listen(HOST, wanted)


def test_it_refuses_an_address_of_another_machine() -> None:
    with pytest.raises(Failed, match="address of this machine"):
        port.listen("192.0.2.1", None)


def test_nobody_can_take_the_port_before_the_web_server_has_it() -> None:
    with port.listen(HOST, None) as listener, pytest.raises(OSError, match="in use"):
        socket.create_server((HOST, listener.getsockname()[1]), reuse_port=False)


def test_an_address_open_to_the_network_is_shown_as_one_to_click() -> None:
    with port.listen("0.0.0.0", None) as listener:  # noqa: S104
        assert port.url(listener).startswith("http://127.0.0.1:")
