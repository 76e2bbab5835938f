"""`./run.py test`: every check by name, one after the other, and a table of how they went."""

import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from devstack import browser
from devstack.places import ROOT, temporary_home
from devstack.postgres import OWNER, Postgres
from devstack.processes import Processes
from devstack.terminal import progress, say
from devstack.valkey import Valkey

PYTHON = sys.executable
DJADE = str(Path(PYTHON).parent / "djade")  # a program, no module
PYTEST = (PYTHON, "-m", "pytest")
ALL_TESTS = ("--upgraded", "-n", "2", "--dist", "loadgroup")
IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# Choices about servers and browser reach the tests; whatever else is set for a demo or a production
# site of the same machine does not.
INHERITED = ("REVAMPD_BROWSER", "REVAMPD_DB_ACCOUNT", "REVAMPD_SYSTEM_SERVERS")


@dataclass(frozen=True)
class Step:
    """One check: a command that ends with 0 when all is well."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    step: Step
    code: int
    seconds: float


def test(arguments: Sequence[str]) -> int:
    """Run every step or, given arguments, pytest alone with them; return the exit code."""
    with temporary_home() as home, Processes() as processes:
        with progress("Starting PostgreSQL and Valkey"):
            env = start_servers(home, processes)
        if not browser.ensure():
            say(browser.HELP)
        if arguments:
            return run(Step("pytest", (*PYTEST, *arguments)), processes, env).code
        report = home / "tests.xml"
        results = [run(step, processes, env, heading=True) for step in steps(report)]
        left_out = skipped(report)
    return summarize(results, left_out)


def steps(report: Path) -> list[Step]:
    """All checks. That of the tests writes down how each of them went."""
    manage = (PYTHON, "manage.py")
    no_new_migration = ("makemigrations", "--check", "--dry-run")
    for_production = ("check", "--deploy", "--fail-level", "WARNING")
    return [
        Step("lock files", (PYTHON, "-m", "devstack.locks")),
        Step("ruff check", (PYTHON, "-m", "ruff", "check")),
        Step("ruff format", (PYTHON, "-m", "ruff", "format", "--check")),
        Step("templates", (DJADE, "--check", *templates())),
        Step("types", (PYTHON, "-m", "mypy")),
        Step("import contracts", (PYTHON, "-c", IMPORT_LINTER)),
        Step("migrations", (*manage, *no_new_migration)),
        Step("production settings", (*manage, *for_production), production_environment()),
        Step("tests", (*PYTEST, *ALL_TESTS, f"--junit-xml={report}")),
    ]


def templates() -> list[str]:
    """Return the templates' paths, with the options that djade needs for them."""
    found = [path for pattern in ("templates", "*/templates") for path in ROOT.glob(pattern)]
    files = sorted(str(file) for folder in found for file in folder.rglob("*.html"))
    return ["--target-version", "5.2", *files]


def production_environment() -> dict[str, str]:
    return {
        "REVAMPD_MODE": "production",
        "REVAMPD_SECRET_KEY": secrets.token_urlsafe(64),
        "REVAMPD_ALLOWED_HOSTS": "revampd.example",
        "REVAMPD_BASE_URL": "https://revampd.example",
        "REVAMPD_DATABASE_URL": "postgres://revampd_app:secret@db.revampd.example/revampd",
        "REVAMPD_REDIS_URL": "redis://broker.revampd.example:6379/0",
        "REVAMPD_EMAIL_URL": "smtp+tls://mail.revampd.example:587",
        "REVAMPD_FROM_EMAIL": "Revampd <billing@revampd.example>",
    }


def start_servers(home: Path, processes: Processes) -> dict[str, str]:
    """Start PostgreSQL and Valkey for the tests and return the environment that leads there."""
    postgres = Postgres(home, processes, durable=False)
    valkey = Valkey(home, processes, durable=False)
    postgres.start()
    valkey.start()
    postgres.wait()
    valkey.wait()
    (home / "static").mkdir()  # nothing is collected for tests, but the place exists
    return inherited_environment() | {
        "DJANGO_SETTINGS_MODULE": "revampd.settings",
        "REVAMPD_MODE": "test",
        "REVAMPD_DATABASE_URL": postgres.url(),
        "REVAMPD_DATABASE_OWNER_URL": postgres.url(OWNER),
        "REVAMPD_REDIS_URL": valkey.url(),
        "REVAMPD_LOCAL_DIR": str(home),
        # For tests that start a server of their own to cut it off.
        "REVAMPD_DEVSTACK_POSTGRES_BIN": str(postgres.bin),
        "REVAMPD_DEVSTACK_VALKEY_SERVER": str(valkey.binary),
    }


def inherited_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or not name.startswith("REVAMPD_")
    }


def run(
    step: Step, processes: Processes, env: Mapping[str, str], *, heading: bool = False
) -> Result:
    started = time.monotonic()
    if heading:
        say(f"\n=== {step.name} ===")
    options = {"stdin": None, "stdout": None}  # the terminal's own, for colours and the debugger
    code = processes.run(step.name, step.command, env={**env, **step.env}, **options)
    seconds = time.monotonic() - started
    if heading:
        say(f"{'ok' if code == 0 else 'FAILED'} after {seconds:.1f} s")
    return Result(step, code, seconds)


def skipped(report: Path) -> Counter[str]:
    """How many tests were left out, by the reason; nothing if none ran."""
    if not report.exists():
        return Counter()
    found = ElementTree.parse(report).iterfind(".//testcase/skipped")  # noqa: S314 - our own
    return Counter(one.get("message") or "no reason given" for one in found)


def summarize(results: Sequence[Result], left_out: Counter[str]) -> int:
    """Print the table, which tests were left out and why, and return the exit code."""
    say("\n=== summary ===")
    for result in results:
        verdict = "ok" if result.code == 0 else "FAILED"
        say(f"  {verdict:<6}  {result.seconds:6.1f} s  {result.step.name}")
    for reason, number in left_out.most_common():
        say(f"  skipped {number:>8}    {reason}")
    failures = [result.step.name for result in results if result.code]
    say(f"Failed: {', '.join(failures)}" if failures else "Everything holds.")
    return 1 if failures else 0
