"""Ironside fills gyms and studios: its catalog and its six Sub-Orgs."""

from billing.pricing import Timing
from revampd.demo.companies import (
    DANIEL,
    DEREK,
    ELENA,
    FELIX,
    GRANITE,
    HANNAH,
    IRONSIDE,
    JAKE,
    KETTLE_AND_CORE,
    MEILIN,
    MILE_HIGH_BOXING,
    NINA,
    PULSE,
    RIVERBEND,
    TANYA,
    TIDEWATER,
)
from revampd.demo.purse import add_card, dispute, take_back, win
from revampd.demo.stage import Stage, Story, welcome


def what_it_sells(stage: Stage) -> Story:
    """Three plans, three add-ons, two one-time charges."""
    yield stage.ago(203, 18, 20)
    studio = stage.plan(
        IRONSIDE, JAKE, "Studio", "Class schedule, waiting lists, reminders and trial bookings."
    )
    stage.publish(studio, IRONSIDE, JAKE, interval="MONTH", base_price=119_00)
    stage.publish(studio, IRONSIDE, JAKE, interval="YEAR", base_price=990_00)
    members = stage.plan(
        IRONSIDE, JAKE, "Member Growth", "Studio with referral campaigns and win-back offers."
    )
    stage.publish(members, IRONSIDE, JAKE, interval="MONTH", base_price=219_00)
    club = stage.plan(
        IRONSIDE, JAKE, "Club", "Member Growth for several sites, with a campaign every month."
    )
    stage.publish(club, IRONSIDE, JAKE, interval="MONTH", base_price=399_00, booking_fee=75)
    for name, description, price in (
        ("Text message bundle", "500 messages each month, for reminders and offers.", 25_00),
        ("Additional site", "Schedule, campaigns and reports for one more site.", 75_00),
        ("Check-in tablet", "Members check in by themselves at the door.", 18_00),
    ):
        stage.add_on(IRONSIDE, JAKE, name, description, price)
    for name, description, price in (
        ("Opening campaign", "Four weeks of ads and offers around an opening.", 600_00),
        ("Member import", "From your old software, with contracts and visits.", 150_00),
    ):
        stage.one_time(IRONSIDE, JAKE, name, description, price)


def pulse_adds_on(stage: Stage) -> Story:
    """A large plan with two kinds of add-ons; tablets wait for approval."""
    deal = yield from welcome(stage, PULSE, provider=IRONSIDE, by=JAKE, invited=200, accepted=198)
    yield stage.ago(197, 17, 40)
    plan = deal.propose("Club", by=JAKE, note="For both of your clubs, from the first day.")
    move = deal.propose("Member import", by=JAKE, note="1,850 members, as counted together.")
    yield stage.ago(196, 18, 50)
    deal.approve(plan, by=DEREK, note="Let us go.")
    deal.approve(move, by=DEREK)
    yield stage.ago(171, 16, 35)
    site = deal.propose("Additional site", by=ELENA, note="For Logan Square.")
    yield stage.ago(170, 19, 45)
    deal.approve(site, by=TANYA)
    yield stage.ago(83, 20, 30)
    messages = deal.propose("Text message bundle", by=ELENA, quantity=2)
    yield stage.ago(82, 17, 20)
    deal.approve(messages, by=TANYA, note="We ran out twice last month.")
    yield stage.ago(31, 18, 20)
    reason = "No messages went out for a week, when our supplier was down."
    take_back(deal, "Text message bundle", 12_50, reason, by=JAKE)
    yield stage.ago(2, 17, 55)
    deal.propose("Check-in tablet", by=ELENA, quantity=3, note="One for each entrance.")


def riverbend_has_to_decide(stage: Stage) -> Story:
    """An upgrade expires in two days; since a new card there is not enough money on it.

    Before that, its bank disputed a month, and gave in.
    """
    deal = yield from welcome(
        stage, RIVERBEND, provider=IRONSIDE, by=JAKE, invited=164, accepted=162
    )
    yield stage.ago(158, 17, 25)
    plan = deal.propose("Studio", by=JAKE)
    yield stage.ago(157, 16, 40)
    deal.approve(plan, by=MEILIN)
    yield stage.ago(88, 17, 30)
    claimed = dispute(deal, "Studio")
    yield stage.ago(52, 18, 10)
    win(deal, claimed)
    yield stage.ago(29, 20, 15)
    add_card(deal, "insufficient_funds", by=MEILIN)
    yield stage.ago(28, 18, 35)
    deal.propose(
        "Member Growth", by=ELENA, note="With the referral campaign that Pulse had success with."
    )


def granite_lets_it_pass(stage: Stage) -> Story:
    """One charge expired, another was approved and is disputed, and tablets were rejected."""
    deal = yield from welcome(
        stage, GRANITE, provider=IRONSIDE, by=ELENA, invited=114, accepted=113
    )
    yield stage.ago(112, 16, 50)
    plan = deal.propose("Member Growth", by=ELENA, note="Starts with the bouldering league.")
    yield stage.ago(110, 19, 30)
    deal.approve(plan, by=FELIX)
    yield stage.ago(47, 17, 15)
    deal.propose("Opening campaign", by=JAKE, note="For the new training area.")
    yield stage.ago(13, 18, 25)
    move = deal.propose("Member import", by=ELENA, note="The youth club, 240 members.")
    yield stage.ago(12, 20, 10)
    deal.approve(move, by=FELIX, note="The list comes by mail today.")
    yield stage.ago(5, 16, 40)
    dispute(deal, "Member import")
    yield stage.ago(4, 17, 5)
    tablet = deal.propose("Check-in tablet", by=ELENA, quantity=2, note="For both entrances.")
    yield stage.ago(1, 22, 10)
    deal.reject(tablet, by=FELIX, note="Our wristbands open the doors already. Thank you, though.")


def kettle_and_core_in_the_family(stage: Stage) -> Story:
    """Elena belongs to both sides, so Nina has to decide what Elena proposes."""
    deal = yield from welcome(
        stage, KETTLE_AND_CORE, provider=IRONSIDE, by=JAKE, invited=79, accepted=77
    )
    yield stage.ago(75, 17, 45)
    plan = deal.propose("Studio", by=JAKE, note="The family gets no discount, as agreed.")
    yield stage.ago(74, 18, 15)
    deal.approve(plan, by=NINA, note="Ha. Fine.")
    yield stage.ago(1, 20, 35)
    deal.propose("Text message bundle", by=ELENA, note="For the spring course. You decide, not me.")


def mile_high_boxing_is_daniels(stage: Stage) -> Story:
    """Daniel sells for Brightwell by day and buys from Ironside in the evening."""
    deal = yield from welcome(
        stage, MILE_HIGH_BOXING, provider=IRONSIDE, by=JAKE, invited=63, accepted=62
    )
    yield stage.ago(61, 16, 30)
    plan = deal.propose("Studio yearly", by=JAKE, note="Yearly, for the price of ten months.")
    yield stage.ago(60, 21, 40)
    deal.reject(plan, by=DANIEL, note="I would rather pay monthly in the first year.")
    yield stage.ago(59, 17, 10)
    monthly = deal.propose("Studio", by=JAKE, note="Monthly it is.")
    yield stage.ago(58, 21, 15)
    deal.approve(monthly, by=DANIEL)
    yield stage.ago(3, 19, 20)
    deal.propose(
        "Member Growth",
        by=JAKE,
        timing=Timing.NEXT_CYCLE,
        note="You asked for referrals: this plan has them.",
    )


def tidewater_thinks_it_over(stage: Stage) -> Story:
    """Connected, but without a plan: its only request was rejected."""
    deal = yield from welcome(
        stage, TIDEWATER, provider=IRONSIDE, by=ELENA, invited=41, accepted=38, card=""
    )
    yield stage.ago(36, 18, 5)
    plan = deal.propose("Member Growth", by=ELENA)
    yield stage.ago(33, 17, 50)
    deal.reject(plan, by=HANNAH, note="Not before the lease for our second pool is signed.")


STORIES = (
    what_it_sells,
    pulse_adds_on,
    riverbend_has_to_decide,
    granite_lets_it_pass,
    kettle_and_core_in_the_family,
    mile_high_boxing_is_daniels,
    tidewater_thinks_it_over,
)
