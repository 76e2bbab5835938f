"""Decline codes, in words for the customer, and which of them are for good.

The codes are Stripe's, and the sandbox speaks them too. A bank that reports a card as lost, stolen
or fraudulent does not want its holder to learn that here: those all read alike.
"""

from .base import Decline

_FOR_GOOD = "The bank refuses this card for good. Use another card."
_CALL_THE_BANK = (
    "The bank declined the card and gives no reason. Ask the bank, or use another card."
)
_NOT_FOR_THIS = "This card cannot be used for this kind of payment. Use another card."
_DATA = "The card's details are no longer right. Add the card again, or use another one."
_LATER = "The bank could not process the payment just now. Nothing was taken."
_EMPTY = "There is not enough money on the card."
_LIMIT = "The card has reached its limit."
_UNCONFIRMED = "The payment was not confirmed. Nothing was taken."

HARD = {
    **dict.fromkeys(("lost_card", "stolen_card", "pickup_card", "restricted_card"), _FOR_GOOD),
    **dict.fromkeys(("fraudulent", "merchant_blacklist", "security_violation"), _FOR_GOOD),
    **dict.fromkeys(("do_not_try_again", "stop_payment_order"), _FOR_GOOD),
    "revocation_of_authorization": _FOR_GOOD,
    "revocation_of_all_authorizations": _FOR_GOOD,
    "expired_card": "The card has expired. Add a card that is valid.",
    **dict.fromkeys(("incorrect_number", "invalid_number", "invalid_account"), _DATA),
    **dict.fromkeys(("invalid_expiry_month", "invalid_expiry_year"), _DATA),
    "new_account_information_available": _DATA,
    **dict.fromkeys(("card_not_supported", "currency_not_supported"), _NOT_FOR_THIS),
    **dict.fromkeys(("transaction_not_allowed", "service_not_allowed"), _NOT_FOR_THIS),
    "method_gone": "This payment method was removed. Add it again, or use another one.",
    "amount_too_small": "The amount is too small to be taken from a card.",
    "amount_too_large": "The amount is too large to be taken from a card.",
}
SOFT = {
    "insufficient_funds": _EMPTY,
    **dict.fromkeys(("card_velocity_exceeded", "withdrawal_count_limit_exceeded"), _LIMIT),
    **dict.fromkeys(("processing_error", "issuer_not_available", "reenter_transaction"), _LATER),
    **dict.fromkeys(("try_again_later", "approve_with_id"), _LATER),
    "authentication_required": "The bank wants this payment to be confirmed.",
    "payment_intent_authentication_failure": _UNCONFIRMED,
    "canceled": "The payment was given up before it was confirmed. Nothing was taken.",
    "refund_failed": "The bank did not take the refund.",
}


def decline(code: str, *, never_again: bool = False) -> Decline:
    """The decline that `code` stands for; `never_again` if the bank says so besides."""
    sentence = HARD.get(code) or SOFT.get(code, _CALL_THE_BANK)
    return Decline(code, sentence, is_hard=code in HARD or never_again)
