"""Which browser the tests use."""

import sys

from devstack import browser


def test_the_chosen_one_comes_first(monkeypatch):
    monkeypatch.setenv("REVAMPD_BROWSER", sys.executable)

    assert browser.find() == {"executable_path": sys.executable}


def test_a_wrong_choice_is_not_replaced_silently(monkeypatch):
    monkeypatch.setenv("REVAMPD_BROWSER", "/nowhere/chrome")

    assert browser.find() is None


def test_playwrights_own_needs_no_path(monkeypatch):
    monkeypatch.delenv("REVAMPD_BROWSER", raising=False)
    monkeypatch.setattr(browser, "own_build_installed", lambda: True)

    assert browser.find() == {}


def test_the_systems_serves_otherwise(monkeypatch):
    monkeypatch.delenv("REVAMPD_BROWSER", raising=False)
    monkeypatch.setattr(browser, "own_build_installed", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")

    assert browser.find() == {"executable_path": "/usr/bin/chromium"}
