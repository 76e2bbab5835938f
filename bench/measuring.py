"""What one run cost, and how runs compare."""

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg


@dataclass
class Measured:
    """One contender's run: seconds, WAL in bytes, memory in KiB above what it had idle."""

    invoices: int
    wall: float
    cpu: float
    wal: int
    memory: int


def cpu_of(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def position(session: psycopg.Connection[Any]) -> int:
    """Where the WAL ends, in bytes."""
    [row] = session.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()
    return int(row[0])


@contextmanager
def peak_memory(pid: int) -> Iterator[list[int]]:
    """The private memory of a process in KiB: at the start, and at its highest."""
    seen, done = [private_memory(pid)] * 2, threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            seen[1] = max(seen[1], private_memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    done.set()
    watcher.join()


def private_memory(pid: int) -> int:
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def table(results: Mapping[str, Sequence[Measured]]) -> str:
    """A row a contender. Ratios are medians over the rounds that it shares with the first one."""
    head = (
        *("contender", "rounds", "invoices/s", "CPU ms/invoice", "CPU ratio", "wall ratio"),
        *("WAL B/invoice", "memory +MiB"),
    )
    rows = [head, tuple("---" for _ in head)]
    base = next(iter(results.values()))
    for name, runs in results.items():
        cpu = median(mine.cpu / its.cpu for mine, its in zip(runs, base, strict=False))
        wall = median(mine.wall / its.wall for mine, its in zip(runs, base, strict=False))
        rows.append(
            (
                name,
                str(len(runs)),
                f"{median(run.invoices / run.wall for run in runs):,.0f}",
                f"{median(run.cpu / run.invoices for run in runs) * 1000:.3f}",
                f"{cpu:.2f}",
                f"{wall:.2f}",
                f"{median(run.wal / run.invoices for run in runs):,.0f}",
                f"{median(run.memory for run in runs) / 1024:.1f}",
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
