"""What happens in the demo, company by company. They are played together, in order of time."""

from revampd.demo.stage import Stage, Story

from . import brightwell, counting, ironside, newcomers, payouts, revampd, telling, tickets


def all_stories(stage: Stage) -> list[Story]:
    tellers = [
        *revampd.STORIES,
        *brightwell.STORIES,
        *newcomers.STORIES,
        *ironside.STORIES,
        *counting.STORIES,
        *payouts.STORIES,
        *tickets.STORIES,
        *telling.STORIES,
    ]
    return [tell(stage) for tell in tellers]
