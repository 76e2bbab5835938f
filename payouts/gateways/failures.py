"""Why money did not arrive, in words for whoever waits for it."""

from billing.gateways.base import Decline

GONE = "account_gone"

SENTENCES = {
    "account_closed": "The bank account is closed.",
    "account_frozen": "The bank account is frozen.",
    "bank_account_restricted": "The bank account takes no such transfers.",
    "bank_ownership_changed": "The bank account changed hands and has to be linked again.",
    "could_not_process": "The bank could not process it.",
    "declined": "The bank refused it.",
    "incorrect_account_holder_name": "The bank knows the account under another name.",
    "invalid_account_number": "The bank knows no such account.",
    "invalid_currency": "The bank account takes another currency.",
    "no_account": "The bank knows no such account.",
    GONE: "The bank account is no longer linked at the payment service.",
    "not_ready": "The payment service needs details of you before it sends money there.",
    "taken_back": "It was taken back at the payment service.",
    "canceled": "It was canceled at the payment service.",
}
UNKNOWN = "The bank sent it back."


def failure(code: str) -> Decline:
    """Why it failed. Sending it to the same account again is of no use before that is mended."""
    return Decline(code[:60], SENTENCES.get(code, UNKNOWN), is_hard=True)
