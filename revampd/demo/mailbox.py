"""The mails that the demo has written to files instead of sending them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

# What Django's file backend writes below every mail.
BELOW = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Mail:
    """One mail. `key` names it in an address: its file, and its number in the file."""

    key: str
    at: datetime | None
    to: str
    subject: str
    text: str


def newest_first(folder: Path) -> list[Mail]:
    """All mails of the folder."""
    files = sorted(folder.glob("*.log"), reverse=True)
    mails = [mail for file in files for mail in reversed(_mails_of(file))]
    # The names of files tell seconds; only the mails themselves tell more, and not all do.
    return sorted(mails, key=lambda mail: mail.at.timestamp() if mail.at else 0, reverse=True)


def _mails_of(file: Path) -> list[Mail]:
    contents = file.read_bytes().split(BELOW)[:-1]
    return [_mail(f"{file.stem}-{number}", raw) for number, raw in enumerate(contents)]


def _mail(key: str, raw: bytes) -> Mail:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    body = message.get_body(("plain",))
    date = message["Date"]
    return Mail(
        key=key,
        at=_aware(date.datetime) if date else None,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        text=body.get_content().strip() if body else "",
    )


def _aware(instant: datetime) -> datetime:
    """Mail that hides its time zone ("-0000") is read without one; it means UTC."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
