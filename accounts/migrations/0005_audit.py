import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION accounts_auditentry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER accounts_auditentry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_auditentry_stays();
"""
ALLOW = "DROP TRIGGER accounts_auditentry_stays ON accounts_auditentry; DROP FUNCTION accounts_auditentry_stays();"


class Migration(migrations.Migration):
    """From where, and in which request; from now on entries can be added only. An actor who is gone stays named."""

    dependencies = [("accounts", "0004_idempotency")]

    operations = [
        migrations.AddField(
            "auditentry", "address", models.CharField(blank=True, default="", max_length=45, verbose_name="address"),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditentry", "request_id", models.CharField(blank=True, default="", max_length=64, verbose_name="request"),
            preserve_default=False,
        ),
        migrations.AlterField(
            "auditentry", "actor",
            models.ForeignKey(
                db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+",
                to=settings.AUTH_USER_MODEL, verbose_name="actor",
            ),
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
