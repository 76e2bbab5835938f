"""What customers ask: answered, noted, escalated and taken back, paid for, and still open."""

from revampd.demo.companies import (
    AMY,
    BRIGHTWELL,
    CHLOE,
    HELEN,
    LAKESIDE,
    MARCUS,
    MAYA,
    NATHAN,
    OAK_AND_IVORY,
    PRIYA,
    REVAMPD,
)
from revampd.demo.desk import Desk
from revampd.demo.stage import Stage, Story


def the_phone_that_rang_nowhere(stage: Stage) -> Story:
    """Lakeside's calls get lost; the trouble is Revampd's, and Lakeside sees one conversation."""
    yield stage.ago(9, 16, 5)
    desk = Desk.opened(
        stage,
        stage.deal(BRIGHTWELL, LAKESIDE).connection,
        by=AMY,
        title="Calls to our tracking number ring nowhere",
        body="Since yesterday evening callers hear a tone and then nothing. The number on the "
        "website is the one ending in 0184.",
        priority="HIGH",
        file=("calls.csv", b"time;number;result\n08:02;+1 303 555 0117;no answer\n"),
    )
    yield stage.ago(9, 16, 40)
    desk.triage(by=PRIYA, status="IN_PROGRESS", priority="HIGH", assignee=PRIYA)
    desk.reply("Thank you for the list. I am looking into it.", by=PRIYA)
    desk.note("Third time this month. If it happens again we owe them a credit.", by=PRIYA)
    yield stage.ago(9, 18, 10)
    desk.escalate("Numbers in area 303 do not connect. Is it the carrier?", by=PRIYA)
    yield stage.ago(8, 17, 20)
    desk.consult("A carrier lost a route; it is back since 9:10. Can you confirm?", by=MARCUS)
    yield stage.ago(8, 17, 45)
    desk.consult("Confirmed with two calls, thanks.", by=PRIYA)
    desk.take_back(by=PRIYA)
    desk.reply("A carrier had lost a route. It rings again; please try once more.", by=PRIYA)
    desk.set_status("RESOLVED", by=PRIYA)
    yield stage.ago(7, 16, 15)
    desk.reply("It worked all morning, and since ten it is silent again.", by=AMY)
    yield stage.ago(7, 17, 30)
    desk.reply("Found it: your second location still forwarded to the old number. Fixed.", by=PRIYA)
    desk.set_status("RESOLVED", by=PRIYA)


def the_second_site(stage: Stage) -> Story:
    """Work that costs something is offered and approved inside the ticket."""
    yield stage.ago(6, 17, 0)
    deal = stage.deal(BRIGHTWELL, LAKESIDE)
    desk = Desk.opened(
        stage,
        deal.connection,
        by=AMY,
        title="Import the patients of our second practice",
        body="We have an export with about 1,900 patients. Can you add them to the recall list?",
    )
    yield stage.ago(6, 18, 20)
    desk.reply("We can: cleaned and imported once, by Friday. Maya sends the price.", by=PRIYA)
    yield stage.ago(6, 19, 0)
    request = desk.offer(deal, "Patient list import", by=MAYA, note="For up to 2,500 patients.")
    yield stage.ago(5, 16, 30)
    deal.approve(request, by=HELEN, note="Please before the holidays.")
    yield stage.ago(3, 18, 0)
    missing = "\n".join(f"{number};no phone number" for number in range(40_117, 40_143))
    desk.reply(
        "1,874 patients are in; 26 had no phone number, the list is attached.",
        by=PRIYA,
        file=("without-number.csv", f"patient;reason\n{missing}\n".encode()),
    )
    desk.set_status("RESOLVED", by=PRIYA)


def what_is_open(stage: Stage) -> Story:
    """New today, and a question to Revampd itself."""
    yield stage.ago(2, 17, 15)
    desk = Desk.opened(
        stage,
        stage.deal(REVAMPD, BRIGHTWELL).connection,
        by=PRIYA,
        title="Can a campaign pause by itself over a holiday?",
        body="Three of our practices close between the years.",
        priority="LOW",
    )
    yield stage.ago(1, 16, 0)
    desk.reply("Yes: Campaign, Schedule, Closed days. It starts again by itself.", by=MARCUS)
    yield stage.minutes_ago(50)
    desk = Desk.opened(
        stage,
        stage.deal(BRIGHTWELL, OAK_AND_IVORY).connection,
        by=NATHAN,
        title="Reviews of our Boulder office show the old address",
        body="Walnut Street 2015 is right; two listings still say Pearl Street.",
        file=("listings.txt", b"maps: 901 Pearl Street\nreviews: 901 Pearl Street\n"),
    )
    yield stage.minutes_ago(35)
    desk.note(f"Ask {CHLOE.name} for the profile's owner before we change it.", by=PRIYA)


STORIES = (the_phone_that_rang_nowhere, the_second_site, what_is_open)
