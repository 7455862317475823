"""Lines of writing are cut out of pages, brought to one height, and varied by chance."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import DataError
from recurra.images import cut_polygon, line_image, vary_line

PAGE = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)


def test_a_box_is_cut_as_it_is() -> None:
    corners = np.array([[5.0, 10], [25, 10], [25, 30], [5, 30]])
    assert np.array_equal(cut_polygon(PAGE, corners), PAGE[10:30, 5:25])
    assert np.array_equal(cut_polygon(PAGE, corners[::-1]), PAGE[10:30, 5:25])


def test_what_is_outside_a_polygon_gets_the_median() -> None:
    triangle = np.array([[0.0, 0], [20, 0], [0, 20]])
    cut = cut_polygon(PAGE, triangle)
    assert cut is not None and cut.shape == (20, 20)
    inside = np.add.outer(np.arange(20) + 0.5, np.arange(20) + 0.5) <= 20
    assert np.array_equal(cut[inside], PAGE[:20, :20][inside])
    assert set(cut[~inside].tolist()) == {int(np.median(PAGE[:20, :20][inside]))}


def test_a_polygon_across_the_edge() -> None:
    assert np.array_equal(cut_polygon(PAGE, np.array([[-9.0, -9], [10, -9], [10, 10], [-9, 10]])), PAGE[:10, :10])
    for outside in ([[70.0, 0], [80, 0], [80, 9]], [[0.0, 0], [10, 0]], [[5.0, 5]]):
        assert cut_polygon(PAGE, np.array(outside)) is None


def written(paper: int, ink: int) -> np.ndarray:
    page = np.full((32, 100), paper, np.uint8)
    page[8:24, 20:24] = ink
    return page


@pytest.mark.parametrize(("paper", "ink"), [(220, 30), (150, 90), (20, 240)])
def test_ink_is_one_and_paper_zero_in_any_light(paper: int, ink: int) -> None:
    line = line_image(written(paper, ink), 64)
    assert line.shape == (64, 200) and line.dtype == np.float32
    assert line[20:44, 42:46].min() > 0.99 and line[:, :30].max() == 0


def test_colours_and_heights() -> None:
    colours = np.stack([written(220, 30)] * 3, 2)
    assert line_image(colours, 16).shape == (16, 50)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((20, 30), 7, np.uint8), "expected writing, got a picture of one colour"),
        (np.zeros((1, 30), np.uint8), "expected a line of writing, got a picture of 30 x 1 pixels"),
        (np.zeros((4, 900), np.uint8), "expected a line of writing, got a picture of 900 x 4 pixels"),
    ],
)
def test_what_is_no_line(picture: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        line_image(picture)


def test_varied_lines_keep_their_height_and_range() -> None:
    line, widths = line_image(written(220, 30), 48), set()
    for seed in range(40):
        made = vary_line(line, np.random.default_rng(seed))
        assert made.shape[0] == 48 and made.dtype == np.float32
        assert made.min() >= 0 and made.max() <= 1 and made.max() > 0.3
        assert np.array_equal(made, vary_line(line, np.random.default_rng(seed)))
        widths.add(made.shape[1])
    assert len(widths) > 10 and all(0.8 * 150 < width < 1.3 * 150 for width in widths)


def test_nothing_varied_is_the_line_itself() -> None:
    line = line_image(written(220, 30), 48)
    still = vary_line(
        line, np.random.default_rng(1), shear=0, stretch=0, size=0, rise=0, elastic=0, thickness=0, contrast=0
    )
    assert np.allclose(still, line, atol=1e-6)
