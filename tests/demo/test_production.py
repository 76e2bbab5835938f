"""Nothing of the demo exists in production."""

import os
import subprocess
import sys

import pytest

from devstack.checks import production_environment
from devstack.places import ROOT

LOOK = """
import sys, django
django.setup()
from django.conf import settings
from django.core.management import CommandError, call_command
from django.template import engines
from django.urls import Resolver404, get_resolver, resolve
get_resolver().url_patterns
engines["django"].engine.template_context_processors
for path in (
    "/demo/sign-in/maya/",
    "/demo/mail/",
    "/demo/mail/20260101-000000-1-0/",
    "/demo/clock/",
    "/demo/clock/00000000-0000-4000-8000-000000000000/",
):
    try:
        resolve(path)
    except Resolver404:
        continue
    sys.exit(f"{path} exists")
loaded = [name for name in sys.modules if name.startswith("revampd.demo")]
if loaded:
    sys.exit(f"{loaded} were imported")
try:
    call_command("seed_demo")
except CommandError as refusal:
    print(refusal)
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    settings = {"DJANGO_SETTINGS_MODULE": "revampd.settings", **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=kept | settings, cwd=ROOT, capture_output=True, text=True, check=False
    )


class TestProduction:
    def test_has_neither_pages_nor_code_of_the_demo(self) -> None:
        looked = run(LOOK, **production_environment())
        assert looked.returncode == 0, looked.stderr
        assert "Only a demo can be seeded" in looked.stdout

    @pytest.mark.parametrize("mode", ["Demo", "demo ", "staging"])
    def test_takes_no_mode_that_it_does_not_know(self, mode: str) -> None:
        started = run(
            "import revampd.settings", **production_environment() | {"REVAMPD_MODE": mode}
        )
        assert "REVAMPD_MODE is production, demo or test" in started.stderr

    def test_is_what_an_environment_without_a_mode_means(self) -> None:
        environment = production_environment()
        del environment["REVAMPD_MODE"]
        looked = run(LOOK, **environment)
        assert looked.returncode == 0, looked.stderr

    def test_cannot_be_turned_into_a_demo_by_the_mode_alone(self) -> None:
        started = run(
            "import revampd.settings", **production_environment() | {"REVAMPD_MODE": "demo"}
        )
        assert "has no place behind https://" in started.stderr
