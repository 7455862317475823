"""Ink as steps does not depend on its size, its place or how fast it was written; a stream's are those of the whole, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recurra.ink import Ink, PenStream, make_ink, pen_features, vary_ink


def waves(count: int, scale: float = 1, place: float = 0, points: int = 60) -> Ink:
    """Write strokes that go up and down, each further to the right."""
    along = np.linspace(0, 4 * np.pi, points)
    strokes = [np.stack([along * 3 + 45 * number, 10 * np.sin(along)], 1) * scale + place for number in range(count)]
    return Ink(tuple(stroke.astype(np.float32) for stroke in strokes))


def test_size_and_place_do_not_matter() -> None:
    small = pen_features(waves(3))
    assert small.dtype == np.float32 and small.shape[1] == 4
    for scale, place in ((7.5, 0), (0.01, 0), (1, 300)):
        assert np.allclose(pen_features(waves(3, scale, place)), small, atol=1e-3)


def test_how_fast_it_was_written_matters_little() -> None:
    slow, fast = pen_features(waves(1, points=400)), pen_features(waves(1, points=60))
    assert abs(len(slow) - len(fast)) <= 1
    assert np.abs(slow[: len(fast), :2].sum(0) - fast[:, :2].sum(0)).max() < 0.3


def test_steps_are_of_one_length_and_say_where_the_pen_was_up() -> None:
    steps = pen_features(waves(3), spacing=0.1)
    starts = np.flatnonzero(steps[:, 2])
    assert len(starts) == 3 and starts[0] == 0
    within = np.delete(steps, starts, 0)
    assert np.hypot(within[:, 0], within[:, 1]).max() < 0.11
    # The way to the next stroke: 45 - 12π · … to the right, in units of the size.
    assert steps[starts[1], 0] > 0.1 and not steps[0, :2].any()


def test_the_size_is_that_of_a_movement_on_a_slope_too() -> None:
    flat = waves(2)
    steep = Ink(tuple(np.stack([stroke[:, 0], stroke[:, 1] + 0.2 * stroke[:, 0]], 1) for stroke in flat.strokes))
    stream, sloping = PenStream(), PenStream()
    for one, other in zip(flat.strokes, steep.strokes, strict=True):
        stream.measure(one)
        sloping.measure(other)
    assert sloping.size == pytest.approx(stream.size, rel=0.1)
    assert stream.size == pytest.approx(17.5, rel=0.1)  # 20 from top to bottom, and two halves of that


def test_dots_and_dashes() -> None:
    assert pen_features(Ink((np.zeros((1, 2), np.float32),))).tolist() == [[0, 0, 1, 0]]
    dash = pen_features(Ink((np.array([[0, 0], [100, 0], [100, 0]], np.float32),)))
    assert 50 < len(dash) < 200 and np.isfinite(dash).all()


strokes = st.lists(
    st.integers(1, 12).flatmap(lambda count: arrays(np.float32, (count, 2), elements=st.floats(-1e4, 1e4, width=32))),
    min_size=1,
    max_size=5,
)


@given(strokes)
def test_a_stream_gives_the_bits_of_the_whole(written: list[np.ndarray]) -> None:
    ink = make_ink(written, "a")
    stream = PenStream()
    made = np.concatenate([stream.push(stroke) for stroke in ink.strokes])
    assert np.array_equal(made, pen_features(ink, causal=True))
    whole = pen_features(ink)
    assert np.isfinite(whole).all() and np.isfinite(made).all()
    assert whole[:, 2].sum() == len(ink.strokes)


def test_a_stroke_that_goes_to_and_fro_for_ever_has_an_end() -> None:
    across = np.tile([0, 1e6], 50_000).astype(np.float32)
    steps = pen_features(Ink((np.stack([across, np.zeros_like(across)], 1),)))
    assert len(steps) <= 4_001


def test_varied_ink_is_the_same_for_the_same_chance() -> None:
    ink = waves(3)
    one, again, other = (vary_ink(ink, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.strokes, again.strokes, strict=True))
    assert not np.allclose(one.strokes[0], other.strokes[0])
    assert [len(stroke) for stroke in one.strokes] == [len(stroke) for stroke in ink.strokes]
    still = vary_ink(ink, np.random.default_rng(1), rotation=0, shear=0, stretch=0, bend=0, jitter=0)
    assert np.allclose(still.strokes[1], ink.strokes[1], atol=1e-4)
