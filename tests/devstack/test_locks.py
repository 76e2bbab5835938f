"""The lock files: complete, hashed, and free of addresses."""

from pathlib import Path

import pytest

from devstack import locks

HASH = f"--hash=sha256:{'0' * 64}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in locks.LOCKS:
        (tmp_path / f"{name}.lock").write_text(f"django==5.2.19 \\\n    {HASH}\n")
    return tmp_path


def test_ours_are_sound() -> None:
    assert locks.problems() == []


def test_sound_ones_pass(folder: Path) -> None:
    assert locks.problems(folder) == []


def test_an_address_is_found(folder: Path) -> None:
    line = f"--index-url https://packages.example/simple {HASH}"
    (folder / "dev.lock").write_text(f"{line}\n{(folder / 'dev.lock').read_text()}")

    assert locks.problems(folder) == [f"dev.lock: an address: {line}"]


def test_a_pin_without_hash_is_found(folder: Path) -> None:
    with (folder / "dev.lock").open("a") as file:
        file.write("ruff==0.17.6\n")

    assert locks.problems(folder) == ["dev.lock: no hash for ruff==0.17.6"]


def test_a_pin_that_differs_from_the_smaller_lock_is_found(folder: Path) -> None:
    (folder / "dev.lock").write_text(f"django==5.2.20 \\\n    {HASH}\n")

    assert locks.problems(folder) == ["dev.lock: lacks django==5.2.19"]
