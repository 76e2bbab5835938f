"""The books of the sandbox gateway. They are its own: nothing of ours points at them.

A real gateway keeps these on its side of the network. The sandbox writes them in transactions of
its own, so that what it did stays done, whatever becomes of the caller.
"""

from .disputes import DISPUTED_AFTER, SandboxDispute
from .methods import SandboxMethod, SandboxSetup
from .network import SandboxLostRequest, SandboxWebhook
from .orders import SETTLES_AFTER, TOLD_AGAIN_AFTER, SandboxCharge, SandboxRefund

__all__ = [
    "DISPUTED_AFTER",
    "SETTLES_AFTER",
    "TOLD_AGAIN_AFTER",
    "SandboxCharge",
    "SandboxDispute",
    "SandboxLostRequest",
    "SandboxMethod",
    "SandboxRefund",
    "SandboxSetup",
    "SandboxWebhook",
]
