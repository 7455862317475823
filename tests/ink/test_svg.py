"""What an SVG draws is what is read of it, and what is written reads the same again."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import DataError
from recurra.ink import (
    Ink,
    from_offsets,
    grid_svg,
    parse_offsets,
    parse_path,
    read_svg,
    simplify_ink,
    thin_ink,
    to_offsets,
    to_svg,
)
from recurra.text import Source


def read(body: str) -> Ink:
    data = f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>'.encode()
    return read_svg(Source("a.svg", "svg", data, False))


def test_letters_of_a_path_absolute_and_relative() -> None:
    absolute = parse_path("M1,2L3 4H10V-1C1 1 2 2 3 3S5 5 6 6Q7 8 9 9T11 11")[0]
    relative = parse_path("m1 2 2 2h7v-5c-9 2-8 3-7 4s2 2 3 3q1 2 3 3t2 2")[0]
    assert np.allclose(absolute, relative)
    assert absolute[:4].tolist() == [[1, 2], [3, 4], [10, 4], [10, -1]]
    assert absolute[-1].tolist() == [11, 11]


def test_curves_lie_where_their_equations_say() -> None:
    curve = parse_path("M0 0C0 10 10 10 10 0")[0]
    t = np.linspace(0, 1, len(curve))
    assert np.allclose(curve[:, 1], 30 * t * (1 - t)) and np.allclose(curve[:, 0], 10 * (3 * t**2 - 2 * t**3))
    circle = parse_path("M10 0A10 10 0 1 1 -10 0A10 10 0 1 1 10 0")[0]
    assert np.allclose(np.hypot(*circle.T), 10)
    assert circle[:13, 1].min() >= -1e-9  # the sweep of a flag 1 goes through positive y
    flags = parse_path("M0 0a5 5 0 0110 0")[0]  # flags may touch what follows
    assert flags[-1].tolist() == [10, 0]


def test_shapes_and_transforms() -> None:
    ink = read(
        '<g transform="translate(10 20) scale(2)"><path d="M0 0L1 0" transform="rotate(90)"/></g>'
        '<rect x="1" y="1" width="2" height="3"/><polyline points="0,0 1,1 2-2"/><line x2="3"/><defs><path d="M0 0L9 9"/></defs>'
        '<ellipse cx="1" cy="2" rx="3" ry="1"/><text>no</text>'
    )
    assert np.allclose(ink.strokes[0], [[10, 20], [10, 22]], atol=1e-5)
    assert [len(stroke) for stroke in ink.strokes[1:4]] == [5, 3, 2]
    assert np.allclose(np.hypot(*((ink.strokes[4] - [1, 2]) / [3, 1]).T), 1, atol=1e-5)
    assert ink.notes == ("<text> is no line, and left out",)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "holds no lines"),
        ('<path d="L1 1"/>', "begin with M"),
        ('<path d="M1"/>', "expected 2 numbers"),
        ('<path d="M0 0 L1e999 0"/>', "within"),
        ('<path d="M0 0 X"/>', "expected a path"),
        ('<g transform="spin(3)"><path d="M0 0L1 1"/></g>', "expected a transform"),
        ('<circle r="x"/>', "expected a number"),
        ("<g>" * 70 + '<path d="M0 0L1 1"/>' + "</g>" * 70, "deep"),
    ],
)
def test_what_is_no_drawing_is_one_line(body: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(body)
    assert "\n" not in str(caught.value) and "a.svg" in str(caught.value)


def test_what_is_written_reads_the_same() -> None:
    ink = Ink((np.array([[-3, 1], [40, 5], [7, 90]], np.float32), np.array([[5, 5], [6, 6]], np.float32)))
    for animate in (False, True):
        again = read_svg(Source("b.svg", "svg", to_svg(ink, given=1, animate=animate).encode(), False))
        assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(again.strokes, ink.strokes, strict=True))
    grid = read_svg(Source("c.svg", "svg", grid_svg([ink, ink, ink]).encode(), False))
    assert len(grid.strokes) == 6


def test_steps_go_there_and_back() -> None:
    ink = Ink(
        (np.array([[0, 0], [3, 4]], np.float32), np.array([[1, 1]], np.float32), np.array([[2, 2], [5, 5]], np.float32))
    )
    steps, pens = to_offsets(ink)
    assert pens.tolist() == [1, 0, 1, 0, 2]
    again = from_offsets(steps, pens)
    assert [stroke.tolist() for stroke in again.strokes] == [[[0, 0], [3, 4]], [[1, 1], [1, 1]], [[2, 2], [5, 5]]]
    five = np.array([[3, 4, 0, 1, 0], [1, 1, 1, 0, 0], [2, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]])
    assert [len(stroke) for stroke in parse_offsets(five, "a.npz", 1).strokes] == [2, 2]


def test_thinned_ink_keeps_its_ends() -> None:
    turn = np.linspace(0, 2, 101)
    ink = Ink((np.stack([np.cos(turn), np.sin(turn)], 1).astype(np.float32),))
    for few in (thin_ink(ink, 7), simplify_ink(ink, 0.01)):
        assert len(few.strokes[0]) < 20
        assert np.array_equal(few.strokes[0][[0, -1]], ink.strokes[0][[0, -1]])
