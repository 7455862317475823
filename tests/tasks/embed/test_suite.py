"""The embedder keeps what every task promises, on each kind of data and by each objective."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recurra.tasks import Settings
from recurra.tasks.embed import EmbedderConfig, EmbeddingTask
from recurra.testing import check_task
from recurra.testing.case import TaskCase
from recurra.testing.tasks import check_learning, check_loss

TINY = {"hidden": 8, "embedding": 8, "vector_size": 6}
NEXT = {"hidden": 8, "embedding": 8, "objective": "next_step"}
SHARES = {"valid_share": 0.2, "test_share": 0.2}


def films(folder: Path, model: dict | None = None, **data: object) -> Settings:
    """Two kinds of texts, in a table that says which is which."""
    rows = [f"a {('fine', 'dull')[n % 2]} film number {n} that I {('loved', 'left')[n % 2]}" for n in range(100)]
    lines = [f"{row},{('good', 'bad')[n % 2]}" for n, row in enumerate(rows)]
    (folder / "films.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    given = {"data": [str(folder / "films.csv")], **SHARES, **data}
    return EmbedderConfig.model_validate({"data": given, "model": model or {**TINY, "dropout": 0.1}})


def lines_without_labels(folder: Path) -> Settings:
    (folder / "lines.txt").write_text("".join(f"{'to be or not' * (n % 3)} {n}\n" for n in range(100)), "utf-8")
    data = {"data": [str(folder / "lines.txt")], **SHARES, "unit": "char"}
    return EmbedderConfig.model_validate({"data": data, "model": {**TINY, "decoder_input_dropout": 1.0}})


def next_characters(folder: Path) -> Settings:
    return films(folder, NEXT, unit="byte")


def waves(folder: Path, model: dict | None = None, **data: object) -> Settings:
    """Two channels, lengths from 12 to 20, some values missing; three kinds."""
    chance = np.random.default_rng(5)
    lines = ["@problemName waves", "@classLabel true up down flat", "@data"]
    for n in range(90):
        label = ("up", "down", "flat")[n % 3]
        steps = int(chance.integers(12, 21))
        slope = {"up": 1.0, "down": -1.0, "flat": 0.0}[label]
        one = slope * np.linspace(-1, 1, steps) + chance.normal(0, 0.1, steps)
        cells = [",".join(f"{value:.3f}" for value in channel) for channel in (one, chance.normal(0, 1, steps))]
        if n % 7 == 0:
            cells[1] = "?," + cells[1].partition(",")[2]
        lines.append(":".join([*cells, label]))
    (folder / "waves.ts").write_text("\n".join(lines) + "\n")
    given = {"data": [str(folder / "waves.ts")], **SHARES, **data}
    return EmbedderConfig.model_validate({"data": given, "model": model or TINY})


def framed_waves(folder: Path) -> Settings:
    return waves(folder, {**TINY, "decoder_input_dropout": 0.5, "cell": "gru"}, frame=3, hop=2)


def next_waves(folder: Path) -> Settings:
    return waves(folder, {**NEXT, "cell": "gru"}, frame=2, hop=3)


LINES = ["a fine film", "", "这部电影很好看", "a"]
TWO_WAVES = ["[[1, 2], [3, null]]", "[]", "[[0.5, 0]]", "[[1, 1], [1, 1], [1, 1]]"]


@pytest.mark.parametrize(
    ("configure", "lines"),
    [
        (films, LINES),
        (lines_without_labels, LINES),
        (next_characters, LINES),
        (waves, TWO_WAVES),
        (framed_waves, TWO_WAVES),
        (next_waves, TWO_WAVES),
    ],
)
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(EmbeddingTask, configure, lines=lines)


@pytest.mark.parametrize(("pooling", "cell"), [("last", "rnn"), ("attention", "graves-lstm"), ("max", "gru")])
def test_every_pooling_learns(tmp_path: Path, pooling: str, cell: str) -> None:
    model = {**TINY, "pooling": pooling, "cell": cell, "layers": 2, "residual": True}
    case = TaskCase(EmbeddingTask, lambda folder: waves(folder, model), tmp_path)
    check_loss(case)
    check_learning(case)
