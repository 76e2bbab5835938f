"""The link of an invitation: signed, so that nobody can make one up, and stored nowhere."""

from uuid import UUID

from django.core import signing

_SALT = "connections.invitation"


def invitation_token(invitation_id: UUID | str) -> str:
    """What the link of this invitation carries."""
    return signing.dumps(str(invitation_id), salt=_SALT)


def invitation_id(token: str) -> str | None:
    """The id of the invitation that a link names, None for a forged link."""
    try:
        return str(signing.loads(token, salt=_SALT))
    except signing.BadSignature:
        return None
