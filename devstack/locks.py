"""Check the lock files: no address, a hash for every pin, each upon the one before."""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = ("app", "demo", "dev")


def problems(folder: Path = FOLDER) -> list[str]:
    """Return what is wrong with the lock files, one sentence each."""
    found: list[str] = []
    smaller: set[str] = set()
    for name in LOCKS:
        file = folder / f"{name}.lock"
        text = file.read_text()
        found += [f"{file.name}: an address: {line}" for line in text.splitlines() if "://" in line]
        found += [f"{file.name}: no hash for {pin}" for pin in without_hash(text)]
        found += [f"{file.name}: lacks {pin}" for pin in sorted(smaller - pins(text))]
        smaller = pins(text)
    return found


def pins(text: str) -> set[str]:
    """Return the pinned packages, each as name==version with its marker."""
    return {line.removesuffix(" \\") for line in text.splitlines() if re.match(r"[\w.-]+==", line)}


def without_hash(text: str) -> list[str]:
    """Return the lines that pip would install without knowing what it gets."""
    entries = text.replace("\\\n", " ").splitlines()
    return [line for line in entries if line.strip() and "--hash=sha256:" not in line]


def main() -> int:
    found = problems()
    for problem in found:
        print(problem)
    print("Rewrite them with: make locks" if found else "The lock files are sound.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
