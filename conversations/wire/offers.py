"""Templates and exports."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.models import Export, Template

Json = dict[str, Any]


def template(row: Template) -> Json:
    return {
        "id": str(row.id),
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "title": row.title,
        "assistant": row.assistant,
        "system": row.system,
        "pinned": row.pinned,
        "metadata": row.metadata,
        "tags": row.tags,
        "variables": row.variables,
        "active": row.active,
        "visibility": row.visibility,
        "version": row.version,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def export(row: Export) -> Json:
    """An export of many conversations; `progress` is from 0 to 1."""
    completed = row.status == Export.Status.COMPLETED
    return {
        "id": str(row.id),
        "status": row.status,
        "progress": round(row.progress, 4),
        "total": row.total,
        "done": row.done,
        "created_at": rfc3339(row.created_at),
        "ended_at": rfc3339(row.ended_at),
        "expires_at": rfc3339(row.expires_at),
        "download_url": f"/api/v1/exports/{row.id}/download/" if completed else None,
    }
