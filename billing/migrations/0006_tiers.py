import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_growing_ids"),
        ("connections", "0004_growing_ids"),
    ]

    operations = [
        migrations.CreateModel(
            name="TierUse",
            fields=[
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="tier_use",
                        serialize=False,
                        to="connections.connection",
                    ),
                ),
                ("campaigns", models.PositiveIntegerField(default=0)),
                ("workflows", models.PositiveIntegerField(default=0)),
                ("reported_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "tier use",
            },
        ),
        migrations.AddField(
            model_name="subscriptionitem",
            name="ending",
            field=models.CharField(
                blank=True,
                choices=[
                    ("REPLACED", "Replaced"),
                    ("REMOVED", "Removed"),
                    ("CANCELED", "Canceled"),
                ],
                max_length=8,
            ),
        ),
        # Until now an item ended only where another took its place.
        migrations.RunSQL(
            "UPDATE billing_subscriptionitem SET ending = 'REPLACED' WHERE end_date IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="subscriptionitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end_date__isnull", True), ("ending", "")),
                    models.Q(
                        ("end_date__isnull", False),
                        ("ending__in", ["REPLACED", "REMOVED", "CANCELED"]),
                    ),
                    _connector="OR",
                ),
                name="item_ending",
            ),
        ),
    ]
