"""The classifier keeps what every task promises, on each kind of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recurra.tasks import Settings
from recurra.tasks.classify import ClassificationTask, ClassifierConfig
from recurra.testing import check_task
from recurra.testing.case import TaskCase
from recurra.testing.tasks import check_learning, check_loss

TINY = {"hidden": 8, "embedding": 8, "dropout": 0.1}


def texts(folder: Path, **data: object) -> Settings:
    good, bad = folder / "films.good", folder / "films.bad"
    good.write_text("".join(f"a fine film number {n} that I loved\n" for n in range(60)))
    bad.write_text("".join(f"a dull film number {n} that I left\n" for n in range(60)))
    files = {"data": [str(good), str(bad)], "valid_share": 0.2, "test_share": 0.2}
    return ClassifierConfig.model_validate({"data": {**files, **data}, "model": TINY})


def characters(folder: Path) -> Settings:
    return texts(folder, unit="char")


def several_labels(folder: Path) -> Settings:
    rows = ["text;topics"]
    for n in range(80):
        words = [word for word, there in (("rain", n % 2), ("wind", n % 3 == 0)) if there]
        rows.append(f"day {n} had {' and '.join(words) or 'nothing'};{'|'.join(words)}")
    (folder / "days.csv").write_text("\n".join(rows) + "\n")
    data = {"data": [str(folder / "days.csv")], "text": "text", "label": "topics", "multi_label": True}
    return ClassifierConfig.model_validate({"data": {**data, "valid_share": 0.2, "test_share": 0.2}, "model": TINY})


def waves(folder: Path) -> Settings:
    """Two channels, lengths from 12 to 20, some values missing; three classes, of which one is rare."""
    chance = np.random.default_rng(5)
    lines = ["@problemName waves", "@classLabel true up down flat", "@data"]
    for n in range(90):
        label = ("up", "down", "up", "down", "flat")[n % 5]
        steps = int(chance.integers(12, 21))
        slope = {"up": 1.0, "down": -1.0, "flat": 0.0}[label]
        one = slope * np.linspace(-1, 1, steps) + chance.normal(0, 0.1, steps)
        other = chance.normal(0, 1, steps)
        cells = [",".join(f"{value:.3f}" for value in one), ",".join(f"{value:.3f}" for value in other)]
        if n % 7 == 0:
            cells[1] = "?," + cells[1].partition(",")[2]
        lines.append(":".join([*cells, label]))
    (folder / "waves.ts").write_text("\n".join(lines) + "\n")
    data = {"data": [str(folder / "waves.ts")], "valid_share": 0.2, "test_share": 0.2, "frame": 3, "hop": 2}
    return ClassifierConfig.model_validate({"data": data, "model": {"hidden": 8, "class_weights": "balanced"}})


LINES = ["a fine film", "", "这部电影很好看", "a"]


@pytest.mark.parametrize(
    ("configure", "lines"),
    [
        (texts, LINES),
        (characters, LINES),
        (several_labels, LINES),
        (waves, ["[[1, 2], [3, null]]", "[]", "[[0.5, 0]]"]),
    ],
)
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(ClassificationTask, configure, lines=lines)


@pytest.mark.parametrize(("pooling", "cell"), [("last", "rnn"), ("attention", "graves-lstm"), ("max", "gru")])
def test_every_pooling_learns(tmp_path: Path, pooling: str, cell: str) -> None:
    def configure(folder: Path) -> Settings:
        config = texts(folder)
        changed = config.model.model_copy(update={"pooling": pooling, "cell": cell, "layers": 2, "residual": True})
        return config.model_copy(update={"model": changed})

    case = TaskCase(ClassificationTask, configure, tmp_path)
    check_loss(case)
    check_learning(case)
