"""Small trainings of every task, and what makes them fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import recurra
from recurra.runs.run import Run

SMALL: dict[str, Any] = {"quiet": True, "hidden": 4, "epochs": 1, "threads": 1, "precision": "float32", "layers": 1}
GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SHOPS = {"series": "shop", "time": "date", "target": ["sales"], "horizon": 2, "season": 7, "max_length": 40}
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "lm": ("verse.txt", {}, "the rain"),
    "classify": ("reviews.csv", {"linear": "none"}, "a good film"),
    "tag": ("names.conll", {}, "Anna lives in Rome"),
    "embed": ("waves.ts", {}, np.ones((9, 2), np.float32)),
    "forecast": ("sales.csv", SHOPS, None),
    "translate": ("dates.tsv", {}, "3 May 2004"),
    "pixels": ("crosses.npy", {}, np.eye(6)),
    "music": ("scales.json", {}, [[60, 64], [62]]),
    "caption": ("boxes.zip", {"side": 32, "channels": 2}, np.full((32, 32, 3), 200, np.uint8)),
    "transcribe": ("inks.jsonl", {"split_by": "signal"}, '{"strokes": [[[0, 0], [5, 9], [9, 0]]]}'),
    "strokes": ("inks.jsonl", {"condition": "none"}, [[[0, 0], [5, 9], [9, 0]]]),
    "grammar": ("verse.txt", {}, "the rain"),
    "detect": ("plant.csv", {"time": "time", "target": ["temp", "bar"], "window": 16}, None),
}


def train(task: str, out: Path, **settings: Any) -> Run:
    data, own, _ = CASES[task]
    return recurra.train(task, GOLDEN / data, out, **SMALL, **own, **settings)


def predicts(run: Run, task: str) -> bool:
    """Ask for a prediction, and tell whether there is one."""
    data, _, given = CASES[task]
    inputs = run.predictor.read_file(str(GOLDEN / data)) if given is None else [given]
    assert inputs
    return bool(run.predictor.predict(inputs[:1]))


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail
