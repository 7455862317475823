"""A studio that serves a small run of every task, as a browser meets it: over a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runs.trainings import CASES, train
from tests.studio.client import Client

from recurra.studio.app import Address, create_app, services_of
from recurra.studio.server import bind, make_server

UPLOAD_LIMIT = 3 * 2**20


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of every task."""
    folder = tmp_path_factory.mktemp("studio") / "runs"
    for task in CASES:
        train(task, folder / task)
    return folder


def serve(named: list[Path], **address: object) -> Iterator[Client]:
    """Serve some runs until the client is no longer needed."""
    opened = bind("127.0.0.1", 0)
    port = opened.getsockname()[1]
    app = create_app(named, Address(port=port, upload_limit=UPLOAD_LIMIT, **address))  # type: ignore[arg-type]
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    try:
        yield Client(port)
    finally:
        server.should_exit = True
        thread.join(20)
        services_of(app).close()
        opened.close()


@pytest.fixture(scope="session")
def studio(runs: Path) -> Iterator[Client]:
    """A client of a studio that serves a run of every task."""
    yield from serve([runs])
