"""The web port: ours from the first second, or a clear word why not."""

import errno
import os
import socket
from contextlib import suppress

from devstack.terminal import Failed

PREFERRED = range(8000, 8020)


def listen(host: str, wanted: str | None) -> socket.socket:
    """Return a listening socket, on the wanted port or on the first free one.

    The web server inherits this very socket, so that nobody can take the port in between. Raises
    Failed when the wanted port cannot be had.
    """
    for port in [_number(wanted)] if wanted else [*PREFERRED, 0]:
        try:
            return _bind(host, port)
        except OSError as error:
            if wanted:
                raise Failed(
                    f"port {port} cannot be used ({error.strerror}); leave PORT away to get a free "
                    "one, or choose another: PORT=9000 ./run.py demo"
                ) from None
    raise Failed(f"no port of {host} can be used; is HOST an address of this machine?")


def _number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise Failed(f"PORT must be a number from 1 to 65535, not {text!r}")


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except socket.gaierror as error:
        raise Failed(f"HOST={host} is no address: {error.strerror}") from None
    if port and _answers(host, port, family):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _answers(host: str, port: int, family: int) -> bool:
    """Tell whether somebody listens there: macOS lets two share a port, one on every address."""
    with suppress(OSError), socket.socket(family) as probe:
        probe.settimeout(0.5)
        probe.connect((host, port))
        return True
    return False


def url(listener: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not a binding
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
