"""What a report shows of a classifier: pictures, tables and sentences, whatever an evaluation holds."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.metrics import classification, confusion, intervals, most_confident_mistakes, per_class, reliability
from recurra.report.blocks import Matrix, Table
from recurra.report.page import render
from recurra.report.record import Record
from recurra.tasks.classify.report import blocks
from recurra.tasks.classify.task import ClassificationTask


def classified(classes: int, count: int = 400, skew: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    shares = skew ** -np.arange(classes)
    targets = chance.choice(classes, count, p=shares / shares.sum())
    logits = chance.normal(size=(count, classes))
    logits[np.arange(count), targets] += 2
    rows = np.exp(logits)
    return rows / rows.sum(1, keepdims=True), targets


def evaluation(names: list[str], skew: float = 1.0) -> dict[str, Any]:
    """What the task gives of its test part."""
    rows, targets = classified(len(names), skew=skew)
    predicted = rows.argmax(1)
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
            "confusion": confusion(predicted, targets, names),
            "per_class": per_class(predicted, targets, names),
            "reliability": reliability(rows, targets),
            "intervals": intervals(rows, targets, rounds=50),
            "mistakes": [
                {
                    "place": f"reviews.csv, line {index + 2}",
                    "input": "服务很差，" * 100,
                    "label": names[targets[index]],
                    "predicted": names[predicted[index]],
                    "probability": float(rows[index].max()),
                }
                for index in most_confident_mistakes(rows, targets, 5)
            ],
            "notes": ["12 of 1,066 test texts stand in the training data too"],
        },
    }


def text_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "\n", re.sub(r"<title>.*?</title>", "", page))


def page_of(tmp_path: Path, *evaluations: dict[str, Any]) -> str:
    record = Record({"task": "classify"}, evaluations=list(evaluations))
    return render(record, tmp_path, ClassificationTask.description(), ClassificationTask.report_blocks)


def test_all_that_an_evaluation_holds_is_shown(tmp_path: Path) -> None:
    measured = evaluation(["差评", "中评", "好评", "<b>"])
    page = page_of(tmp_path, measured)
    text = text_of(page)
    for heading in ("Notes", "Confusion matrix", "Metrics by class", "Calibration", "Most confident mistakes"):
        assert heading in text
    assert "12 of 1,066 test texts stand in the training data too" in text
    low, high = measured["details"]["intervals"]["accuracy"]
    written = f"{100 * low:.1f}–{100 * high:.1f}\u00a0%"
    assert f"95\u00a0% interval {written}" in text.split("Model and baselines")[0]
    (row,) = re.findall(r'<tr class="between">.*?</tr>', page)  # under the model's own metrics
    assert written in row
    assert "reviews.csv, line" in text and "服务很差" in text and "…" in text
    assert "<b>" not in page and "&lt;b&gt;" in page
    assert "Measured on 400 examples that were not trained on." in text
    row = measured["details"]["per_class"]["中评"]
    assert f"{100 * row['recall']:.1f}\u00a0%" in text and str(row["support"]) in text


@pytest.mark.parametrize("key", ["classes", "confusion", "per_class", "reliability", "intervals", "mistakes", "notes"])
def test_every_key_is_optional_and_may_be_broken(key: str, tmp_path: Path) -> None:
    for value in (None, [], {}, "x", 3, [None], [{}], {"a": None}, [["a"]], [math.nan]):
        measured = evaluation(["a", "b", "c"])
        measured["details"][key] = value
        assert "nan" not in text_of(page_of(tmp_path, measured)).lower()
        page_of(tmp_path, {**measured, "details": {key: value}})
    measured = evaluation(["a", "b", "c"])
    del measured["details"][key]
    assert "Model and baselines" in page_of(tmp_path, measured)
    assert blocks({**measured, "details": {}}) == blocks({**measured, "details": None}) == []


def test_a_confusion_matrix_of_another_shape_is_left_out() -> None:
    measured = evaluation(["a", "b"])
    assert any(isinstance(block, Matrix) for block in blocks(measured))
    for table in ([[1, 2]], [[1, 2], [3]], [[1, 2], [3, 4], [5, 6], [7, 8]]):
        measured["details"]["confusion"] = table
        assert not any(isinstance(block, Matrix) for block in blocks(measured))


def test_of_many_classes_the_weakest_are_shown_at_once() -> None:
    (table,) = (
        block
        for block in blocks(evaluation([f"class {number}" for number in range(30)]))
        if isinstance(block, Table) and block.title == "Metrics by class"
    )
    f1 = [row[3] for row in table.rows]
    assert len(f1) == 12 and f1 == sorted(f1) and max(f1) <= sorted(row[3] for row in table.all_rows)[12]
    assert table.caption == "The 12 with the lowest F1." and len(table.all_rows) == 30


def test_a_dominant_class_is_named_in_the_headline(tmp_path: Path) -> None:
    def headline(*names: str, skew: float) -> tuple[str, dict[str, Any]]:
        measured = evaluation(list(names), skew=skew)
        return text_of(page_of(tmp_path, measured).split("</header>")[0]), measured

    text, measured = headline("usual", "rare", skew=9.0)
    assert re.search(r"(8|9)\d\.\d\u00a0% of the examples are of one class, usual", text)
    assert f"macro F1 too: {100 * measured['metrics']['macro_f1']:.1f}" in text
    assert "of one class" not in headline("a", "b", skew=1.0)[0]
