"""A Chromium for the browser tests: found, or installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devstack.terminal import say

ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
MAC_APPLICATIONS = ("Google Chrome", "Chromium", "Microsoft Edge")
PLAYWRIGHT = [sys.executable, "-m", "playwright"]

HELP = """\
There is no browser for the browser tests. Any one of these provides it:
  .venv/bin/python -m playwright install --only-shell chromium
  apt-get install chromium libatomic1        (Debian, as root)
  REVAMPD_BROWSER=/path/to/chrome ./run.py test"""


def ensure() -> bool:
    """Tell whether there is a browser, after trying to install one if there was none."""
    if usable():
        return True
    if os.environ.get("REVAMPD_BROWSER"):
        return False  # a wrong path is for its owner to correct
    say("No browser found: installing one for the browser tests ...")
    for command in installers():
        subprocess.run(command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
        if usable():
            return True
    return False


def usable() -> bool:
    return driver_starts() and find() is not None


def find() -> dict[str, str] | None:
    """Return the options that make Playwright launch a browser of this machine, or None.

    No options at all mean Playwright's own build.
    """
    if chosen := os.environ.get("REVAMPD_BROWSER"):
        return {"executable_path": chosen} if Path(chosen).exists() else None
    if own_build_installed():
        return {}
    path = system_browser()
    return {"executable_path": path} if path else None


def own_build_installed() -> bool:
    """Ask Playwright where this version keeps its build, and look whether it is complete."""
    command = [*PLAYWRIGHT, "install", "--dry-run", "--only-shell", "chromium"]
    answer = subprocess.run(command, capture_output=True, text=True).stdout
    lines = [line.strip() for line in answer.splitlines()]
    folders = [line.split(":", 1)[1] for line in lines if line.startswith("Install location")]
    return any((Path(folder.strip()) / "INSTALLATION_COMPLETE").exists() for folder in folders)


def system_browser() -> str | None:
    for name in ON_PATH:
        if path := shutil.which(name):
            return path
    for name in MAC_APPLICATIONS:
        application = Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
        if application.exists():
            return str(application)
    return None


def driver_starts() -> bool:
    """Tell whether Playwright itself runs; its node needs libatomic, which a small Debian lacks."""
    return subprocess.run([*PLAYWRIGHT, "--version"], capture_output=True).returncode == 0


def installers() -> list[list[str]]:
    """Return the commands to try: the distribution's browser, then Playwright's own."""
    may_use_apt = os.geteuid() == 0 and shutil.which("apt-get") is not None
    commands = []
    if may_use_apt and is_debian():  # Ubuntu's package is a snap, which does not run here
        packages = ["chromium", "fonts-dejavu-core", "libatomic1"]
        commands.append(["apt-get", "update", "-qq"])
        commands.append(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
    with_system_libraries = ["--with-deps"] if may_use_apt else []
    commands.append([*PLAYWRIGHT, "install", *with_system_libraries, "--only-shell", "chromium"])
    return commands


def is_debian() -> bool:
    release = Path("/etc/os-release")
    return release.exists() and "ID=debian" in release.read_text().splitlines()
