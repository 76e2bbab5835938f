"""The table of the staff's roles: who sees, opens, changes and does what in the admin."""

S, F, A, SF, SA, FA, SFA = "S", "F", "A", "SF", "SA", "FA", "SFA"
LETTERS = {"Support": S, "Finance": F, "Administrator": A, "": "-"}

# Who sees the rows of a model. What is not listed, nobody but a superuser sees.
SEES = {
    SFA: """
        billing.addon billing.billingrequest billing.credit billing.creditapplication
        billing.creditnote billing.invoice billing.invoiceline billing.onetimecharge
        billing.payment billing.plan billing.planversion billing.suborgimport
        billing.suborgimportrow billing.subscription billing.subscriptionitem billing.tieruse
        billing.usagerecord connections.connection connections.event connections.membership
        connections.organization connections.user payouts.inquiry payouts.referral
        payouts.referrallink
    """,
    SA: """
        connections.invitation connections.outbox connections.viewing notifications.delivery
        notifications.digest notifications.digesthour notifications.notification
        notifications.organizationdefault notifications.preference notifications.undeliverable
        tickets.attachment tickets.message tickets.ticket tickets.unread
    """,
    FA: "billing.* payouts.*",
    A: "revampd.clockmove",
}
# Who opens which page that calls a verb, and who may change or add by the form of the admin.
PAGES = {
    "answer-ticket": SA,
    "triage-ticket": SA,
    "view-as": SA,
    "adjust-wallet": FA,
    "approve-adjustment": FA,
    "reject-adjustment": FA,
    "void-invoice": FA,
    "write-off-invoice": FA,
    "credit-invoice": FA,
    "propose-service": FA,
    "enter-usage": FA,
    "import-usage": FA,
    "confirm-usage-import": FA,
    "ask-for-run": FA,
    "resume-run": FA,
    "run-progress": FA,
    "check-books": FA,
    "create-partner": A,
    "offer-tier": A,
    "publish-tier": A,
    "offer-addon": A,
    "offer-onetimecharge": A,
}
CHANGES = dict.fromkeys(("connections.organization", "connections.user", "billing.pricelimits"), A)
ADDS = {"payouts.referralterms": FA}
ACTIONS = {
    "connections.invitation": (SA, {"resend", "withdraw"}),
    "connections.membership": (A, {"make_owner", "remove"}),
    "connections.outbox": (A, {"release"}),
    "notifications.delivery": (SA, {"send_again"}),
    "notifications.undeliverable": (SA, {"try_again"}),
    "billing.gatewayevent": (FA, {"release"}),
    "billing.sandboxcharge": (A, {"dispute"}),
    "billing.sandboxdispute": (A, {"win", "lose"}),
    "billing.addon": (A, {"archive"}),
    "billing.onetimecharge": (A, {"archive"}),
    "billing.plan": (A, {"archive"}),
    "billing.planversion": (A, {"retire"}),
    "payouts.referrallink": (FA, {"stop"}),
}


def seers(label: str) -> str:
    """The letters of the roles that see the rows of a model."""
    app = label.split(".")[0]
    found = [who for who, named in SEES.items() if {label, f"{app}.*"} & set(named.split())]
    return found[0] if found else ""
