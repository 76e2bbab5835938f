"""Referrals for staff: they set what Revampd gives, and stop links; all else is read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin.records import PARTIES, PARTY_NAMES, RecordAdmin, money, staff_of
from billing.forms.fields import PercentField
from connections.clocks import now_of_organization
from connections.models import Organization
from payouts.models import (
    AffiliatePayout,
    AffiliateShare,
    Inquiry,
    Referral,
    ReferralLink,
    ReferralTerms,
)
from payouts.models.referral_terms import MAX_MONTHS
from revampd.kit.admin import call_verb

if TYPE_CHECKING:
    TermsModelForm = forms.ModelForm[ReferralTerms]
else:
    TermsModelForm = forms.ModelForm


class RevampdTermsForm(TermsModelForm):
    """What Revampd gives from now on for Partners that are brought."""

    rate = PercentField(
        label="Percent", help_text="Of what they pay for their tier. 0 if nothing is given any more"
    )
    months = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_MONTHS,
        help_text="From the first approved tier. Empty for a lifetime",
    )

    class Meta:
        model = ReferralTerms
        fields = ("rate", "months")


@admin.register(ReferralTerms)
class ReferralTermsAdmin(RecordAdmin):
    """Every row is kept: the newest of a provider holds. Adding one sets Revampd's own."""

    list_display = ("set_at", "provider", "percent", "duration", "set_by")
    list_filter = ("provider__kind",)
    list_select_related = ("provider", "set_by")
    search_fields = ("provider__name",)
    ordering = ("-set_at",)

    def has_add_permission(self, *args: Any, **_: object) -> bool:
        return bool(args[0].user.has_perm("payouts.add_referralterms"))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        return super().get_form(request, obj, change, **options) if obj else RevampdTermsForm

    def get_fields(self, request: HttpRequest, row: Any = None) -> list[Any]:
        return super().get_fields(request, row) if row else ["rate", "months"]

    def get_readonly_fields(self, request: HttpRequest, row: Any = None) -> list[Any]:
        return super().get_readonly_fields(request, row) if row else []

    def save_model(self, request: HttpRequest, terms: Any, _form: Any, _change: bool) -> None:
        platform = Organization.objects.platform()
        offered = ReferralTerms.offer(
            platform,
            rate=terms.rate,
            months=terms.months,
            by=staff_of(request),
            at=now_of_organization(platform),
        )
        terms.pk, terms.set_at = offered.pk, offered.set_at


@admin.register(ReferralLink)
class ReferralLinkAdmin(RecordAdmin):
    list_display = ("owner", "provider", "made_by", "made_at", "stopped_at")
    list_filter = (("stopped_at", admin.EmptyFieldListFilter), "provider__kind")
    list_select_related = ("owner", "provider", "made_by")
    search_fields = ("owner__name", "provider__name", "=code")
    ordering = ("-made_at",)
    actions = ("stop",)

    @admin.action(description="Stop the link", permissions=["verb"])
    def stop(self, request: HttpRequest, links: QuerySet[ReferralLink]) -> None:
        staff = staff_of(request)

        def stop(link: ReferralLink) -> None:
            link.stop(by=staff, at=now_of_organization(link.owner))

        call_verb(request, links.select_related("owner", "provider"), stop, "{} stopped.")


@admin.register(Referral)
class ReferralAdmin(RecordAdmin):
    list_display = (
        *("began_at", "referred", "referrer", "provider", "percent"),
        *("starts_on", "ends_on", "refusal"),
    )
    list_filter = ("provider__kind", ("frozen_at", admin.EmptyFieldListFilter))
    list_select_related = ("referred", "referrer", "provider")
    search_fields = ("=id", "referred__name", "referrer__name", "provider__name")
    ordering = ("-began_at",)


@admin.register(Inquiry)
class InquiryAdmin(RecordAdmin):
    list_display = ("asked_at", "name", "partner", "referrer", "asked_by", "state", "answered_by")
    list_filter = ("state",)
    list_select_related = ("partner", "referrer", "asked_by", "answered_by")
    search_fields = ("name", "partner__name", "=asked_by__email")
    ordering = ("-asked_at",)


@admin.register(AffiliateShare)
class AffiliateShareAdmin(RecordAdmin):
    list_display = (
        *("earned_at", "referral", money("base"), money("fee"), "percent", money("amount")),
        "payout",
    )
    list_filter = (
        *(("refund", admin.EmptyFieldListFilter), ("dispute", admin.EmptyFieldListFilter)),
        ("earning", admin.EmptyFieldListFilter),
    )
    list_select_related = ("referral__referred", "referral__referrer", "payout")
    search_fields = ("=id", "=payment__id", "referral__referred__name", "referral__referrer__name")
    ordering = ("-earned_at",)


@admin.register(AffiliatePayout)
class AffiliatePayoutAdmin(RecordAdmin):
    list_display = (
        *("period_start", "connection", money("earned"), money("carried"), money("amount")),
        *("state", "applied_at"),
    )
    list_filter = ("state", "period_start")
    list_select_related = PARTIES
    search_fields = ("=id", *PARTY_NAMES)
    ordering = ("-period_start",)
