"""Sub-Orgs by the file."""

from connections.kinds import OWNERS, Category, EventKind, Telling

from .places import to_import

import_confirmed = EventKind("import.confirmed", "confirmed the import of {number} Sub-Orgs")
import_finished = EventKind(
    "import.finished",
    "The import is finished: {invited} invited, {refused} not",
    category=Category.ACCOUNT,
    icon="people",
    members=Telling(
        "The Sub-Orgs of your file are invited",
        "{invited} were invited, {refused} not. Whoever was invited got a link by e-mail.",
        action="See the result",
        roles=OWNERS,
    ),
    facts=(("invited", "Invited"), ("refused", "Not invited"), ("inviter", "Confirmed by")),
    link=to_import,
)
