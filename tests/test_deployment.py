"""What a site is made of agrees with the code: settings, commands, files, alarms.

No container is started here. What is looked at: that every name which the files use exists, that
every setting is documented, and that a site as they describe it would start.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery as celery_command
from django.core.management import get_commands
from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from billing import events
from connections.kinds import EventKind
from devstack import locks
from devstack.checks import production_environment
from revampd.figures import HELP
from revampd.kit import metrics
from revampd.kit.uploads import MEGABYTE, MOST_AT_ONCE
from revampd.settings.safety import OF_DEVELOPERS, problems

ROOT = Path(__file__).resolve().parent.parent
SETTING = re.compile(r"REVAMPD_[A-Z][A-Z0-9_]*[A-Z0-9]")
COMPOSE = ROOT / "deploy" / "compose.yaml"
ENVIRONMENTS = ("revampd.env", "owner.env", "database.env")
INSTRUCTIONS = {
    *("FROM", "COPY", "RUN", "ARG", "ENV", "WORKDIR", "USER", "EXPOSE", "CMD"),
}


def read(*names: str) -> str:
    return "\n".join((ROOT / name).read_text() for name in names)


def in_code() -> set[str]:
    """The settings that the code reads."""
    asked = re.compile(r"""(?:env\.\w+|number)\(\s*["'](REVAMPD_\w+)["']""")
    sources = [path.read_text() for path in (ROOT / "revampd" / "settings").glob("*.py")]
    return {name for text in sources for name in asked.findall(text)}


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def environment(name: str) -> dict[str, str]:
    """What is set by an example of an environment file."""
    lines = read(f"deploy/{name}.example").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


class TestSettings:
    def test_are_all_documented(self):
        documented = set(SETTING.findall(read("docs/settings.md")))

        assert documented == in_code()

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "Dockerfile",
                "deploy/compose.yaml",
                *(f"deploy/{name}.example" for name in ENVIRONMENTS),
                "gunicorn.conf.py",
            ),
            *("docs/deploy.md", "docs/upgrade.md", "docs/backup.md", "docs/restore.md"),
            *("docs/incidents.md", "docs/growing.md", "deploy/nginx.conf"),
        ],
    )
    def test_that_a_file_names_exist(self, name):
        assert set(SETTING.findall(read(name))) - in_code() - {*OF_DEVELOPERS} == set()

    def test_of_the_example_start_a_site_once_they_are_filled_in(self):
        example = environment("revampd.env")
        assert [sentence.split(" ")[0] for sentence in problems(example)] == ["REVAMPD_SECRET_KEY"]

        key = production_environment()["REVAMPD_SECRET_KEY"]
        filled_in = example | {"REVAMPD_SECRET_KEY": key}
        assert list(problems(filled_in)) == []
        assert list(problems(filled_in | environment("owner.env"))) == []


class TestOptionalLocks:
    @pytest.mark.parametrize("name", ["s3", "sentry", "otel"])
    def test_are_the_applications_and_more(self, name):
        """Those that are wanted are installed one after the other, so they must agree."""
        app, text = read("requirements/app.lock"), read(f"requirements/{name}.lock")

        assert locks.pins(app) < locks.pins(text)
        assert locks.without_hash(text) == []
        assert "://" not in text


class TestProxy:
    def test_says_of_too_large_a_body_what_revampd_says_of_those_it_hears_of(self):
        text = read("deploy/nginx.conf")
        [megabytes] = re.findall(r"client_max_body_size (\d+)m;", text)
        [place] = re.findall(r"error_page 413 (@\w+);", text)
        told = text.partition(f"location {place} {{")[2].partition("}")[0]

        assert int(megabytes) * MEGABYTE > MOST_AT_ONCE
        sentence = f"more than {MOST_AT_ONCE // MEGABYTE} MB at once. Nothing was sent."
        assert f"{sentence} Send smaller files, or fewer of them." in told
        assert 'HX-Retarget "#flash"' in told


class TestCompose:
    OURS = ("web", "worker", "beat", "migrate", "backup", "restore")

    def test_has_every_part_of_a_site(self):
        assert {"web", "worker", "beat", "database", "broker"} <= set(services())

    @pytest.mark.parametrize("name", OURS)
    def test_runs_commands_that_exist(self, name):
        program, *words = services()[name]["command"]
        if program == "gunicorn":
            assert words[0] == "revampd.wsgi"
            assert (ROOT / "revampd" / "wsgi.py").exists()
        elif program == "celery":
            assert words[:2] == ["-A", "revampd"]
            command = celery_command.commands[words[2]]
            known = {option for part in command.params for option in part.opts}
            assert {word.split("=")[0] for word in words[3:]} <= known
        else:
            assert (program, words[0]) == ("python", "manage.py")
            assert words[1] in get_commands()

    @pytest.mark.parametrize("name", [*OURS, "broker"])
    def test_gives_no_more_than_is_needed(self, name):
        service = services()[name]

        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]

    def test_starts_the_broker_as_its_user_where_it_may_write(self):
        """Its entry point steps down from root, which it cannot do without capabilities."""
        broker = services()["broker"]

        assert broker["user"] == "valkey"
        assert broker["tmpfs"] == "/data"

    def test_calls_the_database_healthy_once_it_listens_for_others(self):
        """While it is being made it answers at its socket, and has no roles yet."""
        assert "-h 127.0.0.1" in " ".join(services()["database"]["healthcheck"]["test"])

    def test_does_not_call_a_database_healthy_whose_roles_could_not_be_made(self):
        """It is started again, finds its folder filled, and makes none ever after.

        Asked for in another database: who restores renames theirs, which nobody may be using.
        """
        asked = " ".join(services()["database"]["healthcheck"]["test"])
        made = re.findall(r"CREATE ROLE (\w+)", read("deploy/roles.sh"))

        assert f"-U {made[-1]} -d postgres" in asked

    @pytest.mark.parametrize("name", ["backup", "restore"])
    def test_neither_backs_up_nor_restores_what_was_just_migrated(self, name):
        assert set(services()[name]["depends_on"]) == {"database"}

    def test_restores_the_files_of_tickets_too(self):
        assert services()["restore"]["volumes"] == [
            "attachments:/data/attachments",
            "backups:/data/backups:ro",
        ]

    @pytest.mark.parametrize("name", OURS)
    def test_lets_only_those_be_the_owner_who_need_to(self, name):
        """As docs/settings.md asks for."""
        own = services()[name]["env_file"]
        files = [own] if isinstance(own, str) else own
        told = {name for file in files for name in environment(file)}

        assert ("REVAMPD_DATABASE_OWNER_URL" in told) == (name in {"migrate", "backup", "restore"})
        assert not told & set(environment("database.env"))

    def test_tells_the_database_what_its_roles_are_made_with_and_no_more(self):
        asked = set(re.findall(r"\$\{?([A-Z_]+)", read("deploy/roles.sh")))

        assert services()["database"]["env_file"] == "database.env"
        assert set(environment("database.env")) == asked | {"POSTGRES_PASSWORD"}

    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_keeps_secrets_out_of_commits(self, name):
        said = subprocess.run(["git", "check-ignore", f"deploy/{name}"], cwd=ROOT, check=False)

        assert said.returncode == 0

    def test_publishes_the_web_alone_and_to_this_host_only(self):
        published = {name: made["ports"] for name, made in services().items() if "ports" in made}

        assert published == {"web": ["127.0.0.1:8000:8000"]}

    def test_mounts_what_is_there(self):
        mounted = [
            mount.split(":")[0]
            for made in services().values()
            for mount in made.get("volumes", [])
            if mount.startswith(".")
        ]

        assert [path for path in mounted if not (COMPOSE.parent / path).exists()] == []

    def test_lets_a_task_come_to_its_end(self, settings):
        assert services()["worker"]["stop_grace_period"] == "10m"
        assert settings.CELERY_TASK_TIME_LIMIT < 600


class TestDockerfile:
    LINES = re.sub(r"\\\n", " ", read("Dockerfile")).splitlines()
    STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]

    def test_uses_instructions_that_exist(self):
        assert {step[0] for step in self.STEPS} <= INSTRUCTIONS

    def test_copies_what_is_there_and_not_ignored(self):
        kept = {line[1:].rstrip("/") for line in read(".dockerignore").splitlines() if "!" in line}
        copied = {
            source.rstrip("/")
            for name, rest in self.STEPS
            if name == "COPY" and not rest.startswith("--from")
            for source in rest.split()[:-1]
        }

        assert {path for path in copied if not (ROOT / path).exists()} == set()
        assert copied == kept

    def test_carries_every_app(self, settings):
        copied = " ".join(rest for name, rest in self.STEPS if name == "COPY")
        apps = [app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()]

        assert [app for app in apps if f"{app}/" not in copied] == []

    def test_runs_as_nobody_of_importance(self):
        users = [rest for name, rest in self.STEPS if name == "USER"]

        assert users == ["revampd"]
        assert self.STEPS[-1][0] == "CMD"

    def test_collects_files_with_settings_that_are_sound(self):
        [step] = [rest for name, rest in self.STEPS if name == "RUN" and "collectstatic" in rest]
        pairs = [word.split("=", 1) for word in shlex.split(step) if word.startswith("REVAMPD_")]
        key = production_environment()["REVAMPD_SECRET_KEY"]

        assert list(problems(dict(pairs) | {"REVAMPD_SECRET_KEY": key})) == []


class TestShell:
    def test_reads_the_roles(self):
        script = ROOT / "deploy" / "roles.sh"

        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
        assert script.stat().st_mode & 0o111


class TestAlarms:
    @pytest.mark.skipif(not shutil.which("promtool"), reason="there is no promtool here")
    def test_are_understood_by_prometheus(self):
        rules = ROOT / "deploy" / "alarms.yml"

        assert subprocess.run(["promtool", "check", "rules", rules], check=False).returncode == 0

    RULES = [
        rule
        for group in yaml.safe_load(read("deploy/alarms.yml"))["groups"]
        for rule in group["rules"]
    ]

    def test_look_at_figures_that_exist(self):
        counted = {
            name
            for value in vars(metrics).values()
            if isinstance(value, MetricWrapperBase)
            for metric in value.describe()
            for name in _names(metric)
        }
        looked_at = {
            name for rule in self.RULES for name in re.findall(r"revampd_\w+", rule["expr"])
        }

        assert looked_at - set(HELP) - counted == set()

    def test_each_have_a_part_in_the_page_of_incidents(self):
        parts = set(re.findall(r"^## (\w+)$", read("docs/incidents.md"), re.MULTILINE))

        assert parts == {rule["alert"] for rule in self.RULES}

    def test_only_what_happens_is_looked_for(self):
        named = {
            code for rule in self.RULES for code in re.findall(r'code="([\w.]+)"', rule["expr"])
        }
        assert named <= {kind.code for kind in vars(events).values() if isinstance(kind, EventKind)}


def _names(metric: Metric) -> list[str]:
    """The names under which Prometheus sees it."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return [f"{metric.name}{end}" for end in endings.get(metric.type, ("",))]
