"""How the two Partners draw what they earned: one by a standing split, one by hand."""

from revampd.demo.companies import BRIGHTWELL, DANIEL, ELENA, IRONSIDE, JAKE, MAYA, REVAMPD
from revampd.demo.payouts import link_bank, prefer_split, settle
from revampd.demo.stage import Stage, Story


def brightwell_splits(stage: Stage) -> Story:
    """The first weeks go to the wallet; then a tenth pays Revampd and the rest goes to the bank."""
    yield stage.ago(265, 17, 20)
    deal = stage.deal(REVAMPD, BRIGHTWELL)
    settle(deal, by=DANIEL, percent=100)
    yield stage.ago(258, 19, 45)
    link_bank(deal, "later", by=MAYA)
    yield stage.ago(257, 16, 10)
    prefer_split(deal, 10, by=DANIEL)


def ironside_decides_each_time(stage: Stage) -> Story:
    """A transfer comes back from a closed account; the last payouts still wait."""
    yield stage.ago(150, 18, 35)
    deal = stage.deal(REVAMPD, IRONSIDE)
    settle(deal, by=ELENA, percent=100)
    yield stage.ago(110, 17, 50)
    link_bank(deal, "closed", by=JAKE)
    yield stage.ago(109, 16, 25)
    settle(deal, by=ELENA, percent=0, number=1)
    yield stage.ago(104, 20, 15)
    link_bank(deal, "later", by=JAKE)
    yield stage.ago(100, 18, 20)
    settle(deal, by=ELENA, percent=0)
    yield stage.ago(30, 17, 15)
    settle(deal, by=ELENA, percent=50)
    yield stage.ago(1, 16, 55)
    settle(deal, by=ELENA, percent=0, number=1)


STORIES = (brightwell_splits, ironside_decides_each_time)
