"""From content to PDF: tagged, for archives (PDF/A-3a) and for screen readers (PDF/UA-1)."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import fontpkg
import typst

from .legible import legible, without_controls

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent  # so that templates of other apps share our style
TEMPLATE = FOLDER / "document.typ"
PATIENCE = 120  # seconds, for a page among a hundred others

# A compiler works for one thread at a time.
_one_at_a_time = threading.Lock()


class Content(Protocol):
    """A dataclass of what stands on a document; `issued_at` is the instant that the file claims."""

    @property
    def issued_at(self) -> datetime: ...


def render(content: Content, template: Path = TEMPLATE) -> bytes:
    """The PDF of `content`, with the same bytes whenever and wherever it is rendered."""
    return press(*_order(content), template)


def render_apart(content: Content, template: Path) -> bytes:
    """As `render`, in a process of its own: what a long document takes of memory goes with it.

    Raises CalledProcessError and TimeoutExpired.
    """
    facts, timestamp = _order(content)
    order = {"facts": facts, "timestamp": timestamp, "template": str(template)}
    done = subprocess.run(
        [sys.executable, "-m", "billing.documents.press"],
        input=json.dumps(order).encode(),
        capture_output=True,
        check=True,
        cwd=ROOT,
        timeout=PATIENCE,
    )
    return done.stdout


def _order(content: Any) -> tuple[dict[str, Any], int]:
    return asdict(content) | {"issued_at": ""}, int(content.issued_at.timestamp())


def press(facts: dict[str, Any], timestamp: int, template: Path) -> bytes:
    """The PDF of `facts`, which are texts, numbers and lists of them."""
    facts = without_controls(facts)
    try:
        return _pdf(template, {"content": json.dumps(facts)}, timestamp)
    except typst.TypstError:
        # A standard refuses what no font of ours can show, an emoji in a name for one.
        shown = legible(facts, _can_show)
        return _pdf(template, {"content": json.dumps(shown)}, timestamp)


def _can_show(text: str) -> bool:
    """Whether our fonts have every letter of `text`, in each weight that a document uses."""
    try:
        _pdf(FOLDER / "specimen.typ", {"text": text}, 0)
    except typst.TypstError:
        return False
    return True


def _pdf(source: Path, inputs: dict[str, str], timestamp: int) -> bytes:
    with _one_at_a_time:
        pdf = _compiler().compile(
            input=source,
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=["a-3a", "ua-1"],
            timestamp=timestamp,
        )
    assert isinstance(pdf, bytes)  # noqa: S101 - a list is for formats of one file a page
    return pdf


@cache
def _compiler() -> typst.Compiler:
    """One for the process: reading the fonts takes longer than an invoice."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        # They step in for letters that Inter lacks, such as Hebrew and Arabic ones.
        include_embedded_fonts=True,
        font_paths=[fontpkg.path("Inter").parent],
    )
    return typst.Compiler(root=ROOT, font_paths=fonts, ignore_system_fonts=True)
