"""Log lines as JSON, one a line, with the request and the task they belong to.

They name no people and carry no secrets: addresses in them are numbers and patterns, and what a
library puts into an error's words is masked.
"""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from traceback import TracebackException
from typing import Any

from celery._state import get_current_task

from revampd.kit.origin import current_origin

MASKS = [
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(\b[a-z+]+://)[^\s/@]*:[^\s/@]*@"), r"\1[password]@"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_\w{6,}"), "[key]"),
    (re.compile(r"\bBearer \S+"), "Bearer [token]"),
    # What Django signs, such as the link of an invitation.
    (re.compile(r"[\w=-]{2,}:(?:[\w-]{4,8}:)?[\w-]{40,}"), "[token]"),
    # PostgreSQL tells the values of a row that it refuses.
    (re.compile(r"DETAIL: .*"), "DETAIL: [left out]"),
    (re.compile(r"CONTEXT: .*"), "CONTEXT: [left out]"),
]
EXTRAS = ("method", "route", "status", "ms", "outcome", "result")


def discreet(text: str) -> str:
    """The text without e-mail addresses, passwords, keys, tokens and the contents of rows."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


class JsonLines(logging.Formatter):
    """A JSON object a line: when, how bad, who says so, what, and what it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": discreet(_message(record)),
            **_belongings(record),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = type(record.exc_info[1]).__name__
            line["traceback"] = discreet(_traceback(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    """Django's own lines about a request name its path, which may hold a token: not so ours."""
    request = getattr(record, "request", None)
    if request is None or not hasattr(request, "resolver_match"):
        return record.getMessage()
    status = getattr(record, "status_code", "")
    return f"{request.method} {route_of(request)} {status}".strip()


def route_of(request: Any) -> str:
    """The pattern of the address that was asked for, never the address itself."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "(none)"


def _belongings(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: vars(record)[name] for name in EXTRAS if name in vars(record)}
    request = getattr(record, "request", None)
    if of_request := getattr(request, "id", "") or current_origin().get("request", ""):
        found["request"] = of_request
    task: Any = get_current_task()
    if task is not None and task.request.id:
        found |= {"task": task.name, "task_id": task.request.id}
        if rung_by := getattr(task.request, "rung_by", ""):
            found["request"] = rung_by
    return found


def _traceback(error: BaseException) -> str:
    """Where it happened and what it said, without notes: they are for staff, and name people."""
    told = TracebackException.from_exception(error)
    for part in _parts(told):
        part.__notes__ = None  # type: ignore[assignment, unused-ignore]
    return "".join(told.format())


def _parts(told: TracebackException | None) -> Iterator[TracebackException]:
    if told is not None:
        yield told
        for part in (told.__cause__, told.__context__, *(told.exceptions or ())):
            yield from _parts(part)
