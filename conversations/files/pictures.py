"""Files that are pictures: what the page shows, and what models that see are sent."""

import base64
from uuid import UUID

from conversations import keys
from conversations.files import content
from conversations.models import File

# No kind that could hold a script, and those that every model which sees pictures takes.
TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# Larger ones are slow to load, and beyond what providers take.
MAX_BYTES = 5 * 1024 * 1024


def data_url(id_: UUID) -> str | None:
    """A picture as a `data:` URL (RFC 2397); None where it is gone. For an assistant that was told of it."""
    row = File.objects.filter(id=id_, type__in=TYPES, size__lte=MAX_BYTES).defer("text").first()
    if row is None:
        return None
    held = b"".join(content.pieces(row, keys.of(row.conversation_id)))
    return f"data:{row.type};base64,{base64.b64encode(held).decode()}"
