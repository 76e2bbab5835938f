"""What a file is, by its content; its name only has to agree. Nothing is opened or unpacked.

Only kinds are taken that no browser runs. An archive is looked at from outside: what it would
come to, nobody here finds out.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from revampd.kit.uploads import MEGABYTE, MOST_OF_ONE
from tickets.models.attachments import NAME_LENGTH

MOST_BYTES = MOST_OF_ONE
MOST_FILES = 5  # a message
LOOKED_AT = 4096  # bytes, for signatures and for markup

ACCEPTED = "Images, PDF, text, CSV, Office documents or ZIP archives"


class Unacceptable(Exception):
    """A file that is not taken; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what it is called, as which media type it is served, how names end."""

    label: str
    media_type: str
    endings: tuple[str, ...]


TEXT = Kind("a text", "text/plain", ("txt", "log", "csv", "md", "json"))
ARCHIVE = Kind(
    "a ZIP archive",
    "application/zip",
    ("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp"),
)
SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), Kind("a PNG image", "image/png", ("png",))),
    (re.compile(rb"\xff\xd8\xff"), Kind("a JPEG image", "image/jpeg", ("jpg", "jpeg"))),
    (re.compile(rb"GIF8[79]a"), Kind("a GIF image", "image/gif", ("gif",))),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), Kind("a WebP image", "image/webp", ("webp",))),
    (re.compile(rb"%PDF-"), Kind("a PDF", "application/pdf", ("pdf",))),
    (re.compile(rb"PK\x03\x04"), ARCHIVE),
)

# What a browser, asked to guess, would take for a page or a drawing.
_MARKUP = re.compile(rb"\A\s*<|<(!doctype|html|head|body|script|svg|iframe|\?xml)\b", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UNSAFE = re.compile(r"[\s:\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def clean_name(name: str) -> str:
    """A name without path, control characters and what turns the text around, and not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    tidy = _UNSAFE.sub(" ", last).strip(" .")
    if not tidy:
        return "file"
    path = PurePosixPath(tidy)
    return f"{path.stem[: NAME_LENGTH - len(path.suffix[:12])]}{path.suffix[:12]}"


def kind_of(name: str, size: int, content: bytes) -> Kind:
    """What the file `name` of `size` bytes is. Raises Unacceptable.

    `content` is all of it: a text is one to its end.
    """
    if not size:
        raise Unacceptable(f"“{name}” is empty.")
    if size > MOST_BYTES:
        raise Unacceptable(f"“{name}” is larger than {MOST_BYTES // MEGABYTE} MB.")
    kind = _by_content(name, content)
    ending = PurePosixPath(name).suffix.lower().removeprefix(".")
    if ending not in kind.endings:
        said = f"ends in .{ending}" if ending else "has no ending"
        raise Unacceptable(
            f"“{name}” {said}, but by its content it is {kind.label}. Name it .{kind.endings[0]}."
        )
    return kind


def _by_content(name: str, content: bytes) -> Kind:
    beginning = content[:LOOKED_AT]
    for signature, kind in SIGNATURES:
        if signature.match(beginning):
            return kind
    if _MARKUP.search(beginning):
        raise Unacceptable(
            f"“{name}” is a web page or drawing (HTML, SVG, XML), which may run scripts. "
            "Send a picture or a PDF of it, or put it into a ZIP archive."
        )
    if not _is_text(content):
        raise Unacceptable(f"“{name}” is of a kind that is not taken here. {ACCEPTED} are.")
    return TEXT


def _is_text(content: bytes) -> bool:
    try:
        return not _CONTROL.search(content.decode())
    except UnicodeDecodeError:
        return False
