from django.db import migrations, models

WHO_ASKED = """
UPDATE conversations_run AS run SET requested_by = event.actor_id::uuid
FROM conversations_event AS event
WHERE event.conversation_id = run.conversation_id AND event.seq = run.queued_seq
  AND event.actor_kind = 'user' AND event.imported_by IS NULL
"""


class Migration(migrations.Migration):
    """Who asked for an answer, for quotas; of those of before, what the log says."""

    dependencies = [("conversations", "0018_event_xact")]

    operations = [
        migrations.AddField("run", "requested_by", models.UUIDField(null=True)),
        migrations.RunSQL(WHO_ASKED, migrations.RunSQL.noop),
        migrations.AddIndex("run", models.Index(fields=["requested_by", "queued_at"], name="run_of_user")),
    ]
