"""What Partners earn and what referrals do, how it is paid out, and where it is sent."""

from .accounts import BankAccount
from .affiliate_payouts import AffiliatePayout
from .affiliate_shares import AffiliateShare
from .earnings import Earning
from .inquiries import Inquiry
from .payouts import Payout
from .preferences import Preference
from .referral_links import ReferralLink
from .referral_terms import ReferralTerms
from .referrals import Referral
from .sandbox import SandboxBank, SandboxLink, SandboxTransfer
from .settlements import Settlement
from .statements import Statement
from .transfers import BankTransfer

__all__ = [
    "AffiliatePayout",
    "AffiliateShare",
    "BankAccount",
    "BankTransfer",
    "Earning",
    "Inquiry",
    "Payout",
    "Preference",
    "Referral",
    "ReferralLink",
    "ReferralTerms",
    "SandboxBank",
    "SandboxLink",
    "SandboxTransfer",
    "Settlement",
    "Statement",
]
