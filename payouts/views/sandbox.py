"""The sandbox's own page, as a real gateway hosts it: linking a bank account.

It exists only where no money is real, below a reference that nobody guesses. Whoever may settle
payouts of the Partner concerned comes in; for everybody else it is not there.
"""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from connections.access import MemberRequest, party_of, personal_view
from payouts.gateways.accounts import ALL, BY_NAME
from payouts.models import SandboxLink


@personal_view
def link_page(request: MemberRequest, link_reference: str) -> HttpResponse:
    link = get_object_or_404(SandboxLink, pk=link_reference)
    party = party_of(request.user, link.owner)
    if not (party.is_customer and party.may_bill):
        raise Http404
    chosen = request.POST.get("account", "")
    if chosen in BY_NAME:
        link.complete(chosen)
        response = HttpResponseRedirect(link.return_url)
        response.status_code = 303
        return response
    context = {"link": link, "party": party, "accounts": ALL, "is_open": link.account_id is None}
    return render(request, "payouts/sandbox/link.html", context)
