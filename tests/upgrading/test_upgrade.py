"""A database with data of the last schema is brought up to this one, and both codes work on it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from devstack.places import ROOT

from .conftest import Site

HERE = Path(__file__).parent
PAGES, ACTS = HERE / "pages.py", HERE / "acts.py"
WRITTEN = ("BillingRequest", "Invoice", "Payment", "Ticket", "Notification", "paid")
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]


def assert_works(site: Site, code: Path, acts: Path = ACTS) -> None:
    """The pages of all roles answer, people act, a run bills and is paid; the books agree."""
    site.run(code, "manage.py", "collectstatic", "--no-input", "-v0")
    assert int(site.run(code, str(PAGES))) >= 30
    if acts.exists():  # the commit that brought them here follows one that has none
        written = json.loads(site.run(code, str(acts)))
        assert [kind for kind in WRITTEN if not written[kind]] == []
    assert "The books agree." in site.run(code, "manage.py", "verify_books")


class TestUpgrade:
    def test_applies_what_is_new(self, upgraded: Site):
        before, after = upgraded.applied

        assert after.count("[X]") > before.count("[X]")
        assert "[ ]" not in after

    def test_makes_the_schema_of_a_new_site(self, upgraded: Site, new: str):
        assert schema(upgraded.database) == schema(new)

    def test_keeps_the_books(self, upgraded: Site):
        assert "The books agree." in upgraded.run(ROOT, "manage.py", "verify_books")

    def test_lets_this_code_work(self, upgraded: Site):
        assert_works(upgraded, ROOT)

    def test_lets_the_last_commit_work_beside_it(self, upgraded: Site):
        """As processes of the last release do until they are replaced, one after the other."""
        last = upgraded.last
        if last is None:
            pytest.skip("there is no earlier commit here")
        assert last.keep_the_rule

        assert_works(upgraded, last.code, last.code / ACTS.relative_to(ROOT))
        assert_works(upgraded, ROOT)

    def test_lets_the_code_of_the_last_schema_work_beside_it(self, upgraded: Site):
        base = upgraded.base
        if not base.keep_the_rule:
            pytest.skip("what came before the first release did not have to keep the rule")

        assert_works(upgraded, base.code, base.code / ACTS.relative_to(ROOT))


def schema(database: str) -> list[str]:
    """Every table, index, rule, trigger and grant, as pg_dump writes it."""
    url = re.sub(r"/revampd\?", f"/{database}?", os.environ["REVAMPD_DATABASE_OWNER_URL"])
    program = Path(os.environ["REVAMPD_DEVSTACK_POSTGRES_BIN"]) / "pg_dump"
    done = subprocess.run(
        [program, "--schema-only", url], capture_output=True, text=True, check=True
    )
    # Newer ones write a key of chance into the first and the last line.
    return [line for line in done.stdout.splitlines() if "restrict " not in line[:12]]
