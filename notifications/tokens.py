"""The link that ends mail of one kind: signed, so that nobody ends somebody else's."""

from django.core import signing

from connections.kinds import Category
from connections.models import User

EVERYTHING = "ALL"

_signer = signing.Signer(salt="notifications.unsubscribe")


def unsubscribe_token(person: User, category: str) -> str:
    """For one category, or EVERYTHING that may be ended."""
    return _signer.sign(f"{person.pk}-{category}")


def unsubscription(token: str) -> tuple[User, list[Category]] | None:
    """Whose mail of which categories a link ends, None for a forged one."""
    try:
        key, _, category = _signer.unsign(token).partition("-")
    except signing.BadSignature:
        return None
    person = User.objects.filter(pk=key).first()
    if person is None:
        return None
    return person, list(Category) if category == EVERYTHING else [Category(category)]
