"""The reliability plot, and what it says in words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from recurra.report.blocks import Reliability
from recurra.report.blocks.reliability import picture, verdict


def test_the_plot_shows_how_often_predictions_are_right() -> None:
    bins = [(0.4, 0.6, 0.55, 0.5, 100.0), (0.8, 1.0, 0.9, 0.95, 300.0)]
    found = [each.attrib for each in ElementTree.fromstring(picture(bins)).iter("rect")]
    right = [float(each["height"]) for each in found if each["class"] == "accuracy"]
    gaps = [(each["class"], float(each["height"])) for each in found if each["class"].startswith("gap")]
    sizes = [float(each["height"]) for each in found if each["class"] == "size"]
    assert right == pytest.approx([150, 285])  # of 300 pixels
    assert gaps == [("gap", pytest.approx(15)), ("gap more", pytest.approx(15))]
    assert sizes[0] * 3 == pytest.approx(sizes[1], abs=0.02)  # of two decimals
    assert Reliability("Calibration", bins).draw().startswith('<p class="note">It is not confident enough: ')
    assert Reliability("Calibration", []).draw() == ""


@pytest.mark.parametrize(
    ("confidence", "accuracy", "words"),
    [(0.9, 0.8, "too confident"), (0.8, 0.9, "not confident enough"), (0.8, 0.805, "well calibrated")],
)
def test_it_says_whether_a_model_is_too_confident(confidence: float, accuracy: float, words: str) -> None:
    assert words in verdict([(0.0, 1.0, confidence, accuracy, 10.0)])
