"""The numbers of invoices and credit notes: by provider, in order, without gaps."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection as database
from django.db import models
from django.db.models import F

from connections.models import Organization
from revampd.kit.locking import lock

NEW_SERIES = """
    INSERT INTO billing_invoiceseries (provider_id, last_number, last_note)
    SELECT provider, 0, 0 FROM unnest(%s::uuid[]) AS new (provider) ORDER BY provider
    ON CONFLICT DO NOTHING
"""
TAKE_NUMBERS = """
    WITH held AS (
        SELECT provider_id FROM billing_invoiceseries WHERE provider_id = ANY(%s::uuid[])
        ORDER BY provider_id FOR NO KEY UPDATE
    )
    UPDATE billing_invoiceseries series SET last_number = series.last_number + wanted.number
    FROM held JOIN unnest(%s::uuid[], %s::int[]) AS wanted (provider_id, number)
        USING (provider_id)
    WHERE series.provider_id = held.provider_id
    RETURNING series.provider_id, series.last_number - wanted.number + 1
"""


class InvoiceSeries(models.Model):
    """The running number of a provider's invoices.

    A row, not a sequence: a number taken by a transaction that fails is given back with it, so
    there are no gaps.
    """

    provider = models.OneToOneField(Organization, on_delete=models.PROTECT, primary_key=True)
    last_number = models.PositiveBigIntegerField(default=0)
    last_note = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "invoice series"

    def __str__(self) -> str:
        return f"Invoices of {self.provider}: {self.last_number}"

    @classmethod
    def take_each(cls, counts: Mapping[UUID, int]) -> dict[UUID, int]:
        """For each provider the first of so many new numbers, by its id.

        Take them last in the transaction: they serialize the provider. All transactions lock
        the rows in the same order.
        """
        providers = sorted(counts)
        with database.cursor() as cursor:
            cursor.execute(NEW_SERIES, [providers])
            cursor.execute(TAKE_NUMBERS, [providers, providers, [counts[p] for p in providers]])
            return dict(cursor.fetchall())

    @classmethod
    def take_note(cls, provider: Organization) -> int:
        """The next number of a credit note. Take it last in the transaction, too."""
        series, _ = cls.objects.get_or_create(provider=provider)
        series = lock(series)
        cls.objects.filter(pk=series.pk).update(last_note=F("last_note") + 1)
        return series.last_note + 1
