from django.db import migrations


def set_limits(apps, schema_editor):
    """The platform's limits in US dollars, as its price list states them; staff may change them."""
    limits = apps.get_model("billing", "PriceLimits").objects.using(schema_editor.connection.alias)
    limits.get_or_create(currency="USD")


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial")]

    operations = [migrations.RunPython(set_limits, migrations.RunPython.noop)]
