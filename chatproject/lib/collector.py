"""How often Python looks for garbage that refers to itself: in a server, too often by itself."""

import gc

from django.conf import settings

# Of the younger generations: how many of their collections make one of the next.
MIDDLE, OLD = 20, 100


def tune() -> None:
    """Leave what was loaded until now alone for good, and collect the rest after GC_THRESHOLD new objects.

    A full collection looks at everything: with Django and 500 connections it stopped a process for 98 ms, and for
    18 ms without what was loaded at the start; fewer of the small ones halved the time that a message takes (bench).
    """
    if settings.GC_THRESHOLD:
        gc.collect()
        gc.freeze()
        gc.set_threshold(settings.GC_THRESHOLD, MIDDLE, OLD)
