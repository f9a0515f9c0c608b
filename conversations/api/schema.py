"""What drf-spectacular cannot know: that every route may answer with a problem document."""

from typing import Any

from chatproject.lib.errors import CODES

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. Further members by code: `version` and, of a message, `message` (stale), `reason`, "
    "`epoch`, `head` and `snapshot` (resync_required).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(CODES)},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "request_id": {"type": "string"},
        "retry_after_ms": {"type": "integer"},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}
ANSWER = {
    "description": "Any failure.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular (POSTPROCESSING_HOOKS)."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = ANSWER
    return result
