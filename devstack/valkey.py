"""One Valkey server of our own, on a Unix socket."""

import socket
from contextlib import suppress
from pathlib import Path

from devstack.binaries import valkey_server
from devstack.guard import wait_until
from devstack.places import socket_folder
from devstack.processes import Child, Processes, last_lines
from devstack.terminal import Failed


class Valkey:
    """Start, wait, address. No TCP: who may enter the socket's folder may connect."""

    def __init__(self, home: Path, processes: Processes, *, durable: bool = True) -> None:
        """durable=False keeps nothing on disk."""
        self._processes = processes
        self._durable = durable
        self._data = home / "valkey-data"
        self._log = home / "valkey.log"
        self._socket = socket_folder(home, "valkey") / "valkey.sock"
        self.binary = valkey_server()

    def url(self, database: int = 0) -> str:
        return f"unix://{self._socket}?db={database}"

    def start(self) -> Child:
        """Start the server on the data of the last time."""
        for folder in (self._data, self._socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stop_orphan()
        with self._log.open("wb") as log:
            return self._processes.start(
                "Valkey", [self.binary, *self._settings()], cwd="/", stdout=log
            )

    def wait(self, seconds: float = 20) -> None:
        """Wait until it answers, which it does after loading its data."""
        try:
            self._processes.wait_until(self._answers, "Valkey", seconds)
        except Failed as error:
            raise Failed(f"{error}; its log ends with:\n{last_lines(self._log)}") from None

    def _settings(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            "maxmemory-policy": "noeviction",  # a queue must not lose what it holds
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _answers(self) -> bool:
        return self._ask("PING").startswith(b"+PONG")

    def _stop_orphan(self) -> None:
        """Stop a server that survived both its supervisor and its guard: the socket is ours."""
        if self._ask("PING"):
            self._ask("SHUTDOWN")
            wait_until(lambda: not self._ask("PING"), 10)
        self._socket.unlink(missing_ok=True)

    def _ask(self, command: str) -> bytes:
        """Return the answer to a command, or nothing when nobody answers."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self._socket))
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(64)
        return b""
