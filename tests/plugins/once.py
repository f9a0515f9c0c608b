"""Does once what tests would do again and again without looking at it: it was half of their time."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from whitenoise.middleware import WhiteNoiseMiddleware

# Nearly all that is made while tests are loaded stays to the end.
gc.set_threshold(50_000, 20, 100)


def pytest_collection_finish() -> None:
    """Leave what was loaded alone: looking for garbage in it takes seconds each time."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    """Every test client makes the middleware anew, and WhiteNoise would open all static files for each of them."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, dict[str, Any]()

    def once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", once)
        yield
