from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GROUPS = ("Auditors", "Administrators")


def allow(apps, schema_editor):
    """Who looks after the trail or the product sees what runs took."""
    config = apps.get_app_config("conversations")
    # Permissions are otherwise made only after all migrations.
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    [permission] = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="conversations", codename="view_usage"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    """What runs took, added up: an index for everybody's, and who may see it."""

    dependencies = [("conversations", "0022_run_version")]

    operations = [
        migrations.AlterModelOptions(
            "run",
            options={
                "permissions": [("view_usage", "Can view what everybody's runs took")],
                "verbose_name": "run",
                "verbose_name_plural": "runs",
            },
        ),
        migrations.AddIndex(
            "run",
            models.Index(
                condition=models.Q(("requested_by__isnull", False)), fields=["queued_at"], name="run_of_day"
            ),
        ),
        migrations.RunPython(allow, migrations.RunPython.noop),
    ]
