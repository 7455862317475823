"""What of named data is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.transcribe.signals import TEXTS, strokes_of


def write_inks(path: Path, parts: list[str | None]) -> Path:
    chance = np.random.default_rng(8)
    rows = [
        {"strokes": strokes_of(TEXTS[number % 3], chance), "text": TEXTS[number % 3]}
        | ({} if part is None else {"split": part})
        for number, part in enumerate(parts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("parts", "count"),
    [(["train", "test", "valid", "test"], 2), ([None] * 3, 3), (["test"] * 2, 2), (["train"] * 2, 2)],
)
def test_of_data_that_name_a_test_only_that_is_measured(pen, tmp_path, parts, count) -> None:
    evaluation = pen.evaluate(str(write_inks(tmp_path / "inks.jsonl", parts)))
    assert evaluation["details"]["signals"] == count
