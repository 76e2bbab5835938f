"""Where what happened can be looked at: the addresses that its notifications lead to."""

from django.urls import reverse

from connections.models.events import Event


def to_request(event: Event) -> str:
    return reverse("billing:request", args=[event.connection_id, event.subject_id])


def to_plan(event: Event) -> str:
    return reverse("billing:plan", args=[event.connection_id])


def to_invoice(event: Event) -> str:
    return reverse("billing:invoice", args=[event.connection_id, event.facts["number"]])


def to_methods(event: Event) -> str:
    return reverse("billing:payment-methods", args=[event.connection_id])


def to_usage(event: Event) -> str:
    return reverse("billing:usage", args=[event.connection_id])


def to_wallet(event: Event) -> str:
    return reverse("billing:wallet", args=[event.connection_id])


def to_adjustment(event: Event) -> str:
    return reverse("admin:billing_adjustment_change", args=[event.subject_id])


def to_import(event: Event) -> str:
    return reverse("sub-org-import", args=[event.organization.slug, event.subject_id])
