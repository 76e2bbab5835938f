"""What payment gateways report: of payments, of refunds and of disputes."""

from .collecting import PAYMENTS
from .disputing import find_dispute
from .events import WEBHOOK_TASK
from .gateways import gateway
from .gateways.base import Subject
from .inbox import Inbox
from .refunding import REFUNDS

INBOX = Inbox(
    WEBHOOK_TASK,
    gateway,
    (PAYMENTS, REFUNDS),
    nouns="payment, refund or dispute",
    finders={Subject.DISPUTE: find_dispute},
)
receive, work_off = INBOX.receive, INBOX.work_off
