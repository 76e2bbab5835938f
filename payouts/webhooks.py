"""What gateways report of transfers and of linked accounts."""

from billing.inbox import Inbox

from .events import WEBHOOK_TASK
from .gateways import bank
from .linking import Accounts
from .sending import TRANSFERS

INBOX = Inbox(WEBHOOK_TASK, bank, (TRANSFERS, Accounts()), nouns="transfer or bank account")
