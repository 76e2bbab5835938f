"""run.py: what it says to an unfit machine, and when it installs."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from devstack.places import ROOT


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module run.py, at work in an empty folder with three small locks."""
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(venv))
    monkeypatch.setattr(module, "VENV_PYTHON", sys.executable)
    monkeypatch.setattr(module, "STAMP", str(venv / ".installed"))
    monkeypatch.setattr(module, "UNFINISHED", str(venv / ".unfinished"))
    monkeypatch.setattr(module, "make_venv", lambda: venv.mkdir(exist_ok=True))
    monkeypatch.setattr(module, "pip_install", lambda _lock: ["true"])
    (tmp_path / "requirements").mkdir()
    for name in module.LOCKS:
        (tmp_path / "requirements" / f"{name}.lock").write_text(f"{name}==1\n")
    return module


@pytest.fixture
def installs(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks that were installed, in order."""
    done: list[str] = []
    install = run.install

    def note(lock: str) -> None:
        done.append(lock)
        install(lock)

    monkeypatch.setattr(run, "install", note)
    return done


def test_it_installs_once(run, installs):
    run.prepare("demo")
    run.prepare("demo")

    assert installs == ["demo"]


def test_it_installs_again_when_the_lock_has_changed(run, installs, tmp_path):
    run.prepare("demo")
    (tmp_path / "requirements" / "demo.lock").write_text("demo==2\n")
    run.prepare("demo")

    assert installs == ["demo", "demo"]


def test_the_larger_lock_serves_the_smaller(run, installs):
    run.prepare("dev")
    run.prepare("demo")

    assert installs == ["dev"]


def test_a_newer_small_lock_makes_the_large_one_stale(run, installs, tmp_path):
    run.prepare("dev")
    (tmp_path / "requirements" / "demo.lock").write_text("demo==2\n")
    run.prepare("demo")
    run.prepare("dev")

    assert installs == ["dev", "demo", "dev"]


def test_it_installs_again_when_the_python_is_gone(run, installs, monkeypatch):
    run.prepare("demo")
    monkeypatch.setattr(run, "VENV_PYTHON", "/nowhere/python")
    run.prepare("demo")

    assert installs == ["demo", "demo"]


def test_an_installation_that_failed_leaves_no_stamp(run, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "pip_install", lambda _lock: ["false"])

    with pytest.raises(SystemExit, match="could not be installed"):
        run.prepare("demo")

    assert run.installed() == []
    assert (tmp_path / ".venv" / ".unfinished").exists()


def test_it_parses_on_the_oldest_python_that_may_read_it():
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 6))


def test_it_tells_an_old_python_what_is_needed(run, monkeypatch):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(run.shutil, "which", lambda _name: None)

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        run.require_python()


@pytest.mark.parametrize(("argument", "code"), [("help", 0), ("--help", 0), ("dmeo", 2)])
def test_it_explains_itself(argument, code):
    command = [sys.executable, "run.py", argument]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert result.returncode == code
    assert "./run.py demo" in result.stdout
