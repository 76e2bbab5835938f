from django.urls import path

from .views import exports, payouts, settings, settlements, statements

app_name = "payouts"

# /connections/<uuid>/payouts/
urlpatterns = [
    path("", payouts.payout_list, name="payouts"),
    path("export/", exports.export_payouts, name="export-payouts"),
    path("settings/", settings.settings_page, name="settings"),
    path("settings/preference/", settings.choose_preference, name="choose-preference"),
    path("settings/bank-account/new/", settings.link_account, name="link-account"),
    path("settings/bank-account/again/", settings.link_again, name="link-again"),
    path("settings/bank-account/linked/", settings.account_linked, name="account-linked"),
    path("settings/bank-account/removal/", settings.remove_account, name="remove-account"),
    path("<uuid:payout_id>/", payouts.payout_detail, name="payout"),
    path("<uuid:payout_id>/export/", exports.export_earnings, name="export-earnings"),
    path("<uuid:payout_id>/statement/", statements.statement, name="statement"),
    path("<uuid:payout_id>/settlement/", settlements.settle_payout, name="settle-payout"),
]
