"""Billing for staff: what is sealed, published or issued is read; the rest changes by verbs."""

from . import (
    agreements,
    catalog,
    imports,
    invoices,
    oversight,
    payments,
    runs,
    sandbox,
    tiers,
    usage,
    wallets,
)

__all__ = [
    "agreements",
    "catalog",
    "imports",
    "invoices",
    "oversight",
    "payments",
    "runs",
    "sandbox",
    "tiers",
    "usage",
    "wallets",
]
