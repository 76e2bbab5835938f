"""From content to PDF: tagged, for archives (PDF/A-3a) and for screen readers (PDF/UA-1)."""

import json
import threading
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import fontpkg
import typst

from .content import InvoiceContent
from .legible import legible, without_controls

FOLDER = Path(__file__).parent

# A compiler works for one thread at a time.
_one_at_a_time = threading.Lock()


def render(content: InvoiceContent) -> bytes:
    """The PDF of `content`, with the same bytes whenever and wherever it is rendered."""
    facts = without_controls(asdict(content) | {"issued_at": ""})
    try:
        return _compile(facts, content)
    except typst.TypstError:
        # A standard refuses what no font of ours can show, an emoji in a name for one.
        return _compile(legible(facts, _can_show), content)


def _compile(facts: dict[str, Any], content: InvoiceContent) -> bytes:
    inputs = {"content": json.dumps(facts)}
    return _pdf(FOLDER / "document.typ", inputs, int(content.issued_at.timestamp()))


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
    return typst.Compiler(root=FOLDER, font_paths=fonts, ignore_system_fonts=True)
