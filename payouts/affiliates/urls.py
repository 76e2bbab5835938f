"""The pages of referrals, below three addresses: see revampd/urls.py."""

from django.urls import path

from payouts.views import affiliates, joining, referrals

# /connections/<uuid>/affiliate-payouts/
affiliate_urls = [
    path("", affiliates.affiliate_page, name="affiliate"),
    path("export/", affiliates.export_payouts, name="export-payouts"),
    path("link/", affiliates.make_link, name="make-link"),
    path("link/stop/", affiliates.stop_link, name="stop-link"),
    path("<uuid:affiliate_payout_id>/", affiliates.payout_detail, name="payout"),
    path("<uuid:affiliate_payout_id>/export/", affiliates.export_shares, name="export-shares"),
]

# /organizations/<slug>/referrals/
referral_urls = [
    path("", referrals.referrals, name="referrals"),
    path("link/", referrals.make_link, name="make-link"),
    path("link/stop/", referrals.stop_link, name="stop-link"),
    path("terms/", referrals.offer_terms, name="offer-terms"),
    path("inquiries/<uuid:inquiry_id>/", referrals.inquiry, name="inquiry"),
    path("inquiries/<uuid:inquiry_id>/acceptance/", referrals.accept_inquiry, name="accept"),
    path("inquiries/<uuid:inquiry_id>/refusal/", referrals.decline_inquiry, name="decline"),
]

# /join/<code>/
joining_urls = [
    path("", joining.landing, name="landing"),
    path("company/", joining.company, name="company"),
]
