"""The numbers of a forecast are rounded all at once as they would be written one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recurra.tasks.forecast.results import SIGNIFICANT_DIGITS, round_significant

ANY = st.one_of(st.floats(), st.integers(-(10**9), 10**9).map(lambda n: n / 100), st.floats(width=32, allow_nan=False))


@settings(max_examples=500)
@given(arrays(np.float64, 16, elements=ANY))
@example(np.array([12345678.5, 0.12345675, 9.9999995, 1e22, 1e-9, 5e-324, -0.0, np.inf]))
@example(10.0 ** np.arange(-12, 25))
def test_numbers_are_those_that_are_written(values: np.ndarray) -> None:
    wanted = [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values.tolist()]
    np.testing.assert_array_equal(round_significant(values), wanted)
