"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

from recurra.testing.expect import one_thread


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """The networks of tests are tiny: for them a second thread costs more than it does, above all on a busy machine."""
    with one_thread():
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """A suite that was started in the background has Ctrl-C ignored, and so would the trainings that it interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
