"""Reports and their templates."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.models import BatchRow, Report, ReportTemplate
from conversations.reports.sealing import title_of

Json = dict[str, Any]
# How much of the work is asking, where something is asked.
ASKING = 0.9


def report(row: Report) -> Json:
    """A report; `progress` is from 0 to 1."""
    completed = row.status == Report.Status.COMPLETED
    return {
        "id": str(row.id),
        "status": row.status,
        "progress": 1.0 if completed else _progress(row),
        "title": title_of(row),
        "template": row.template,
        "format": row.form,
        "bytes": row.bytes,
        "error": row.error,
        "created_at": rfc3339(row.created_at),
        "ended_at": rfc3339(row.ended_at),
        "download_url": f"/api/v1/reports/{row.id}/download/" if completed else None,
    }


def _progress(row: Report) -> float:
    if row.asked is None:
        return 0.0
    answered = row.asked.rows.filter(status__in=BatchRow.ENDED).count()
    return round(ASKING * answered / row.asked.total, 4)


def report_template(row: ReportTemplate) -> Json:
    return {
        "id": str(row.id),
        "key": row.key,
        "name": row.name,
        "kind": row.kind,
        "shared": row.user_id is None,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }
