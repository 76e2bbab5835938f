"""What is sold, what was agreed, what runs, and what is owed."""

from .catalog import AddOn, OneTimeCharge
from .invoices import Invoice, InvoiceSeries
from .limits import PriceLimits
from .lines import InvoiceLine
from .plans import Plan, PlanVersion
from .requests import BillingRequest
from .sandbox import (
    SandboxCharge,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
)
from .subscriptions import Subscription, SubscriptionItem

__all__ = [
    "AddOn",
    "BillingRequest",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "OneTimeCharge",
    "Plan",
    "PlanVersion",
    "PriceLimits",
    "SandboxCharge",
    "SandboxLostRequest",
    "SandboxMethod",
    "SandboxRefund",
    "SandboxSetup",
    "SandboxWebhook",
    "Subscription",
    "SubscriptionItem",
]
