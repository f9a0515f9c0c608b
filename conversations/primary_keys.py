"""Which primary keys the database needs. Knows no models: the checks at the start ask before they are loaded."""

# One step through the index `conversation_primary_key` for each different key, instead of one for each row.
IN_USE = """
WITH RECURSIVE used(id) AS (
    SELECT min(split_part(data_key, ':', 1)) FROM conversations_conversation
    UNION ALL
    SELECT (SELECT min(split_part(data_key, ':', 1)) FROM conversations_conversation
            WHERE split_part(data_key, ':', 1) > used.id)
    FROM used WHERE used.id IS NOT NULL
) SELECT id FROM used WHERE id <> ''
"""
