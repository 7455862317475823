"""Numbers, written for people."""

from __future__ import annotations

import math

import pytest

from recurra.formatting import count, duration, finite, per_cent


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "4", True, 10**400, 1e300])
def test_what_is_no_finite_number_is_a_dash(value: object) -> None:
    assert finite(value) is None
    assert count(value) == per_cent(value) == duration(value) == "–"
