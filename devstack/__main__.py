"""python -m devstack demo | test [pytest arguments] | reset; started by ./run.py."""

import sys

from devstack import interruption
from devstack.checks import test
from devstack.demo import demo
from devstack.lock import FolderLock
from devstack.places import LOCAL, forget_everything
from devstack.terminal import Failed, say


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    interruption.watch()
    try:
        match arguments:
            case ["demo"]:
                return demo()
            case ["test", *rest]:
                return test(rest)
            case ["reset"]:
                return reset()
    except interruption.Interrupted as interrupted:
        say(f"Stopped ({interrupted}).")
        return 130
    except (Failed, OSError) as error:
        say(f"\nerror: {error}")
        return 1
    say("usage: ./run.py demo | test [pytest arguments] | reset")
    return 2


def reset() -> int:
    with FolderLock(LOCAL):
        forget_everything()
    say("The demo's data is gone; ./run.py demo starts afresh.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
