"""Machines of a test's own: network namespaces, each with one cable to this one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A namespace with a cable: our end of it, and its own. The network is 10.77.`number`.0/30."""

    number: int

    @property
    def name(self) -> str:
        return f"revampd-{os.getpid()}-{self.number}"

    @property
    def plug(self) -> str:
        """Our end of the cable; such names are short."""
        return f"rv{os.getpid() % 10**6}-{self.number}"

    @property
    def network(self) -> str:
        """Where we are, as seen from it."""
        return f"10.77.{self.number}.1/30"

    @property
    def here(self) -> str:
        return f"10.77.{self.number}.1"

    @property
    def there(self) -> str:
        return f"10.77.{self.number}.2"

    @property
    def prefix(self) -> list[str]:
        """What runs a command on it."""
        return ["ip", "netns", "exec", self.name]

    def cut_off(self) -> None:
        """Pull the cable: whatever is on its way is lost, and nobody is told."""
        _ip("link", "set", self.plug, "down")

    def bring_back(self) -> None:
        _ip("link", "set", self.plug, "up")

    def build(self) -> None:
        inner = f"{self.plug}i"
        _ip("netns", "add", self.name)
        _ip("link", "add", self.plug, "type", "veth", "peer", "name", inner, "netns", self.name)
        _ip("address", "add", self.network, "dev", self.plug)
        _ip("link", "set", self.plug, "up")
        for change in (
            ["address", "add", f"{self.there}/30", "dev", inner],
            ["link", "set", inner, "up"],
            ["link", "set", "lo", "up"],
        ):
            _ip("-netns", self.name, *change)

    def remove(self) -> None:
        subprocess.run(["ip", "link", "delete", self.plug], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def why_not() -> str:
    """Why no machine can be made here; "" if it can."""
    if not shutil.which("ip"):
        return "there is no program ip (Debian: iproute2)"
    machine = Machine(250)
    try:
        machine.build()
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.decode().strip()}"
    finally:
        machine.remove()
    return ""


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """So many machines, gone afterwards."""
    with ExitStack() as stack:
        made = [Machine(number + 1) for number in range(count)]
        for machine in made:
            stack.callback(machine.remove)
            machine.build()
        yield made
