"""Who of the provider looks after a connection: sales owner and support owner."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connections.access import OWNERS, Duty, Party, Side, party_view
from connections.forms import OwnersForm
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

FRAGMENT = "connections/_owners.html"


@party_view(side=Side.PROVIDER, duty=Duty.MANAGE, also=OWNERS)
def name_owners(request: HttpRequest, party: Party) -> HttpResponse:
    """The form, which also stands on the overview; POST saves it."""
    form = OwnersForm.of(party, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            party.connection.assign_owners(
                sales=form.cleaned_data["sales_owner"],
                support=form.cleaned_data["support_owner"],
                by=party.user,
            )
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            context = {"party": party, "owners_form": OwnersForm.of(party)}
            to = reverse("overview", args=[party.connection.pk])
            return done(request, "The owners are saved.", to, fragment=FRAGMENT, context=context)
    context = {"owners_form": form}
    status = 422 if form.errors else 200
    return page(request, "connections/owners.html", context, fragment=FRAGMENT, status=status)
