"""Telling readers that something was committed. A hint: it may be lost, doubled or late, never wrong."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from chatproject.lib import metrics

log = logging.getLogger(__name__)


def publish(frames: Mapping[UUID, Sequence[dict[str, Any]]]) -> None:
    """Hand the committed frames of one commit, by conversation, to EVENT_PUBLISHERS; never raises."""
    for path in settings.EVENT_PUBLISHERS if frames else ():
        try:
            import_string(path)(frames)
        except Exception:
            metrics.hints_failed.inc()
            log.exception("the publisher %s failed; readers find the events by polling", path)
