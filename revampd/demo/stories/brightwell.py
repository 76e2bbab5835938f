"""Brightwell markets dental practices: its catalog and its settled Sub-Orgs."""

from datetime import timedelta

from billing.pricing import Timing
from revampd.demo.companies import (
    BRIGHTWELL,
    CEDAR_GROVE,
    CHLOE,
    DANIEL,
    HELEN,
    JOANNA,
    LAKESIDE,
    LUIS,
    MAYA,
    NATHAN,
    NORTHGATE,
    OAK_AND_IVORY,
    OMAR,
    PEARL_STREET,
    VICTOR,
)
from revampd.demo.deals import Deal
from revampd.demo.purse import add_card, adjust
from revampd.demo.stage import Stage, Story, welcome


def what_it_sells(stage: Stage) -> Story:
    """Three plans, of which one gets dearer for new customers, three add-ons, three charges."""
    yield stage.ago(285, 17, 30)
    reputation = stage.plan(
        BRIGHTWELL,
        MAYA,
        "Reputation",
        "Review requests after every visit, answers to all reviews, a monthly report.",
    )
    stage.publish(reputation, BRIGHTWELL, MAYA, interval="MONTH", base_price=89_00)
    stage.publish(reputation, BRIGHTWELL, MAYA, interval="YEAR", base_price=890_00)
    growth = stage.plan(
        BRIGHTWELL,
        MAYA,
        "Patient Growth",
        "Local search, ads on two channels and recall campaigns, with Reputation included.",
    )
    stage.publish(growth, BRIGHTWELL, MAYA, interval="MONTH", base_price=229_00)
    full = stage.plan(
        BRIGHTWELL,
        MAYA,
        "Full Practice",
        "Patient Growth with online booking, a website and a yearly plan made together.",
    )
    stage.publish(full, BRIGHTWELL, MAYA, interval="MONTH", base_price=449_00, booking_fee=1_50)
    _extras(stage)
    yield stage.ago(140, 19, 10)
    stage.publish(growth, BRIGHTWELL, MAYA, interval="MONTH", base_price=249_00)


def _extras(stage: Stage) -> None:
    for name, description, price in (
        ("Call tracking number", "Tells which campaign made the phone ring.", 3_50),
        ("Additional location", "Listings, reviews and reports for one more practice.", 65_00),
        ("Review kiosk", "A tablet at the front desk that asks for a review.", 29_00),
    ):
        stage.add_on(BRIGHTWELL, MAYA, name, description, price)
    for name, description, price in (
        ("Photo session", "Half a day in your practice, 25 edited pictures.", 400_00),
        ("Website relaunch", "Up to twelve pages, written, designed and moved.", 850_00),
        ("Patient list import", "Cleaned and imported from your practice software.", 180_00),
    ):
        stage.one_time(BRIGHTWELL, MAYA, name, description, price)


def lakeside_grows(stage: Stage) -> Story:
    """Nine months of invoices: a plan, add-ons, a charge, an upgrade inside a period."""
    deal = yield from welcome(
        stage, LAKESIDE, provider=BRIGHTWELL, by=MAYA, invited=284, accepted=282
    )
    yield stage.ago(281, 16, 15)
    plan = deal.propose(
        "Patient Growth", by=MAYA, note="As discussed at the front desk. Cancel any month."
    )
    yield stage.ago(280, 19, 20)
    deal.approve(plan, by=HELEN, note="Looking forward to it.")
    yield stage.ago(252, 17, 5)
    numbers = deal.propose(
        "Call tracking number", by=DANIEL, quantity=2, note="One for search, one for the mailing."
    )
    yield stage.ago(251, 20, 40)
    deal.approve(numbers, by=LUIS)
    yield stage.ago(215, 16, 50)
    photos = deal.propose("Photo session", by=DANIEL, note="Before the new treatment rooms open.")
    yield stage.ago(213, 18, 30)
    deal.approve(photos, by=HELEN, note="Fridays suit us best.")
    yield stage.ago(96, 17, 45)
    upgrade = deal.propose(
        "Full Practice", by=MAYA, note="Online booking from this week, as Luis asked."
    )
    yield stage.ago(93, 21, 10)
    deal.approve(upgrade, by=HELEN)
    yield from _lakeside_lately(stage, deal)


def _lakeside_lately(stage: Stage, deal: Deal) -> Story:
    yield stage.ago(61, 18)
    kiosk = deal.propose("Review kiosk", by=DANIEL, quantity=2, note="One for each front desk.")
    yield stage.ago(59, 16, 35)
    deal.reject(kiosk, by=LUIS, note="We already own two tablets. Could they run your kiosk?")
    yield stage.ago(45, 16, 20)
    adjust(deal, 60_00, "The October report came two weeks late.", by=MAYA)
    yield stage.ago(38, 17, 25)
    location = deal.propose(
        "Additional location", by=MAYA, timing=Timing.NEXT_CYCLE, note="For the Wheat Ridge office."
    )
    yield stage.ago(37, 19, 55)
    deal.approve(location, by=LUIS)
    yield stage.ago(1, 18, 40)
    deal.propose(
        "Website relaunch",
        by=MAYA,
        note="The outline that Helen and I agreed on: twelve pages, live in six weeks.",
    )
    yield stage.minutes_ago(40)
    deal.propose(
        "Call tracking number", by=DANIEL, quantity=3, note="For the new office and its two ads."
    )


def oak_and_ivory_schedules(stage: Stage) -> Story:
    """A larger plan begins with the next cycle; a payment waits for the bank's confirmation."""
    deal = yield from welcome(
        stage, OAK_AND_IVORY, provider=BRIGHTWELL, by=MAYA, invited=182, accepted=180
    )
    yield stage.ago(179, 18, 10)
    plan = deal.propose("Patient Growth", by=MAYA, note="With ads for clear aligners first.")
    yield stage.ago(178, 17, 15)
    deal.approve(plan, by=NATHAN)
    yield stage.ago(122, 20, 20)
    kiosk = deal.propose("Review kiosk", by=DANIEL)
    yield stage.ago(121, 16, 45)
    deal.approve(kiosk, by=CHLOE, note="For the waiting room.")
    yield stage.ago(7, 17, 35)
    larger = deal.propose(
        "Full Practice",
        by=MAYA,
        timing=Timing.NEXT_CYCLE,
        note="Nothing changes before your next cycle begins.",
    )
    yield stage.ago(6, 19, 25)
    deal.approve(larger, by=NATHAN, note="Good timing. Please call Chloe about booking.")
    yield stage.ago(5, 18, 30)
    add_card(deal, "confirms_always", by=CHLOE)
    yield stage.ago(2, 16, 30)
    patients = deal.propose("Patient list import", by=MAYA, note="So that recalls can start.")
    yield stage.ago(1, 16, 5)
    deal.approve(patients, by=CHLOE, note="The export is on its way to Priya.")


def cedar_grove_hesitates(stage: Stage) -> Story:
    """Rejects an upgrade with a reason; a revised one waits."""
    deal = yield from welcome(
        stage, CEDAR_GROVE, provider=BRIGHTWELL, by=DANIEL, invited=121, accepted=120
    )
    yield stage.ago(119, 17, 50)
    plan = deal.propose("Reputation", by=DANIEL)
    yield stage.ago(118, 20, 5)
    deal.approve(plan, by=VICTOR)
    yield stage.ago(30, 16, 55)
    upgrade = deal.propose(
        "Patient Growth", by=DANIEL, note="Two practices nearby have started to advertise."
    )
    yield stage.ago(27, 21, 30)
    deal.reject(
        upgrade,
        by=VICTOR,
        note="Our budget for this quarter is spent. Please come back when the next one begins.",
    )
    yield stage.ago(4, 17, 20)
    again = deal.propose("Patient Growth", by=DANIEL, note="A new quarter, a new try.")
    yield stage.ago(2, 18, 15)
    deal.revise(
        again,
        "Patient Growth",
        by=DANIEL,
        timing=Timing.NEXT_CYCLE,
        note="As you asked on the phone: from the next cycle, not in the middle of this one.",
    )


def pearl_street_pays_yearly(stage: Stage) -> Story:
    """A yearly plan; a photo session waits and can be approved for a few days more."""
    deal = yield from welcome(
        stage, PEARL_STREET, provider=BRIGHTWELL, by=DANIEL, invited=152, accepted=151
    )
    yield stage.ago(150, 18, 5)
    plan = deal.propose("Reputation yearly", by=DANIEL, note="Two months free, paid once a year.")
    yield stage.ago(149, 17, 30)
    deal.approve(plan, by=JOANNA, note="Yearly suits our bookkeeping.")
    yield stage.ago(9, 19, 40)
    deal.propose(
        "Photo session",
        by=DANIEL,
        note="Our photographer is in Boulder next week.",
        expires_at=stage.now + timedelta(days=5),
    )


def northgate_takes_three_tries(stage: Stage) -> Story:
    """One request expires, one is withdrawn, one is approved; then another is withdrawn."""
    deal = yield from welcome(
        stage, NORTHGATE, provider=BRIGHTWELL, by=DANIEL, invited=93, accepted=90
    )
    yield stage.ago(88, 17)
    deal.propose("Full Practice", by=DANIEL, note="Everything we talked about, in one plan.")
    yield stage.ago(52, 16, 30)
    smaller = deal.propose("Reputation", by=DANIEL)
    yield stage.ago(51, 16, 40)
    deal.withdraw(smaller, by=MAYA)
    yield stage.ago(51, 17)
    plan = deal.propose("Patient Growth", by=MAYA, note="This one includes the ads for implants.")
    yield stage.ago(46, 20, 50)
    deal.approve(plan, by=OMAR)
    yield stage.ago(5, 18, 20)
    numbers = deal.propose("Call tracking number", by=DANIEL, quantity=10)
    yield stage.ago(5, 18, 55)
    deal.withdraw(numbers, by=DANIEL)


STORIES = (
    what_it_sells,
    lakeside_grows,
    oak_and_ivory_schedules,
    cedar_grove_hesitates,
    pearl_street_pays_yearly,
    northgate_takes_three_tries,
)
