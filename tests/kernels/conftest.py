"""The instruction sets that this machine runs, and how far off the engine may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recurra.kernels import native

# What is allowed beside twice torch's error, in roundings of the largest value of a tensor, in float32 and mixed: on so
# few numbers torch is lucky now and then, and a result that is stored is rounded in any case.
ROUNDINGS = {False: 12, True: 4}
UNIT = {False: 2.0**-24, True: 2.0**-9}


def usable() -> list[str]:
    module = native.engine()
    return [] if module is None else [name for name, runs in module.isas() if runs]


@pytest.fixture
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """An instruction set, and afterwards the one of before."""
    module = native.engine()
    assert module is not None
    before = module.selected()
    assert module.select(request.param)
    yield request.param
    assert module.select(before)
