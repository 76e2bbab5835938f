"""People: their accounts, what they are at Revampd, and looking at the pages as one of them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from connections import viewing
from connections.models import User, Viewing
from connections.models.viewings import REASON_LENGTH
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import AnyModelAdmin, ReadOnlyAdmin
from revampd.kit.errors import NotAllowed

from .acting import staff_of

APPOINTED = ("is_staff", "groups")
ONLY_SUPERUSERS = ("is_superuser", "user_permissions")


@admin.register(User)
class UserAdmin(AnyModelAdmin):
    """People come by invitation and never go; what staff do here is close or open an account.

    Who is staff, and in which roles, is said here too. Name and address are the person's own to
    change. From here staff look at the pages as the person does.
    """

    list_display = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":  # a handful, so all of them can be seen
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_fields(self, request: HttpRequest, _user: Any = None) -> list[Any]:
        more = ONLY_SUPERUSERS if staff_of(request).is_superuser else ()
        known = ("email", "name", "time_zone", "date_joined", "last_login")
        return [*known, "is_active", *APPOINTED, *more]

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, user: Any = None) -> bool:
        if not super().has_change_permission(request, user):
            return False
        try:
            return user is None or user.require_keeper(staff_of(request)) is None
        except NotAllowed:
            return False

    def get_readonly_fields(self, request: HttpRequest, _user: Any = None) -> tuple[str, ...]:
        fixed = ["email", "name", "time_zone", "date_joined", "last_login"]
        if not request.user.has_perm("connections.appoint_staff"):
            fixed += APPOINTED
        return tuple(fixed)

    def save_model(self, request: HttpRequest, user: Any, form: Any, _change: bool) -> None:
        """By the verb; `form` keeps what it has of permissions afterwards."""
        given = {name: form.cleaned_data[name] for name in form.changed_data}
        given.pop("user_permissions", None)
        User.objects.get(pk=user.pk).change_account(by=staff_of(request), **given)

    def get_urls(self) -> list[URLPattern]:
        view_as = self.admin_site.admin_view(self.view_as)
        return [path("<int:user_id>/view-as/", view_as, name="view-as"), *super().get_urls()]

    def view_as(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Look at the pages as this person does, for a while."""
        person = get_object_or_404(User, pk=user_id)
        form = ViewingForm(request.POST or None)
        minutes = settings.VIEW_AS_MINUTES

        def begin() -> str:
            reason, now = form.cleaned_data["reason"], timezone.now()
            begun = Viewing.begin(person, reason=reason, by=staff_of(request), at=now)
            viewing.begin(request, begun)
            return f"You see what {person} sees, for {minutes} minutes."

        act = Act(
            title=f"Look at the pages as {person}",
            words=f"You see what they see for {minutes} minutes, and can change nothing: neither "
            "approve nor pay, nor mark anything as read. Their organizations' records say that you "
            "looked, and why.",
            submit="Begin",
            back=reverse("admin:connections_user_change", args=[person.pk]),
            then=reverse("home"),
        )
        return act_page(self, request, act, form, begin, permission="connections.view_as")


class ViewingForm(forms.Form):
    """Why one looks as somebody else."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        help_text="It is kept, and stands in the records of their organizations.",
        widget=forms.TextInput({"class": "vTextField"}),
    )


@admin.register(Viewing)
class ViewingAdmin(ReadOnlyAdmin):
    """Who of the staff looked at the pages as whom, and why."""

    list_display = ("started_at", "staff", "person", "reason", "until", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("staff", "person")
    search_fields = ("=staff__email", "=person__email", "reason")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
