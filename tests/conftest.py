"""What all tests share."""

from collections.abc import Iterator

import pytest

from recurra.testing.expect import one_thread


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """The networks of tests are tiny: for them a second thread costs more than it does, above all on a busy machine."""
    with one_thread():
        yield
