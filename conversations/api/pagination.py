"""The orders of lists that are given in pages."""

from chatproject.lib.pagination import PAGE, ByTime

__all__ = ["PAGE", "ByMembership", "ByName", "BySeq", "ByTime", "ByUpload"]


class ByUpload(ByTime):
    """The latest first."""

    ordering = ("-created_at", "-id")


class ByMembership(ByTime):
    """Whoever has been here longest first."""

    ordering = ("since", "id")


class BySeq(ByTime):
    """The latest first; a page is short, because its entries are long."""

    page_size = 10
    ordering = ("-seq", "-created_at")


class ByName(ByTime):
    """In the order of their names."""

    ordering = ("name", "id")
