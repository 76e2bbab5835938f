"""`./run.py test`: what its last lines tell."""

import sys
from pathlib import Path

from devstack.checks import PYTEST, Result, Step, skipped, summarize
from devstack.processes import Processes

TESTS = """
import pytest
def test_runs(): pass
@pytest.mark.skip(reason="there is no promtool here")
def test_alarms(): pass
@pytest.mark.skip(reason="there is no promtool here")
def test_more(): pass
def test_hosts(): pytest.skip("no namespaces")
"""


class TestSummary:
    def test_counts_what_was_skipped_and_says_why(self, tmp_path: Path, capsys):
        (tmp_path / "test_some.py").write_text(TESTS)
        report = tmp_path / "tests.xml"
        command = (*PYTEST, "-q", "-c", "/dev/null", "-p", "no:cacheprovider", "-p", "no:django")
        with Processes() as processes:
            options = {"cwd": tmp_path, "stdout": None}
            processes.run("tests", [*command, f"--junit-xml={report}", tmp_path], **options)

        assert skipped(report) == {"there is no promtool here": 2, "no namespaces": 1}
        code = summarize([Result(Step("tests", (sys.executable,)), 0, 1.0)], skipped(report))
        *_, first, second, last = capsys.readouterr().out.splitlines()
        assert code == 0
        assert (first.split()[:2], second.split()[:2]) == (["skipped", "2"], ["skipped", "1"])
        assert last == "Everything holds."

    def test_says_nothing_of_tests_that_did_not_run(self, tmp_path: Path):
        assert skipped(tmp_path / "tests.xml") == {}
