"""What lies behind the figures of classifiers and taggers: pictures, tables and sentences, whatever an evaluation holds."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from recurra.metrics import classification, confusion, intervals, per_class, reliability, worst
from recurra.report.confusion import MOST, picture, shorter
from recurra.report.details import section
from recurra.report.headline import section as headline_section
from recurra.report.page import render
from recurra.report.record import Record
from recurra.report.reliability import picture as reliability_picture
from recurra.report.reliability import verdict


def classified(classes: int, count: int = 400, skew: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    shares = skew ** -np.arange(classes)
    targets = chance.choice(classes, count, p=shares / shares.sum())
    logits = chance.normal(size=(count, classes))
    logits[np.arange(count), targets] += 2
    rows = np.exp(logits)
    return rows / rows.sum(1, keepdims=True), targets


def evaluation(names: list[str], skew: float = 1.0) -> dict[str, Any]:
    """What the classify task says of its test part."""
    rows, targets = classified(len(names), skew=skew)
    said = rows.argmax(1)
    metrics = classification(rows, targets)
    return {
        "event": "evaluation",
        "task": "classify",
        "data": "test",
        "count": len(rows),
        "metrics": metrics,
        "baselines": {"majority": {"accuracy": 0.3, "nll": 1.2}},
        "details": {
            "classes": names,
            "confusion": confusion(said, targets, names),
            "per_class": per_class(said, targets, names),
            "reliability": reliability(rows, targets),
            "intervals": intervals(rows, targets, rounds=50),
            "mistakes": [
                {
                    "place": f"reviews.csv, line {index + 2}",
                    "input": "服务很差，" * 100,
                    "label": names[targets[index]],
                    "predicted": names[said[index]],
                    "probability": float(rows[index].max()),
                }
                for index in worst(rows, targets, 5)
            ],
            "notes": ["12 of 1,066 test texts stand in the training data too"],
        },
    }


def text_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "\n", re.sub(r"<title>.*?</title>", "", page))


def record(*evaluations: dict[str, Any]) -> Record:
    return Record({"task": "classify"}, evaluations=list(evaluations))


def test_all_that_a_classifier_says_is_shown(tmp_path):
    said = evaluation(["差评", "中评", "好评", "<b>"])
    page = render(record(said), tmp_path)
    text = text_of(page)
    for heading in (
        "Worth knowing",
        "What it takes for what",
        "Each class",
        "Whether its probabilities hold",
        "Its surest",
    ):
        assert heading in text
    assert "12 of 1,066 test texts stand in the training data too" in text
    low, high = said["details"]["intervals"]["accuracy"]
    written = f"{100 * low:.1f}–{100 * high:.1f}\u00a0%"
    assert f"95\u00a0% interval {written}" in text.split("Beside")[0]
    (row,) = re.findall(r'<tr class="between">.*?</tr>', page)  # under the model's own figures
    assert written in row
    assert "reviews.csv, line" in text and "服务很差" in text and "…" in text
    assert "<b>" not in page and "&lt;b&gt;" in page
    assert "Measured on 400 examples that were not trained on." in text
    row = said["details"]["per_class"]["中评"]
    assert f"{100 * row['recall']:.1f}\u00a0%" in text and str(row["support"]) in text


@pytest.mark.parametrize("key", ["classes", "confusion", "per_class", "reliability", "intervals", "mistakes", "notes"])
def test_every_key_is_optional_and_may_be_broken(key, tmp_path):
    for value in (None, [], {}, "x", 3, [None], [{}], {"a": None}, [["a"]], [math.nan]):
        said = evaluation(["a", "b", "c"])
        said["details"][key] = value
        page = render(record(said), tmp_path)
        assert "nan" not in text_of(page).lower()
        only = {**said, "details": {key: value}}
        render(record(only), tmp_path)
    said = evaluation(["a", "b", "c"])
    del said["details"][key]
    assert "Beside the baselines" in render(record(said), tmp_path)
    assert section({**said, "details": {}}, record(said)) == section({**said, "details": None}, record(said)) == ""


def rectangles(svg: str) -> list[dict[str, str]]:
    return [each.attrib for each in ElementTree.fromstring(svg).iter("rect")]


@pytest.mark.parametrize("classes", [1, 2, 3, 12, 13, 30, 60])
def test_the_matrix_draws_each_cell_where_it_belongs(classes):
    rows, targets = classified(classes, count=1000)
    names = [f"a rather long name of class {number}" for number in range(classes)]
    table = confusion(rows.argmax(1), targets, names)
    ground, *cells = rectangles(picture(table, names))
    filled = [(true, said) for true in range(classes) for said in range(classes) if table[true][said]]
    assert len(cells) == len(filled)
    side = float(ground["width"]) / classes
    for cell, (true, said) in zip(cells, filled, strict=True):
        assert cell["class"] == ("right" if true == said else "wrong")
        assert (float(cell["x"]) - float(ground["x"])) // side == said
        assert (float(cell["y"]) - float(ground["y"])) // side == true
        assert float(cell["fill-opacity"]) == pytest.approx(
            0.08 + 0.92 * math.sqrt(table[true][said] / sum(table[true])), abs=0.006
        )
    svg = ElementTree.fromstring(picture(table, names))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert float(ground["x"]) + float(ground["width"]) <= width and width < 1000
    assert float(ground["y"]) + float(ground["height"]) <= height
    numbers = [each.text for each in svg.iter("text") if each.attrib.get("class", "").startswith("number")]
    assert (f"{table[0][0]:,}" in numbers) == (classes <= 12)


def test_labels_that_training_never_saw_have_a_row():
    table = confusion(np.array([0, 1, 1]), np.array([0, -1, 1]), 2)
    svg = picture(table, ["a", "b"])
    assert "never in training" in text_of(svg) and len(rectangles(svg)) == 1 + 3
    assert "never in training, taken for b: 1 of 1" in svg


def test_a_matrix_for_a_glance_is_followed_by_its_commonest_confusions():
    many = section(evaluation([f"class {number}" for number in range(30)]), record())
    assert "commonest confusions" in many and "<svg" in many
    assert "The 12 with the lowest F1." in many and "All 30" in many
    assert "commonest" not in section(evaluation(["a", "b", "c"]), record())
    too_many = section(evaluation([f"class {number}" for number in range(MOST + 1)]), record())
    assert 'class="matrix"' not in too_many and "commonest confusions" in too_many


def test_names_keep_both_their_ends():
    assert shorter("x" * 24) == "x" * 24
    assert len(shorter("x" * 25)) == 24 and shorter("abc" + "x" * 50 + "yz").endswith("xyz")


def test_the_reliability_plot_shows_what_was_kept():
    bins = [(0.4, 0.6, 0.55, 0.5, 100.0), (0.8, 1.0, 0.9, 0.95, 300.0)]
    found = rectangles(reliability_picture(bins))
    kept = [float(each["height"]) for each in found if each["class"] == "kept"]
    gaps = [(each["class"], float(each["height"])) for each in found if each["class"].startswith("gap")]
    sizes = [float(each["height"]) for each in found if each["class"] == "size"]
    assert kept == pytest.approx([150, 285])  # of 300 pixels
    assert gaps == [("gap", pytest.approx(15)), ("gap more", pytest.approx(15))]
    assert sizes[0] * 3 == pytest.approx(sizes[1], abs=0.02)  # of two decimals


@pytest.mark.parametrize(
    ("confidence", "accuracy", "said"),
    [(0.9, 0.8, "too sure"), (0.8, 0.9, "too modest"), (0.8, 0.805, "means what it says")],
)
def test_it_says_whether_a_model_is_too_sure(confidence, accuracy, said):
    assert said in verdict([(0.0, 1.0, confidence, accuracy, 10.0)])


def test_a_baseline_within_the_interval_may_be_level():
    said = evaluation(["a", "b", "c"])
    accuracy = said["metrics"]["accuracy"]
    said["baselines"] = {"tfidf-logistic": {"accuracy": accuracy - 0.005}}
    assert "so small a difference can be chance" in headline_section(record(said))
    said["baselines"] = {"tfidf-logistic": {"accuracy": accuracy - 0.3}}
    assert "can be chance" not in headline_section(record(said))
    said["baselines"] = {"tfidf-logistic": {"accuracy": accuracy + 0.005}}
    text = text_of(headline_section(record(said)))
    assert "TF-IDF + logistic regression is better" in text and "can be chance" in text


def test_a_lopsided_data_set_is_named():
    said = evaluation(["usual", "rare"], skew=9.0)
    text = text_of(headline_section(record(said)))
    assert re.search(r"(8|9)\d\.\d\u00a0% of the examples are of one class, usual", text)
    assert f"macro F1 too: {100 * said['metrics']['macro_f1']:.1f}" in text
    assert "of one class" not in headline_section(record(evaluation(["a", "b"])))


def test_spans_have_their_own_headline_and_table(tmp_path):
    said = {
        "event": "evaluation",
        "task": "tag",
        "data": "test",
        "count": 23_394,
        "metrics": {"nll": 0.3, "accuracy": 0.94, "precision": 0.5, "recall": 0.3, "f1": 0.375},
        "baselines": {"most-frequent-tag": {"accuracy": 0.92, "precision": 0.21, "recall": 0.06, "f1": 0.09}},
        "details": {
            "per_type": {"person": {"precision": 0.6, "recall": 0.4, "f1": 0.48, "support": 429}},
            "mistakes": [
                {"place": "test.conll, line 88", "input": "in Kerry", "label": ["O", "B-loc"], "predicted": ["O", "O"]}
            ],
        },
    }
    train = [{"event": "train", "step": 1, "loss": 1.0, "units_per_second": 5.0}]
    valid = [{"event": "valid", "step": 1, "nll": 1.0, "best": True}]
    page = render(Record({"task": "tag"}, train=train, valid=valid, evaluations=[said]), tmp_path)
    text = text_of(page)
    assert "span F1 on held-out data (test)" in text and "37.5\u00a0%" in text
    assert "28.5\u00a0points above most frequent tag of the word" in text
    assert "Measured on 23,394 words" in text and "Words per second" in text and "nats per word" in text
    assert "Each type of span" in text and "person" in text and "429" in text
    assert "O, B-loc" in text and "Some of its mistakes" in text and "how sure" not in text


def test_several_evaluations_are_told_apart(tmp_path):
    text = text_of(render(record(evaluation(["a", "b"]), {**evaluation(["a", "b"]), "data": "other.csv"}), tmp_path))
    assert "What it takes for what: test" in text and "What it takes for what: other.csv" in text
