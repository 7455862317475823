from __future__ import annotations

import pytest

from recurra.testing.expect import one_thread


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """For networks this small the other threads cost more than they do."""
    with one_thread():
        yield
