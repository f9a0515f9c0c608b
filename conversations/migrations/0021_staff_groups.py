from django.contrib.auth.management import create_permissions
from django.db import migrations

# As conversations/permissions.py had it when this was written; a later table takes a later migration.
LOOK = (
    "view_user", "view_conversation", "view_run", "view_session", "view_share", "view_export", "view_template",
)  # fmt: skip
GROUPS = {
    "Support agents": (*LOOK, "change_run", "change_session"),
    "Auditors": (*LOOK, "view_auditentry", "view_group", "view_embeddingindex"),
    "Administrators": (
        *LOOK, "view_auditentry", "view_group", "add_user", "change_user", "read_content", "change_conversation",
        "change_run", "change_session", "delete_share", "view_embeddingindex", "add_template", "change_template",
        "delete_template",
    ),
}  # fmt: skip
APPS = ("auth", "accounts", "conversations")


def make(apps, schema_editor):
    """A group that somebody made by that name stays as it is."""
    for label in APPS:
        # Permissions are otherwise made only after all migrations.
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label__in=APPS)
    for name, codenames in GROUPS.items():
        group, made = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        if made:
            group.permissions.set(permissions.filter(codename__in=codenames))


class Migration(migrations.Migration):
    """Support agents, auditors and administrators as groups of staff (docs/admin.md)."""

    dependencies = [
        ("conversations", "0020_shares"),
        ("accounts", "0004_idempotency"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
