"""The tagger keeps what every task promises, for words and for frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recurra.tasks import Settings
from recurra.tasks.tag import TaggerConfig, TaggingTask
from recurra.testing import check_task

NAMES = ["Anna", "Bela", "Chen", "Dora"]
TOWNS = ["Wien", "Oslo", "Rome"]


def words(folder: Path, **model: object) -> Settings:
    """Names and towns, marked as spans."""
    sentences = []
    for n in range(90):
        name, town = NAMES[n % 4], TOWNS[n % 3]
        rows = [(name, "B-PER"), (f"no{n}", "I-PER"), ("lives", "O"), ("in", "O"), (town, "B-LOC")]
        sentences.append("".join(f"{word}\t{tag}\n" for word, tag in rows[n % 2 :]))
    # What begins with I- breaks the scheme, as real data does: it must be learnt all the same.
    (folder / "names.conll").write_text("\n".join(sentences))
    data = {"data": [str(folder / "names.conll")], "valid_share": 0.2, "test_share": 0.2}
    sizes = {"hidden": 8, "embedding": 8, "characters": 4}
    return TaggerConfig.model_validate({"data": data, "model": {**sizes, **model}})


def each_by_itself(folder: Path) -> Settings:
    return words(folder, head="softmax", cell="gru")


def frames(folder: Path) -> Settings:
    """A machine that rests or runs, told from its noise."""
    chance = np.random.default_rng(3)
    rows = ["take,t,x,state"]
    for take in range(40):
        for t in range(16):
            runs = (t + take) % 8 < 4
            rows.append(f"{take},{t},{chance.normal(2.0 if runs else 0.0, 0.3):.3f},{'run' if runs else 'rest'}")
    (folder / "machine.csv").write_text("\n".join(rows) + "\n")
    data = {"data": [str(folder / "machine.csv")], "series": "take", "time": "t", "column": "state"}
    shares = {"valid_share": 0.2, "test_share": 0.2}
    return TaggerConfig.model_validate({"data": {**data, **shares}, "model": {"hidden": 8}})


LINES = ["Anna no7 lives in Wien", "", "Oslo", '["no one", "陈"]']


@pytest.mark.parametrize(
    ("configure", "lines"), [(words, LINES), (each_by_itself, LINES), (frames, ["0, 2, ?, 2", "", "[1.5]"])]
)
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(TaggingTask, configure, lines=lines)
