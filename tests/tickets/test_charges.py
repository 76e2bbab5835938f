"""Billable work: offered inside a ticket, approved there, and named on the invoice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import BillingRequest
from billing.reasons import reasons
from revampd.kit.ids import growing_id
from tests.billing.deals import HTMX, propose, queries
from tests.tickets.acts import submit, texts, url
from tickets.models import Message, Side, Ticket, Unread


@pytest.fixture
def ticket(cast):
    return submit(cast, at=timezone.now())


def offer(browser, cast, ticket, **fields):
    given = {
        "key": growing_id(),
        "item": str(cast.setup.pk),
        "timing": "NOW",
        "expires_on": (timezone.now() + timedelta(days=7)).date().isoformat(),
        "note": "An hour of work",
    }
    return browser.post(url(ticket, "charges/new/"), given | fields)


def offered(cast, as_, ticket):
    answer = offer(as_(cast.noah), cast, ticket)
    assert answer.status_code == 303, answer.content.decode()
    return BillingRequest.objects.get()


def offer_again(browser, cast, ticket):
    """The id of one more request."""
    known = list(BillingRequest.objects.values_list("pk", flat=True))
    assert offer(browser, cast, ticket, note="Another hour").status_code == 303
    return BillingRequest.objects.exclude(pk__in=known).get().pk


def shown(side):
    """How many messages a page of the ticket shows at present."""
    return Ticket.objects.get().length_for(side)


def card_of(request, answer):
    """The card of a request among what is new in its ticket, if it is there."""
    return answer.content.decode().partition(f'id="notified-{request.pk}"')[2].partition("</p>")[0]


class TestOffer:
    def test_stands_in_the_conversation(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)

        assert request.about.title == ticket.title
        assert texts(ticket, Side.CUSTOMER)[-1] == "proposed Setup, $400.00 once"
        page = as_(cast.ben).get(url(ticket)).content.decode()
        assert "Approve<span" in page
        assert "An hour of work" in page

    def test_is_sealed_with_what_it_is_for(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)

        assert ("For", f"Ticket #1: {ticket.title}") in request.terms_in_words
        page = as_(cast.ben).get(f"/connections/{ticket.connection_id}/requests/{request.pk}/")
        assert f"Ticket #1: {ticket.title}" in page.content.decode()

    def test_leads_back_to_the_ticket(self, cast, as_, ticket):
        assert offer(as_(cast.noah), cast, ticket)["Location"] == url(ticket)

    def test_has_one_time_charges_alone(self, cast, as_, ticket):
        answer = offer(as_(cast.noah), cast, ticket, item=str(cast.growth.pk))

        assert answer.status_code == 422
        assert not BillingRequest.objects.exists()

    @pytest.mark.parametrize("who", ["dana", "vera", "ben"])
    def test_is_for_owners_and_billing_of_the_provider(self, cast, as_, ticket, who):
        assert as_(getattr(cast, who)).get(url(ticket, "charges/new/")).status_code == 403

    def test_is_none_for_what_is_closed(self, cast, as_, ticket):
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.maya, at=timezone.now())

        assert offer(as_(cast.noah), cast, ticket).status_code == 409

    def test_asks_no_more_of_the_database_than_a_page_may(self, cast, as_, ticket):
        offered(cast, as_, ticket)

        for who in (cast.ben, cast.maya):
            assert queries(as_(who), url(ticket)) <= 10


class TestDecision:
    def test_is_a_message_and_an_invoice_line_that_names_both(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)
        decide = f"/connections/{ticket.connection_id}/requests/{request.pk}/approval/"

        answer = as_(cast.ben).post(
            decide, {"seal": request.seal, "note": "Go ahead", "next": url(ticket)}
        )

        assert answer["Location"] == url(ticket)
        assert texts(ticket, Side.CUSTOMER)[-1].endswith("\nGo ahead")
        line = BillingRequest.objects.get().lines.get()
        assert line.description == "Setup, Ticket #1"
        chain = {link["kind"]: link for link in reasons(line)}
        assert chain["Ticket #1"]["url"] == url(ticket)
        assert "Ben Tester" in chain["Approval"]["title"]
        invoice = as_(cast.ben).get(f"/connections/{ticket.connection_id}/invoices/1/")
        assert url(ticket) in invoice.content.decode()

    def test_makes_the_ticket_unread_for_who_does_the_work(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)
        Unread.objects.all().delete()

        request.approve(by=cast.ben, seal=request.seal, at=timezone.now())

        assert Unread.objects.filter(user=cast.dana).exists()
        assert not Unread.objects.filter(user=cast.ben).exists()

    @pytest.mark.parametrize("end", ["rejected", "withdrawn", "expired"])
    def test_is_a_message_however_it_ends(self, cast, as_, ticket, end):
        request = offered(cast, as_, ticket)
        ends = {
            "rejected": lambda: request.reject(by=cast.bella, at=timezone.now()),
            "withdrawn": lambda: request.withdraw(by=cast.noah, at=timezone.now()),
            "expired": lambda: request.expire(at=request.expires_at),
        }

        ends[end]()

        rows = Message.objects.visible_to(Side.CUSTOMER).filter(ticket=ticket, kind="DECISION")
        assert rows.get().event.code == f"billing_request.{end}"

    def test_keeps_the_ticket_through_a_revision(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)
        path = f"/connections/{ticket.connection_id}/requests/{request.pk}/revision/"
        given = {"key": growing_id(), "item": str(cast.setup.pk), "timing": "NOW", "quantity": "1"}

        as_(cast.noah).post(path, given | {"expires_on": request.expires_at.date().isoformat()})

        revision = BillingRequest.objects.get(revises=request)
        assert revision.about == request.about
        assert Message.objects.visible_to(Side.CUSTOMER).filter(kind="OFFER").count() == 2

    def test_answers_htmx_with_the_card_and_asks_for_the_news(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)
        decide = f"/connections/{ticket.connection_id}/requests/{request.pk}/rejection/"

        answer = as_(cast.ben).post(decide, {"next": url(ticket)}, headers=HTMX)

        assert f'id="notified-{request.pk}"' in answer.content.decode()
        assert "news:check" in answer["HX-Trigger-After-Settle"]

    def test_changes_the_card_that_a_page_still_shows_as_pending(self, cast, as_, ticket):
        request, other = offered(cast, as_, ticket), growing_id()
        seen = {"seen": str(shown(Side.CUSTOMER)), "pending": [request.pk, other, "\0"]}
        request.approve(by=cast.ben, seal=request.seal, at=timezone.now())

        news = as_(cast.bella).get(url(ticket, "news/"), seen).content.decode()

        assert news.count(f'id="notified-{request.pk}" hx-swap-oob="true"') == 1
        card = news.partition(f'id="notified-{request.pk}"')[2]
        assert "Approved" in card
        assert "/approval/" not in card

    def test_leaves_the_card_alone_that_is_still_pending_or_shown_as_decided(
        self, cast, as_, ticket
    ):
        request = offered(cast, as_, ticket)
        before = shown(Side.CUSTOMER)
        later = BillingRequest.objects.get(pk=offer_again(as_(cast.noah), cast, ticket))
        browser = as_(cast.bella)

        seen = {"seen": str(before), "pending": [request.pk]}
        assert "hx-swap-oob" not in card_of(request, browser.get(url(ticket, "news/"), seen))
        later.reject(by=cast.ben, at=timezone.now())
        seen = {"seen": str(before + 1)}
        assert card_of(later, browser.get(url(ticket, "news/"), seen)) == ""

    def test_of_a_revision_changes_the_card_of_what_it_replaces(self, cast, as_, ticket):
        request = offered(cast, as_, ticket)
        seen = {"seen": str(shown(Side.CUSTOMER))}
        path = f"/connections/{ticket.connection_id}/requests/{request.pk}/revision/"
        given = {"key": growing_id(), "item": str(cast.setup.pk), "timing": "NOW", "quantity": "1"}
        as_(cast.noah).post(path, given | {"expires_on": request.expires_at.date().isoformat()})

        news = as_(cast.ben).get(url(ticket, "news/"), seen | {"pending": [request.pk]})

        assert "/approval/" not in card_of(request, news)
        assert "hx-swap-oob" in card_of(request, news)

    def test_goes_back_with_what_it_was_about(self, cast, as_, ticket):
        other = propose(cast)

        assert other.about is None
        assert Ticket.objects.get().length == 1
