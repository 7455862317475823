"""The confusion matrix: a picture for a glance, and a list of the commonest confusions."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from recurra.metrics import confusion
from recurra.report.blocks import Matrix
from recurra.report.blocks.matrix import MAX_CLASSES_DRAWN, picture, shorten


def counted(classes: int, count: int = 1000) -> list[list[int]]:
    """Confusions of made-up predictions, two of three right."""
    chance = np.random.default_rng(0)
    targets = chance.integers(classes, size=count)
    predicted = np.where(chance.random(count) < 2 / 3, targets, chance.integers(classes, size=count))
    return confusion(predicted, targets, classes)


def rectangles(svg: str) -> list[dict[str, str]]:
    return [each.attrib for each in ElementTree.fromstring(svg).iter("rect")]


@pytest.mark.parametrize("classes", [1, 2, 3, 12, 13, 30, 60])
def test_the_matrix_draws_each_cell_where_it_belongs(classes: int) -> None:
    names = [f"a rather long name of class {number}" for number in range(classes)]
    table = counted(classes)
    ground, *cells = rectangles(picture(table, names))
    filled = [(true, other) for true in range(classes) for other in range(classes) if table[true][other]]
    assert len(cells) == len(filled)
    side = float(ground["width"]) / classes
    for cell, (true, other) in zip(cells, filled, strict=True):
        assert cell["class"] == ("right" if true == other else "wrong")
        assert (float(cell["x"]) - float(ground["x"])) // side == other
        assert (float(cell["y"]) - float(ground["y"])) // side == true
        assert float(cell["fill-opacity"]) == pytest.approx(
            0.08 + 0.92 * math.sqrt(table[true][other] / sum(table[true])), abs=0.006
        )
    svg = ElementTree.fromstring(picture(table, names))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert float(ground["x"]) + float(ground["width"]) <= width and width < 1000
    assert float(ground["y"]) + float(ground["height"]) <= height
    numbers = [each.text for each in svg.iter("text") if each.attrib.get("class", "").startswith("number")]
    assert (f"{table[0][0]:,}" in numbers) == (classes <= 12)


def test_labels_that_training_never_saw_have_a_row() -> None:
    table = confusion(np.array([0, 1, 1]), np.array([0, -1, 1]), 2)
    svg = picture(table, ["a", "b"])
    assert "never in training" in re.sub(r"<title>.*?</title>", "", svg) and len(rectangles(svg)) == 1 + 3
    assert "never in training, predicted as b: 1 of 1" in svg


def test_a_matrix_for_a_glance_is_followed_by_its_commonest_confusions() -> None:
    def drawn(classes: int) -> str:
        return Matrix("", [f"class {number}" for number in range(classes)], counted(classes)).draw()

    assert "commonest confusions" in drawn(30) and 'class="matrix"' in drawn(30)
    assert "commonest" not in drawn(3)
    many = drawn(MAX_CLASSES_DRAWN + 1)
    assert 'class="matrix"' not in many and "commonest confusions" in many


def test_names_keep_both_their_ends() -> None:
    assert shorten("x" * 24) == "x" * 24
    assert len(shorten("x" * 25)) == 24 and shorten("abc" + "x" * 50 + "yz").endswith("xyz")


def test_without_classes_there_is_nothing_to_see() -> None:
    assert Matrix("Confusion matrix", [], []).draw() == ""
