"""Garbage collection of a server process."""

import gc
from collections.abc import Iterator

import pytest
from django.test import override_settings

from chatproject.lib import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.freeze()
    gc.set_threshold(*threshold)


@override_settings(GC_THRESHOLD=30_000)
def test_what_was_loaded_is_left_alone() -> None:
    loaded = len(gc.get_objects())
    collector.tune()
    assert gc.get_threshold()[0] == 30_000
    assert gc.get_freeze_count() > loaded / 2
    assert len(gc.get_objects()) < loaded / 2


@override_settings(GC_THRESHOLD=0)
def test_without_it_python_does_as_it_likes() -> None:
    threshold = gc.get_threshold()
    collector.tune()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (threshold, 0)


@override_settings(GC_THRESHOLD=0)
def test_a_start_is_spared_it() -> None:
    collector.pause()
    assert gc.get_threshold() == (collector.LOADING, collector.MIDDLE, collector.OLD)
    collector.tune()
    assert gc.get_threshold() == collector.BY_ITSELF


@override_settings(GC_THRESHOLD=1_000)
def test_garbage_that_refers_to_itself_is_still_found() -> None:
    class Knot:
        count = 0

        def __init__(self) -> None:
            self.me = self
            Knot.count += 1

        def __del__(self) -> None:
            Knot.count -= 1

    collector.tune()
    for _ in range(50_000):
        Knot()
    assert Knot.count < 40_000
