"""Freezing referrals: the terms of the day of the first approved plan, kept for good."""

from datetime import datetime

from django.utils import timezone

from payouts.models import Referral


def freeze_referrals(*, at: datetime | None = None) -> int:
    """Freeze every referral whose organization has approved a plan. Returns how many.

    It is pulled, like earnings: billing knows nothing of referrals. The terms are those of the
    instant of the approval, whenever this runs, and what is paid waits until they are frozen.
    """
    ready = Referral.objects.ready().select_related("account__provider", "referrer", "referred")
    frozen = 0
    for referral in ready.order_by("began_at", "pk"):
        referral.freeze(at=referral.account.own_time(at or timezone.now()))
        frozen += 1
    return frozen
