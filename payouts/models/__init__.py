"""What Partners earn, how it is paid out, and where it is sent."""

from .accounts import BankAccount
from .earnings import Earning
from .payouts import Payout
from .preferences import Preference
from .sandbox import SandboxBank, SandboxLink, SandboxTransfer
from .settlements import Settlement
from .transfers import BankTransfer

__all__ = [
    "BankAccount",
    "BankTransfer",
    "Earning",
    "Payout",
    "Preference",
    "SandboxBank",
    "SandboxLink",
    "SandboxTransfer",
    "Settlement",
]
