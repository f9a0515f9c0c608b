from django.db import migrations, models


class Migration(migrations.Migration):
    """Which version of its assistant answered."""

    dependencies = [("conversations", "0021_staff_groups")]

    operations = [
        migrations.AddField(
            "run", "version", models.CharField(blank=True, max_length=64, null=True, verbose_name="version")
        ),
    ]
