"""How people want to be told: once a day, by a suggestion of their organization, or not at all."""

from connections.kinds import Category
from notifications.models import Channel, Manner, OrganizationDefault, Preference
from notifications.models.preferences import Choices
from revampd.demo.companies import BRIGHTWELL, HELEN, MAYA, PRIYA, TOM
from revampd.demo.people import Person
from revampd.demo.stage import Stage, Story

SUPPORT_MAIL = (Category.SUPPORT.value, Channel.MAIL.value)
BILLING_MAIL = (Category.BILLING_MANAGEMENT.value, Channel.MAIL.value)
PAYOUT_MAIL = (Category.PAYOUTS.value, Channel.MAIL.value)


def once_a_day(stage: Stage) -> Story:
    """Priya and Helen read a summary in the morning, what they have to decide at once."""
    yield stage.ago(40, 17, 10)
    _choose(stage, PRIYA, {SUPPORT_MAIL: Manner.DAILY.value}, hour=8)
    _choose(stage, HELEN, {BILLING_MAIL: Manner.DAILY.value}, hour=7)


def what_brightwell_suggests(stage: Stage) -> Story:
    """Payouts come once a week: a summary is enough for whoever does not want it otherwise."""
    yield stage.ago(38, 18, 0)
    OrganizationDefault.suggest(
        stage.organization(BRIGHTWELL),
        {PAYOUT_MAIL: Manner.DAILY.value},
        by=stage.user(MAYA),
        at=stage.at,
    )
    _choose(stage, TOM, {PAYOUT_MAIL: Manner.OFF.value})


def _choose(stage: Stage, person: Person, choices: Choices, hour: int | None = None) -> None:
    Preference.choose(stage.user(person), choices, at=stage.at, hour=hour)


STORIES = (once_a_day, what_brightwell_suggests)
