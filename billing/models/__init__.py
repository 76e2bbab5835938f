"""What is sold, what was agreed, what runs, what is owed, and how it is paid."""

from .adjustments import Adjustment
from .applications import CreditApplication, CreditReturn
from .billing_runs import BillingRun
from .catalog import AddOn, OneTimeCharge
from .credits import Credit
from .deductions import Deduction
from .disputes import Dispute
from .documents import Document
from .invoices import Invoice
from .items import SubscriptionItem
from .ledger import Transfer
from .limits import PriceLimits
from .lines import InvoiceLine
from .methods import PaymentMethod
from .notes import CreditNote, CreditNoteLine
from .oversight import BooksCheck, Discrepancy
from .payments import Payment
from .plans import Plan, PlanVersion
from .refunds import Refund
from .requests import BillingRequest
from .sandbox import (
    SandboxCharge,
    SandboxDispute,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
)
from .self_service import SelfService
from .series import InvoiceSeries
from .sub_org_imports import SubOrgImport, SubOrgImportRow
from .subscriptions import Subscription
from .tiers import TierUse, Use, tier_of
from .usage import UsageRecord
from .webhooks import GatewayEvent

__all__ = [
    "AddOn",
    "Adjustment",
    "BillingRequest",
    "BillingRun",
    "BooksCheck",
    "Credit",
    "CreditApplication",
    "CreditNote",
    "CreditNoteLine",
    "CreditReturn",
    "Deduction",
    "Discrepancy",
    "Dispute",
    "Document",
    "GatewayEvent",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "OneTimeCharge",
    "Payment",
    "PaymentMethod",
    "Plan",
    "PlanVersion",
    "PriceLimits",
    "Refund",
    "SandboxCharge",
    "SandboxDispute",
    "SandboxLostRequest",
    "SandboxMethod",
    "SandboxRefund",
    "SandboxSetup",
    "SandboxWebhook",
    "SelfService",
    "SubOrgImport",
    "SubOrgImportRow",
    "Subscription",
    "SubscriptionItem",
    "TierUse",
    "Transfer",
    "UsageRecord",
    "Use",
    "tier_of",
]
