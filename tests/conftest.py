"""What all tests share."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recurra.testing.expect import one_thread

Files = Callable[..., list[Path]]


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


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write files by name and content into a folder of their own, and give their paths in the order given."""

    def write(contents: dict[str, str | bytes]) -> list[Path]:
        paths = []
        for name, content in contents.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(path)
        return paths

    return write
