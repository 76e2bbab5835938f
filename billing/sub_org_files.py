"""Files of Sub-Orgs: read strictly, compared with what is there, before anybody is invited."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower

from connections.models import Connection, Membership, Organization
from revampd.kit.export import FORMULA
from revampd.kit.sheets import Problem, Sheet

from .models import SubOrgImport, SubOrgImportRow
from .models.sub_org_imports import NewSubOrg

NAME_LENGTH, EMAIL_LENGTH = 120, 254
OWNERS = ("sales_owner", "support_owner")


class SubOrgFile:
    """The rows of a CSV file: a name, its owner's e-mail, and who looks after it, if anybody.

    Raises Invalid for what is no such file; what is wrong with single rows is in `problems`.
    """

    def __init__(self, content: bytes) -> None:
        sheet = Sheet(content, READERS, optional=OWNERS)
        rows = zip(sheet.lines, sheet.rows, strict=True)
        self.sub_orgs = [NewSubOrg(line, **row) for line, row in rows]
        self.problems = [*sheet.problems, *self._twice()]

    def _twice(self) -> Iterator[Problem]:
        """Names that stand there again; a person may own several Sub-Orgs."""
        seen: dict[str, int] = {}
        for one in self.sub_orgs:
            first = seen.setdefault(one.name.lower(), one.line)
            if first != one.line:
                yield Problem(one.line, "name", f"“{one.name}” stands on line {first} already.")


@dataclass(frozen=True)
class Comparison:
    """A file beside what the Partner has already."""

    file: SubOrgFile
    partner: Organization

    @cached_property
    def problems(self) -> list[Problem]:
        """What speaks against the file, in the order of its lines; empty if nothing does."""
        found = [*self.file.problems, *self._known(), *self._strangers()]
        return sorted(found, key=lambda problem: problem.line)

    def _known(self) -> Iterator[Problem]:
        taken = names_taken(self.partner, [one.name for one in self.file.sub_orgs])
        for one in self.file.sub_orgs:
            if sentence := taken.get(one.name.lower()):
                yield Problem(one.line, "name", f"“{one.name}” {sentence}")

    def _strangers(self) -> Iterator[Problem]:
        members = team(self.partner)
        for one in self.file.sub_orgs:
            for column in OWNERS:
                email = getattr(one, column)
                if email and email not in members:
                    sentence = f"{email} is no member of {self.partner}."
                    yield Problem(one.line, column, sentence)


def names_taken(
    partner: Organization, names: Iterable[str], but: SubOrgImport | None = None
) -> dict[str, str]:
    """Which of these names, in small letters, the Partner has in use, and what to say of each.

    The import `but` does not stand in its own way.
    """
    small = {name.lower() for name in names}
    others = SubOrgImport.objects.of(partner).under_way()
    if but:
        others = others.exclude(pk=but.pk)
    waiting = SubOrgImportRow.objects.waiting().filter(sub_org_import__in=others)
    own = Connection.objects.filter(provider=partner).exclude(state=Connection.State.ENDED)
    taken: dict[str, str] = {}
    for rows, path, sentence in (
        (waiting, "name", "is being invited by another file."),
        (own, "customer__name", "is one of your Sub-Orgs already."),
    ):
        found = rows.annotate(small=Lower(path)).filter(small__in=small)
        taken |= dict.fromkeys(found.values_list("small", flat=True), sentence)
    return taken


def team(partner: Organization) -> dict[str, Membership]:
    """The members of the Partner by their addresses in small letters."""
    members = partner.memberships.select_related("user")
    return {member.user.email.lower(): member for member in members}


def _name(text: str) -> str:
    if not text:
        raise ValueError("Enter a name.")
    if len(text) > NAME_LENGTH:
        raise ValueError(f"Keep it to {NAME_LENGTH} characters; these are {len(text):,}.")
    if text.startswith(FORMULA):
        raise ValueError(f"A name cannot begin with “{text[0]}”: a spreadsheet would run it.")
    if not text.isprintable():
        raise ValueError("Write it on one line, without tabs.")
    return text


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("Enter an e-mail address like ada@example.com.") from None
    if len(text) > EMAIL_LENGTH:
        raise ValueError(f"Keep it to {EMAIL_LENGTH} characters; these are {len(text):,}.")
    return text.lower()


def _owner(text: str) -> str:
    return _email(text) if text else ""


READERS = {"name": _name, "email": _email, "sales_owner": _owner, "support_owner": _owner}
