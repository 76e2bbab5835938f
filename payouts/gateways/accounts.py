"""The sandbox's bank accounts: what each does with money that is sent to it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto


class Behaviour(Enum):
    PAYS_LATER = auto()
    PAYS_AT_ONCE = auto()
    FAILS_LATER = auto()
    FAILS_AT_ONCE = auto()
    LOSES_REQUEST = auto()  # no answer, nothing happened; the same key again goes through
    LOSES_ANSWER = auto()  # no answer, but it is on its way
    RETURNS = auto()  # arrives, and the bank sends it back later


@dataclass(frozen=True, slots=True)
class TestAccount:
    """A test account. `code` is why it fails; `story` says on the page what it is good for."""

    name: str
    bank: str
    last4: str
    behaviour: Behaviour
    story: str
    code: str = ""


ARRIVES_AFTER = timedelta(days=2)
RETURNS_AFTER = timedelta(days=3)  # it had arrived

ALL = (
    TestAccount(
        *("later", "First Prairie Bank", "6789", Behaviour.PAYS_LATER),
        "Arrives after two days, as most do",
    ),
    TestAccount(*("at_once", "Harbor Savings", "0042", Behaviour.PAYS_AT_ONCE), "Arrives at once"),
    TestAccount(
        *("closed", "Old Mill Bank", "1113", Behaviour.FAILS_LATER),
        *("Comes back after two days: the account is closed", "account_closed"),
    ),
    TestAccount(
        *("refused", "Summit Trust", "2220", Behaviour.FAILS_AT_ONCE),
        *("Is refused at once: no such account", "no_account"),
    ),
    TestAccount(
        *("request_lost", "Faraway Bank", "0102", Behaviour.LOSES_REQUEST),
        "Time-out before it is sent; the next try arrives",
    ),
    TestAccount(
        *("answer_lost", "Silent Bank", "0201", Behaviour.LOSES_ANSWER),
        "Is sent, but the answer is lost",
    ),
    TestAccount(
        *("returned", "Lakeside Union", "3337", Behaviour.RETURNS),
        *("Arrives after two days and comes back three days later", "account_frozen"),
    ),
)
BY_NAME = {account.name: account for account in ALL}
