"""Revampd and its tiers; how the two Partners joined."""

from revampd.demo.companies import BRIGHTWELL, DANIEL, ELENA, INGRID, IRONSIDE, JAKE, MAYA, REVAMPD
from revampd.demo.purse import adjust
from revampd.demo.referring import come_by_link, give, make_link
from revampd.demo.stage import Stage, Story, welcome


def the_platform_opens(stage: Stage) -> Story:
    """Three tiers, two add-ons and a service for Partners."""
    yield stage.ago(290, 16)
    stage.found_platform(REVAMPD)
    yield stage.ago(290, 19)
    _tier(stage, "Starter", "For an agency with its first customers.", 97_00, 5_00, 10, 25, 50)
    _tier(stage, "Pro", "For an agency that grows.", 297_00, 3_50, 50, 150, 400)
    _tier(stage, "Scale", "For many Sub-Orgs, without limits.", 497_00, 2_00, None, None, None)
    stage.add_on(
        REVAMPD,
        INGRID,
        "Phone number",
        "A local number with calls and text messages, for you or one of your Sub-Orgs.",
        4_00,
    )
    stage.add_on(
        REVAMPD,
        INGRID,
        "Dedicated sending address",
        "An IP address of your own, so that nobody else's mail harms your reputation.",
        59_00,
    )
    stage.one_time(
        REVAMPD,
        INGRID,
        "Migration workshop",
        "We move your campaigns and contacts over with you, in one sitting.",
        250_00,
    )
    give(stage, REVAMPD, 20_00, 12, by=INGRID)


def _tier(
    stage: Stage,
    name: str,
    description: str,
    price: int,
    fee: int,
    sub_orgs: int | None,
    campaigns: int | None,
    workflows: int | None,
) -> None:
    stage.publish(
        stage.plan(REVAMPD, INGRID, name, description),
        REVAMPD,
        INGRID,
        interval="MONTH",
        base_price=price,
        transaction_fee=fee,
        max_sub_orgs=sub_orgs,
        max_campaigns=campaigns,
        max_workflows=workflows,
    )


def brightwell_joins(stage: Stage) -> Story:
    """Starts on Starter, moves up to Pro at a cycle, adds phone numbers and gives one back."""
    deal = yield from welcome(
        stage, BRIGHTWELL, provider=REVAMPD, by=INGRID, invited=288, accepted=287, card="mastercard"
    )
    yield stage.ago(286, 18)
    deal.choose_tier("Starter", by=MAYA)
    yield stage.ago(158, 20, 15)
    deal.choose_tier("Pro", by=MAYA)
    yield stage.ago(112, 17, 40)
    numbers = deal.add("Phone number", 3, by=DANIEL)
    yield stage.ago(75, 18, 20)
    workshop = deal.propose(
        "Migration workshop", by=INGRID, note="Two hours with your team, as you asked for."
    )
    yield stage.ago(74, 16, 5)
    deal.approve(workshop, by=MAYA)
    yield stage.ago(20, 17, 10)
    adjust(deal, 75_00, "Thank you for the talk at our partner day.", by=INGRID)
    yield stage.ago(3, 19, 35)
    deal.remove(numbers, 1, by=DANIEL)
    yield stage.ago(1, 16)
    deal.report(campaigns=64, workflows=231)


def ironside_joins(stage: Stage) -> Story:
    """Brightwell brings it, and earns of its tier for a year. Starter, with Pro scheduled."""
    yield stage.ago(207, 16, 20)
    link = make_link(stage, BRIGHTWELL, REVAMPD, by=MAYA)
    deal = yield from come_by_link(
        stage, IRONSIDE, provider=REVAMPD, link=link, joined=205, by=INGRID
    )
    yield stage.ago(204, 19, 30)
    deal.choose_tier("Starter", by=JAKE)
    yield stage.ago(66, 16, 25)
    deal.add("Dedicated sending address", 1, by=ELENA)
    yield stage.ago(2, 21, 5)
    deal.choose_tier("Pro", by=JAKE)
    yield stage.ago(1, 16)
    deal.report(campaigns=22, workflows=47)


STORIES = (the_platform_opens, brightwell_joins, ironside_joins)
