from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GROUPS = ("Support agents", "Administrators")


def allow(apps, schema_editor):
    """Those who answer for the service, by the groups of before, may take what waits for a person."""
    config = apps.get_app_config("conversations")
    # Permissions are otherwise made only after all migrations.
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permission = apps.get_model("auth", "Permission").objects.get(codename="answer_as_agent")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    """Conversations that wait for a person, and who has taken them (docs/handoff.md)."""

    dependencies = [
        ("conversations", "0024_batches"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="conversation",
            options={
                "permissions": [
                    ("read_content", "Can read content of conversations"),
                    ("answer_as_agent", "Can take conversations that wait for a person"),
                ],
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="agent",
            field=models.UUIDField(null=True, verbose_name="agent"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "with_agent"])),
                fields=["status", "id"],
                name="conversation_human",
            ),
        ),
        migrations.CreateModel(
            name="DeskEntry",
            fields=[],
            options={
                "verbose_name": "conversation for people",
                "verbose_name_plural": "agents' desk",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("conversations.conversation",),
        ),
        migrations.RunPython(allow, migrations.RunPython.noop),
    ]
