"""A ticket and its conversation, from every side."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.billing.deals import HTMX, MARKUP, queries
from tests.pages import text
from tests.tickets.acts import (
    NOW,
    SECRET,
    answer,
    ask,
    escalated,
    list_url,
    message,
    note,
    submit,
    texts,
    url,
)
from tickets.models import Side, Ticket, Unread


class TestSubmit:
    def path(self, cast):
        return f"{list_url(cast.northwind_bluebird)}new/"

    def form(self, **fields):
        given = {"title": "No mails", "priority": "HIGH"} | message("None since noon.") | fields
        return {name: value for name, value in given.items() if value is not None}

    def test_leads_to_the_ticket(self, cast, as_):
        answer = as_(cast.sam).post(self.path(cast), self.form())

        ticket = Ticket.objects.get()
        assert (answer.status_code, answer["Location"]) == (303, url(ticket))
        assert (ticket.title, ticket.priority) == ("No mails", "HIGH")

    def test_keeps_what_was_typed_if_something_is_missing(self, cast, as_):
        answer = as_(cast.sam).post(self.path(cast), self.form(title=""))

        assert answer.status_code == 422
        assert "None since noon." in text(answer)
        assert "Say in a few words what it is about." in text(answer)
        assert not Ticket.objects.exists()

    def test_answers_htmx_with_the_form_alone(self, cast, as_):
        answer = as_(cast.sam).post(self.path(cast), self.form(body=""), headers=HTMX)

        assert answer.status_code == 422
        assert text(answer).lstrip().startswith('<form class="form" id="new-ticket"')

    @pytest.mark.parametrize("who", ["bella", "theo", "dana"])
    def test_is_offered_to_nobody_else(self, cast, as_, who):
        assert as_(getattr(cast, who)).get(self.path(cast)).status_code == 403
        assert (
            "Submit Ticket</a>"
            not in text(as_(getattr(cast, who)).get(list_url(cast.northwind_bluebird))).split(
                "<main"
            )[1]
        )


class TestConversation:
    def test_shows_who_said_what(self, cast, as_):
        ticket = submit(cast)
        answer(ticket, cast.dana)

        page = text(as_(cast.ben).get(url(ticket)))

        assert "It says 500 since this morning." in page
        assert "Dana Tester" in page
        assert "Northwind Agency" in page

    def test_runs_no_markup(self, cast, as_):
        ticket = submit(cast, MARKUP, body=MARKUP)

        page = text(as_(cast.dana).get(url(ticket)))

        assert MARKUP not in page
        assert "&lt;script&gt;" in page

    def test_is_not_there_for_strangers_and_other_connections(self, cast, as_):
        ticket = submit(cast)
        elsewhere = url(ticket, connection=cast.contoso_fabrikam)
        above = url(ticket, connection=cast.revampd_northwind)

        assert as_(cast.oscar).get(url(ticket)).status_code == 404
        assert as_(cast.oscar).get(elsewhere).status_code == 404
        assert as_(cast.rhea).get(above).status_code == 404
        assert as_(cast.maya).get(above).status_code == 404

    def test_is_there_for_revampd_once_it_is_escalated(self, cast, as_):
        ticket = escalated(cast)

        page = as_(cast.rhea).get(url(ticket, connection=cast.revampd_northwind))

        assert "Is the form builder down?" in text(page)
        assert as_(cast.maya).get(page.request["PATH_INFO"]).status_code == 404

    def test_marks_nothing_as_read_by_looking(self, cast, as_):
        ticket = submit(cast)

        as_(cast.dana).get(url(ticket))

        assert Unread.objects.filter(user=cast.dana).exists()

    def test_marks_as_read_what_was_shown(self, cast, as_):
        ticket = submit(cast)

        answer = as_(cast.dana).post(url(ticket, "reading/"), {"until": "1"})

        assert answer.status_code == 303
        assert not Unread.objects.filter(user=cast.dana).exists()

    @pytest.mark.parametrize("until", ["", "x", "-1", "9" * 40, "٣"])
    def test_takes_no_odd_number_for_what_was_shown(self, cast, as_, until):
        ticket = submit(cast)

        as_(cast.dana).post(url(ticket, "reading/"), {"until": until})

        assert Unread.objects.filter(user=cast.dana).exists()

    def test_begins_with_the_latest_of_many(self, cast, as_):
        ticket = submit(cast, body="The very first")
        for number in range(100):
            ask(ticket, cast.sam, f"Message {number}")

        short, whole = as_(cast.ben).get(url(ticket)), as_(cast.ben).get(url(ticket), {"all": "1"})

        assert "The very first" not in text(short)
        assert "Show 1 earlier message" in text(short)
        assert "The very first" in text(whole)

    def test_costs_the_same_whatever_was_said(self, cast, as_):
        ticket = submit(cast)
        few = {who: queries(as_(getattr(cast, who)), url(ticket)) for who in ("ben", "dana")}
        for number in range(20):
            answer(ticket, cast.dana, f"Message {number}")
            note(ticket, cast.maya)

        many = {who: queries(as_(getattr(cast, who)), url(ticket)) for who in ("ben", "dana")}

        assert many == few
        assert max(many.values()) <= 10


class TestWrite:
    def test_says_it_to_everybody(self, cast, as_):
        ticket = submit(cast)

        done = as_(cast.dana).post(url(ticket, "messages/"), message("We are on it."))

        assert done.status_code == 303
        assert texts(ticket, Side.CUSTOMER)[-1] == "We are on it."

    def test_begins_narrow_for_the_provider(self, cast, as_):
        ticket = submit(cast)

        form = as_(cast.dana).get(url(ticket)).context["form"]

        assert form["audience"].value() == "INTERNAL"

    def test_wants_an_audience_from_the_provider(self, cast, as_):
        ticket = submit(cast)

        answer = as_(cast.dana).post(url(ticket, "messages/"), message("Hm", audience=""))

        assert answer.status_code == 422
        assert "Choose who reads it." in text(answer)
        assert ">Hm</textarea>" in text(answer).replace("\n", "")

    @pytest.mark.parametrize("audience", ["INTERNAL", "ESCALATION", "NOPE"])
    def test_takes_no_other_audience_from_the_customer(self, cast, as_, audience):
        ticket = submit(cast)

        answer = as_(cast.sam).post(url(ticket, "messages/"), message("Hm", audience))

        assert answer.status_code == 422
        assert len(texts(ticket, Side.PROVIDER)) == 1

    def test_answers_htmx_with_an_empty_form_and_asks_for_the_news(self, cast, as_):
        ticket = submit(cast)

        answer = as_(cast.sam).post(url(ticket, "messages/"), message("Hello"), headers=HTMX)

        assert answer.status_code == 200
        assert "news:check" in answer["HX-Trigger-After-Settle"]
        assert "Hello</textarea>" not in text(answer)

    def test_keeps_what_was_typed_when_it_was_closed_meanwhile(self, cast, as_):
        ticket = submit(cast)
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=timezone.now())

        for headers in ({}, HTMX):
            answer = as_(cast.sam).post(
                url(ticket, "messages/"), message("Wait, one more"), headers=headers
            )

            assert answer.status_code in (409, 422)
            assert "Wait, one more" in text(answer)

    @pytest.mark.parametrize("who", ["noah", "vera", "bella", "theo"])
    def test_is_for_owners_and_support(self, cast, as_, who):
        ticket = submit(cast)

        answer = as_(getattr(cast, who)).post(url(ticket, "messages/"), message("Hm"))

        assert answer.status_code == 403


class TestNews:
    def test_is_nothing_while_nothing_is_new(self, cast, as_):
        ticket = submit(cast)

        assert as_(cast.ben).get(url(ticket, "news/"), {"seen": "1"}).status_code == 204

    def test_is_what_came_since(self, cast, as_):
        ticket = submit(cast)
        answer(ticket, cast.dana)

        news = text(as_(cast.ben).get(url(ticket, "news/"), {"seen": "1"}))

        assert "We are on it." in news
        assert "It says 500" not in news
        assert "?seen=2" in news

    def test_is_nothing_for_the_customer_after_a_note(self, cast, as_):
        ticket = submit(cast)
        note(ticket, cast.dana)

        assert as_(cast.ben).get(url(ticket, "news/"), {"seen": "1"}).status_code == 204
        assert SECRET in text(as_(cast.maya).get(url(ticket, "news/"), {"seen": "1"}))

    def test_costs_little_while_nothing_is_new(self, cast, as_, django_assert_max_num_queries):
        ticket, browser = submit(cast), as_(cast.ben)
        browser.get(url(ticket))

        with django_assert_max_num_queries(4):
            browser.get(url(ticket, "news/"), {"seen": "1"})


class TestPrior:
    """What else the customer has asked, beside the conversation."""

    def other(self, page):
        beside = text(page).partition('id="prior-title"')[2].partition("</section>")[0]
        return re.findall(r"<b>([^<]+)</b>", beside)

    def test_is_the_newest_five_for_whoever_answers(self, cast, as_):
        for number in range(7):
            submit(cast, title=f"Question {number}", at=NOW + timedelta(hours=number))
        ticket = submit(cast, at=NOW + timedelta(days=1))

        page = as_(cast.dana).get(url(ticket))

        assert self.other(page) == [f"Question {number}" for number in (6, 5, 4, 3, 2)]
        assert self.other(as_(cast.sam).get(url(ticket))) == []

    def test_is_nothing_of_another_customer(self, cast, as_):
        own = {"connection": cast.revampd_northwind, "by": cast.dana}
        submit(cast, title="Do we have a limit?", **own)

        assert self.other(as_(cast.dana).get(url(submit(cast)))) == []

    def test_is_for_revampd_what_was_escalated_to_it(self, cast, as_):
        submit(cast, title="Between the two of them")
        escalated(cast, submit(cast, title="Escalated before"))
        ticket = escalated(cast)

        page = as_(cast.rhea).get(url(ticket, connection=cast.revampd_northwind))

        assert self.other(page) == ["Escalated before"]
        links = re.findall(r'class="hit" href="([^"]+)"', text(page))
        assert [as_(cast.rhea).get(link).status_code for link in links] == [200]
