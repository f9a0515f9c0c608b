from django.db import migrations


class Migration(migrations.Migration):
    """Notes with each event the transaction that wrote it, so that it can be told of any snapshot of the database
    whether it had the event (conversations/streamcursors.py).

    The database fills it in, and only its own queries look at it: no model field, or every insert would name it.
    Events of before count as written in ages past; 3 is the first transaction there can be.
    """

    dependencies = [("conversations", "0017_verify")]

    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE conversations_event ADD COLUMN xact xid8 NOT NULL DEFAULT '3'",
                "ALTER TABLE conversations_event ALTER COLUMN xact SET DEFAULT pg_current_xact_id()",
            ],
            "ALTER TABLE conversations_event DROP COLUMN xact",
        ),
    ]
