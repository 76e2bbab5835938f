"""What holds for every template and every file that browsers load."""

import re
from pathlib import Path

import brotli
from django.conf import settings
from django.template.loader import get_template

from revampd.kit import stylesheets

ROOT = settings.ROOT
MAIL = {"email", "mail", "mails", "mail.html"}  # mail needs its styles inside
TEMPLATES = [
    path for path in sorted((ROOT / "templates").rglob("*.html")) if not MAIL & set(path.parts)
]
STATIC = ROOT / "static"
FORBIDDEN = re.compile(r"\sstyle=|<style|\son[a-z]+=\"|hx-on|javascript:|hx-vals=.js:")
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


class TestTemplates:
    def test_compile(self) -> None:
        for path in TEMPLATES:
            get_template(name(path))

    def test_carry_nothing_that_the_content_policy_refuses(self) -> None:
        texts = {name(path): path.read_text() for path in TEMPLATES}

        assert [n for n, text in texts.items() if FORBIDDEN.search(text)] == []
        assert [n for n, text in texts.items() if INLINE_SCRIPT.search(text)] == []

    def test_ask_only_for_icons_that_are_drawn(self) -> None:
        sprite = (STATIC / "img/icons.svg").read_text()
        drawn = set(re.findall(r'symbol id="([^"]+)"', sprite))
        asked = {
            i for path in TEMPLATES for i in re.findall(r'{% icon "([^"]+)"', path.read_text())
        }

        assert asked - drawn == set()


class TestWeight:
    def test_styles_fit_twelve_kilobytes(self) -> None:
        sheets = [STATIC / f"css/{sheet}.css" for sheet in stylesheets.SHEETS]
        joined = b"".join(sheet.read_bytes() for sheet in sheets)

        assert len(brotli.compress(joined)) <= 12 * 1024

    def test_script_fits_six_kilobytes(self) -> None:
        assert (STATIC / "js/app.js").stat().st_size <= 6 * 1024

    def test_every_sheet_is_joined_or_linked_by_itself(self) -> None:
        by_themselves = {"account", "admin"}
        sheets = {path.stem for path in (STATIC / "css").glob("*.css")}

        assert sheets == set(stylesheets.SHEETS) | by_themselves
