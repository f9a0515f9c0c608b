import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import chatproject.lib.ids

LOOKERS = ("Support agents", "Auditors", "Administrators")
WRITERS = ("Administrators",)


def allow(apps, schema_editor):
    """Staff see what is connected; administrators of the product connect it."""
    config = apps.get_app_config("conversations")
    # Permissions are otherwise made only after all migrations.
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    for act, names in (("view", LOOKERS), ("add", WRITERS), ("change", WRITERS), ("delete", WRITERS)):
        permission = apps.get_model("auth", "Permission").objects.get(codename=f"{act}_connector")
        for group in apps.get_model("auth", "Group").objects.filter(name__in=names):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    """What staff connect at run time, and what users allow it to do in their name."""

    dependencies = [
        ("conversations", "0025_handoff"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Connector",
            fields=[
                ("id", models.UUIDField(default=chatproject.lib.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.SlugField(max_length=64, unique=True, verbose_name="name")),
                ("kind", models.CharField(max_length=32, verbose_name="kind")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("config", models.JSONField(blank=True, default=dict, verbose_name="configuration")),
                ("secrets", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("health", models.CharField(blank=True, choices=[("", "not checked"), ("ok", "works"), ("failing", "fails")], default="", max_length=16, verbose_name="health")),
                ("health_detail", models.CharField(blank=True, max_length=300, verbose_name="what the check found")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="checked")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={"verbose_name": "connector", "verbose_name_plural": "connectors", "ordering": ("name",)},
        ),
        migrations.CreateModel(
            name="Authorisation",
            fields=[
                ("id", models.UUIDField(default=chatproject.lib.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tokens", models.TextField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("connector", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="authorisations", to="conversations.connector")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name="authorisation",
            constraint=models.UniqueConstraint(fields=("connector", "user"), name="authorisation_once"),
        ),
        migrations.RunPython(allow, migrations.RunPython.noop),
    ]
