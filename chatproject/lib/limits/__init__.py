"""How often somebody may do something (docs/limits.md)."""

from chatproject.lib.limits.table import LIMITS, Limit, Standing
from chatproject.lib.limits.taking import RateLimited, take
from chatproject.lib.limits.waiting import wait_for

__all__ = ["LIMITS", "Limit", "RateLimited", "Standing", "take", "wait_for"]
