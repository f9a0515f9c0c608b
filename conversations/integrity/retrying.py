"""Writing although rows are damaged: they are made right, and the write is tried once more."""

import logging
from collections.abc import Callable
from typing import TypeVar

from chatproject.lib import metrics
from conversations.integrity import repairing
from conversations.projections import CannotApply

log = logging.getLogger(__name__)

T = TypeVar("T")


def with_rows_made_right(write: Callable[[], T]) -> T:
    """What `write` gives. Where its events cannot be applied, the rows are made anew from the last good snapshot and
    the events since; where that does not help, from the whole log. Raises CannotApply where nothing helps."""
    for mend in (repairing.resynchronise, repairing.rebuild):
        try:
            return write()
        except CannotApply as failure:
            metrics.resynchronised.inc()
            log.error("the rows of %s do not fit its log and are made anew", failure)
            mend(failure.conversation)
    return write()
