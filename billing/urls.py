from django.urls import path

from .views import (
    corrections,
    documents,
    exports,
    invoices,
    methods,
    payments,
    plan,
    requests,
    usage,
    wallet,
)

app_name = "billing"

# /connections/<uuid>/
urlpatterns = [
    path("plan/", plan.plan_page, name="plan"),
    path("requests/", requests.request_list, name="requests"),
    path("requests/export/", exports.export_requests, name="export-requests"),
    path("requests/new/", requests.propose_request, name="propose"),
    path("requests/<uuid:request_id>/", requests.request_detail, name="request"),
    path("requests/<uuid:request_id>/approval/", requests.approve_request, name="approve-request"),
    path("requests/<uuid:request_id>/rejection/", requests.reject_request, name="reject-request"),
    path(
        "requests/<uuid:request_id>/withdrawal/",
        requests.withdraw_request,
        name="withdraw-request",
    ),
    path("requests/<uuid:request_id>/revision/", requests.revise_request, name="revise-request"),
    path("invoices/", invoices.invoice_list, name="invoices"),
    path("invoices/export/", exports.export_invoices, name="export-invoices"),
    path("invoices/<int:number>/", invoices.invoice_detail, name="invoice"),
    path("invoices/<int:number>/pdf/", documents.invoice_pdf, name="invoice-pdf"),
    path("invoices/<int:number>/payment/", payments.pay_invoice, name="pay-invoice"),
    path(
        "invoices/<int:number>/payments/<uuid:payment_id>/confirmation/",
        payments.confirm_payment,
        name="confirm-payment",
    ),
    path(
        "invoices/<int:number>/payments/<uuid:payment_id>/outcome/",
        payments.check_payment,
        name="check-payment",
    ),
    path(
        "invoices/<int:number>/payments/<uuid:payment_id>/cancellation/",
        payments.give_up_payment,
        name="give-up-payment",
    ),
    path("invoices/<int:number>/void/", corrections.void_invoice, name="void-invoice"),
    path("invoices/<int:number>/write-off/", corrections.write_off_invoice, name="write-off"),
    path(
        "invoices/<int:number>/credit-notes/new/",
        corrections.new_credit_note,
        name="new-credit-note",
    ),
    path("credit-notes/<int:note_number>/", corrections.credit_note, name="credit-note"),
    path("credit-notes/<int:note_number>/pdf/", documents.note_pdf, name="credit-note-pdf"),
    path("wallet/", wallet.wallet_page, name="wallet"),
    path("wallet/export/", exports.export_wallet, name="export-wallet"),
    path("wallet/adjustment/", wallet.adjust_wallet, name="adjust-wallet"),
    path("wallet/credits/<uuid:credit_id>/", wallet.credit_detail, name="credit"),
    path("payment-methods/", methods.method_list, name="payment-methods"),
    path("payment-methods/new/", methods.add_method, name="add-payment-method"),
    path("payment-methods/added/", methods.method_added, name="payment-method-added"),
    path(
        "payment-methods/<uuid:method_id>/default/",
        methods.choose_method,
        name="choose-payment-method",
    ),
    path(
        "payment-methods/<uuid:method_id>/removal/",
        methods.remove_method,
        name="remove-payment-method",
    ),
    path("usage/", usage.usage_list, name="usage"),
    path("usage/new/", usage.enter_usage, name="enter-usage"),
    path("usage/import/", usage.import_usage, name="import-usage"),
    path("usage/import/confirmation/", usage.confirm_import, name="confirm-usage-import"),
]
