"""Those who only just begin with Brightwell, or have not come yet."""

from connections.models import Role
from revampd.demo.companies import BRIGHTWELL, DANIEL, HARBOR_KIDS, JORDAN, MAYA, MESA, SUMMIT
from revampd.demo.stage import Stage, Story, welcome


def harbor_kids_begins(stage: Stage) -> Story:
    """New: connected last week, without a card yet, its first plan waiting for approval."""
    deal = yield from welcome(
        stage, HARBOR_KIDS, provider=BRIGHTWELL, by=MAYA, invited=9, accepted=6, card=""
    )
    yield stage.ago(1, 17, 10)
    deal.propose(
        "Patient Growth",
        by=MAYA,
        note="The plan from our call. The first month starts on the day you approve.",
    )


def summit_is_invited(stage: Stage) -> Story:
    """Has not accepted yet: the link is in the demo's mailbox."""
    yield stage.ago(2, 19, 15)
    stage.invite(SUMMIT, provider=BRIGHTWELL, by=MAYA)


def mesa_never_answered(stage: Stage) -> Story:
    """Its invitation has expired and can be sent again."""
    yield stage.ago(24, 17, 55)
    stage.invite(MESA, provider=BRIGHTWELL, by=DANIEL)


def a_colleague_is_invited(stage: Stage) -> Story:
    """Brightwell hires; this link is in the mailbox, too."""
    yield stage.ago(1, 16, 25)
    stage.invite_colleague(BRIGHTWELL, JORDAN, Role.SUPPORT)


STORIES = (harbor_kids_begins, summit_is_invited, mesa_never_answered, a_colleague_is_invited)
