"""Trainings that are healthy, and trainings that were broken on purpose, each of a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import DivergedError
from recurra.nn import stack
from recurra.runs.run import Run

COMMON: dict[str, Any] = {"quiet": True, "threads": 1, "precision": "float32"}
LANGUAGE: dict[str, Any] = {"hidden": 48, "layers": 1, "bptt": 32, "batch": 16, "epochs": 6, "validations": 8, **COMMON}
CLASSES: dict[str, Any] = {"hidden": 16, "layers": 1, "linear": "none", "epochs": 12, "batch": 32, **COMMON}
SUBJECTS, VERBS, OBJECTS = (
    "the cat|a dog|my aunt|the king",
    "sees|finds|likes|hears",
    "a mouse|the moon|bread|old songs",
)
GOOD, BAD = "fine lovely bright warm clever", "dull awful grim cold stupid"
NEUTRAL = "film plot actor scene music story end part voice light"


def sentences(count: int, seed: int = 0) -> str:
    """A text that a language model learns in seconds: subjects, verbs and objects by chance."""
    rng = np.random.default_rng(seed)
    words = [part.split("|") for part in (SUBJECTS, VERBS, OBJECTS)]
    return "".join(" ".join(str(rng.choice(part)) for part in words) + ".\n" for _ in range(count))


def copies(length: int, lag: int = 20, seed: int = 0) -> str:
    """A text of eight letters, each the same as the one `lag` before it in four cases of five."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(8, size=length)
    again = rng.random(length) < 0.8
    for at in range(lag, length):
        if again[at]:
            ids[at] = ids[at - lag]
    return "".join("abcdefgh"[each] for each in ids)


def reviews(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Texts of eight words, one of which says whether they are good or bad."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        label = str(rng.choice(["good", "bad"]))
        words = [str(rng.choice(NEUTRAL.split())) for _ in range(7)]
        words.insert(int(rng.integers(8)), str(rng.choice((GOOD if label == "good" else BAD).split())))
        rows.append((" ".join(words), label))
    return rows


def write_csv(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


def language(folder: Path, text: str, **settings: Any) -> Run:
    (folder / "text.txt").write_text(text)
    return recurra.train("lm", folder / "text.txt", folder / "run", **{**LANGUAGE, **settings})


def classes(folder: Path, rows: list[tuple[str, str]], **settings: Any) -> Run:
    return recurra.train("classify", write_csv(folder / "rows.csv", rows), folder / "run", **{**CLASSES, **settings})


@contextmanager
def dead_from_the_start() -> Iterator[None]:
    """Let networks begin with biases so low that no rectifier ever opens, and so learns nothing."""
    usual = stack.initialise_layer

    def initialise(cell: Any, weights: dict[str, torch.Tensor], *rest: Any) -> None:
        usual(cell, weights, *rest)
        with torch.no_grad():
            weights["bias_ih"].fill_(-10.0)

    with mock.patch.object(stack, "initialise_layer", initialise):
        yield


def shuffled_labels(folder: Path) -> Run:
    rows = reviews(600)
    labels = np.random.default_rng(1).permutation([label for _, label in rows])
    return classes(folder, [(text, str(label)) for (text, _), label in zip(rows, labels, strict=True)])


def leaked(folder: Path) -> Run:
    rows = reviews(600)
    test = write_csv(folder / "test.csv", rows[:100])
    return classes(folder, rows, test=[str(test)])


def exploded(folder: Path) -> Run:
    """A long training of rectifiers at a rate that only clipping makes safe."""
    settings = {"cell": "rnn-relu", "bptt": 128, "batch": 8, "optimizer": "sgd", "lr": 4.0, "clip": float("inf")}
    with pytest.raises(DivergedError):
        language(folder, sentences(1500), **settings)
    return Run.load(folder / "run")


def dead_rectifiers(folder: Path) -> Run:
    with dead_from_the_start():
        return classes(folder, reviews(600), cell="rnn-relu")


Make = Callable[[Path], Run]
BROKEN: dict[str, Make] = {
    "learning-rate-too-high": lambda folder: language(folder, sentences(1500), lr=0.09),
    "forget-bias-too-low": lambda folder: language(folder, sentences(1500), forget_bias=-5.0),
    "exploding-gradients": exploded,
    "window-too-short": lambda folder: language(folder, copies(20_000), bptt=4, epochs=1),
    "labels-say-nothing": shuffled_labels,
    "leakage": leaked,
    "dead-units": dead_rectifiers,
    "too-few-data": lambda folder: classes(folder, reviews(20)),
}
HEALTHY: dict[str, Make] = {
    "lm": lambda folder: language(folder, sentences(1500)),
    "classify": lambda folder: classes(folder, reviews(800)),
}
