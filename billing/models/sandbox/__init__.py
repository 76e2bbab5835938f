"""The books of the sandbox gateway. They are its own: nothing of ours points at them.

A real gateway keeps these on its side of the network. The sandbox writes them in transactions of
its own, so that what it did stays done, whatever becomes of the caller.
"""

from .methods import SandboxMethod, SandboxSetup
from .network import SandboxLostRequest, SandboxWebhook
from .orders import SETTLES_AFTER, TOLD_AGAIN_AFTER, SandboxCharge, SandboxRefund

__all__ = [
    "SETTLES_AFTER",
    "TOLD_AGAIN_AFTER",
    "SandboxCharge",
    "SandboxLostRequest",
    "SandboxMethod",
    "SandboxRefund",
    "SandboxSetup",
    "SandboxWebhook",
]
