"""What production refuses to start with: each in a sentence that says which setting and how."""

import pytest

from devstack.checks import production_environment
from revampd.settings.safety import REQUIRED, problems, strangers
from tests.demo.test_production import run

UNSAFE = [
    ("REVAMPD_SECRET_KEY", "k3Y" * 16, "at least 50 random characters"),
    ("REVAMPD_SECRET_KEY", "a" * 80, "too easily guessed"),
    ("REVAMPD_BASE_URL", "http://portal.example", "does not begin with https://"),
    ("REVAMPD_BASE_URL", "portal.example", "does not begin with https://"),
    ("REVAMPD_BASE_URL", "https://portal.example/app", "leave what comes after the host away"),
    ("REVAMPD_DATABASE_URL", "sqlite:///books.db", "begins with none of postgres://"),
    ("REVAMPD_DATABASE_OWNER_URL", "mysql://host/books", "begins with none of postgres://"),
    ("REVAMPD_REDIS_URL", "memory://", "begins with none of redis://"),
    ("REVAMPD_EMAIL_URL", "consolemail://", "begins with none of smtp://"),
    ("REVAMPD_EMAIL_URL", "smtp://me:secret@mail.example:25", "password in the open"),
    ("REVAMPD_ALLOWED_HOSTS", "*", "takes any host"),
    ("REVAMPD_ALLOWED_HOSTS", "portal.example, .example", "takes any host"),
]
RANGES = [
    ("REVAMPD_TRUSTED_PROXIES", "-1", "whole number, 0 or more; it is “-1”"),
    ("REVAMPD_GRACE_DAYS", "two weeks", "whole number, 0 or more; it is “two weeks”"),
    ("REVAMPD_PAYOUT_WEEKDAY", "7", "whole number from 0 to 6; it is “7”"),
]


class TestProblems:
    def test_are_none_in_a_sound_environment(self):
        assert list(problems(production_environment())) == []

    @pytest.mark.parametrize("name", REQUIRED)
    def test_name_what_is_missing_and_show_an_example(self, name):
        environment = production_environment()
        del environment[name]

        [sentence] = problems(environment)
        assert sentence.startswith(f"{name} is missing: set it to ")
        assert list(problems(environment | {name: "  "})) == [sentence]

    @pytest.mark.parametrize(("name", "value", "words"), UNSAFE)
    def test_name_what_is_unsafe_and_never_say_its_value(self, name, value, words):
        [sentence] = problems(production_environment() | {name: value})

        assert sentence.startswith(name)
        assert words in sentence
        assert "secret@" not in sentence

    def test_are_told_all_at_once(self):
        assert len(list(problems({}))) == len(REQUIRED)


class TestStart:
    """In a process of its own, as a server would start."""

    def test_is_refused_with_every_sentence(self):
        started = run("import django; django.setup()", REVAMPD_BASE_URL="http://portal.example")

        assert started.returncode != 0
        for name in REQUIRED:
            assert name in started.stderr

    @pytest.mark.parametrize(("name", "value", "words"), RANGES)
    def test_is_refused_for_a_number_out_of_range(self, name, value, words):
        started = run("import revampd.settings", **production_environment() | {name: value})

        assert f"{name} is a {words}" in started.stderr

    def test_is_refused_for_a_name_that_nothing_reads(self):
        misspelt = production_environment() | {"REVAMPD_TRUSTED_PROXY": "1", "REVAMPD_DEBUG": "1"}
        started = run("import revampd.settings", **misspelt)

        assert "Nothing reads REVAMPD_DEBUG, REVAMPD_TRUSTED_PROXY" in started.stderr

    @pytest.mark.parametrize(("given", "asked"), [(None, True), ("false", False)])
    def test_asks_staff_for_a_second_factor_unless_told_not_to(self, given, asked):
        code = "from django.conf import settings; print(settings.STAFF_SECOND_FACTOR)"
        told = {"REVAMPD_STAFF_SECOND_FACTOR": given} if given else {}

        assert run(code, **production_environment() | told).stdout == f"{asked}\n"

    def test_is_never_in_debug_mode(self):
        code = "from django.conf import settings; print(settings.DEBUG, settings.ALLOWED_HOSTS)"
        started = run(code, DEBUG="1", DJANGO_DEBUG="1", **production_environment())

        assert started.stdout == "False ['revampd.example']\n"

    @pytest.mark.parametrize(
        ("setting", "lock"),
        [("REVAMPD_SENTRY_DSN", "sentry.lock"), ("REVAMPD_OTEL_ENDPOINT", "otel.lock")],
    )
    def test_says_what_to_install_for_telemetry(self, setting, lock):
        environment = production_environment() | {setting: "https://key@errors.example/1"}
        started = run("import django; django.setup()", **environment)

        assert f"{setting} is set" in started.stderr
        assert f"requirements/{lock}" in started.stderr


class TestMigrate:
    def test_is_refused_as_the_role_of_the_application(self):
        code = "import django; django.setup()\n"
        code += "from django.core.management import call_command; call_command('migrate')"

        assert "a role of its own" in run(code, **production_environment()).stderr


class TestStrangers:
    def test_are_names_of_ours_that_were_not_asked_for(self):
        given = {"REVAMPD_A": "", "REVAMPD_B": "", "OTHER": "", "REVAMPD_DEVSTACK_X": ""}

        assert strangers({**given, "REVAMPD_BROWSER": ""}, {"REVAMPD_A"}) == ["REVAMPD_B"]
