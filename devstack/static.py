"""When the demo's static files have to be collected anew: it takes several seconds."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from devstack.places import LOCAL, ROOT

COLLECTED = LOCAL / "static"
STAMP = LOCAL / "static-fingerprint"

# The files, what processes them, and the packages that bring files of their own.
SOURCES = (
    "static/**/*",
    "*/static/**/*",
    "revampd/**/*.py",
    "requirements/app.lock",
)


def is_current() -> bool:
    return COLLECTED.is_dir() and STAMP.exists() and STAMP.read_text() == fingerprint()


def mark_current() -> None:
    STAMP.write_text(fingerprint())


def fingerprint() -> str:
    """Name the state of everything that goes into the collected files."""
    digest = hashlib.sha256(sys.version.encode())
    for file in _sources():
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(path for path in ROOT.glob(pattern) if path.is_file())
