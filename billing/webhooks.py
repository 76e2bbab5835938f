"""What payment gateways report: of payments and of refunds."""

from .collecting import PAYMENTS
from .events import WEBHOOK_TASK
from .gateways import gateway
from .inbox import Inbox
from .refunding import REFUNDS

INBOX = Inbox(WEBHOOK_TASK, gateway, (PAYMENTS, REFUNDS), nouns="payment or refund")
receive, work_off = INBOX.receive, INBOX.work_off
