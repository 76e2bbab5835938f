"""The link of an invitation: signed, so that nobody can make one up, and stored nowhere."""

from uuid import UUID

from django.core import signing

_signer = signing.Signer(salt="connections.invitation")


def invitation_token(invitation_id: UUID | str) -> str:
    """What the link of this invitation carries: the same in every mail about it."""
    return _signer.sign(str(invitation_id))


def invitation_id(token: str) -> str | None:
    """The id of the invitation that a link names, None for a forged link."""
    try:
        return _signer.unsign(token)
    except signing.BadSignature:
        return None
