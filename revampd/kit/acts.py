"""Pages on which staff call one verb with a form."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from revampd.kit.admin import AnyModelAdmin
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse


@dataclass(frozen=True, slots=True)
class Act:
    """A verb as staff see it: what it does, on whose page, and the way back there.

    `then` is where they come afterwards, if it is not back.
    """

    title: str
    words: str
    submit: str
    back: str
    then: str = ""


def act_page(
    admin: AnyModelAdmin,
    request: HttpRequest,
    act: Act,
    form: forms.Form,
    verb: Callable[[], str],
    *,
    permission: str = "",
) -> HttpResponse:
    """Show `form`; once it is valid, call `verb`, which says what was done.

    A refusal is shown beside its field or above the form. Raises PermissionDenied to staff without
    `permission`; if none is named, to those who may not change such rows.
    """
    permission = permission or f"{admin.opts.app_label}.change_{admin.opts.model_name}"
    if not request.user.has_perm(permission):
        raise PermissionDenied
    status = 200
    if form.is_valid():
        try:
            messages.success(request, verb())
        except Invalid as refusal:
            refuse(form, refusal)
            status = refusal.status
        except DomainError as refusal:
            form.add_error(None, f"{refusal}")
            status = refusal.status
        else:
            return HttpResponseRedirect(act.then or act.back)
    elif form.is_bound:
        status = 422
    context = admin.admin_site.each_context(request) | {
        "title": act.title,
        "opts": admin.opts,
        "act": act,
        "form": form,
        "list_url": reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist"),
    }
    return TemplateResponse(request, "admin/act.html", context, status=status)
