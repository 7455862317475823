"""The grammar learner keeps what every task promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recurra.tasks.grammar import GrammarConfig, GrammarTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "counting": ({"data": ["anbn"], "strings": 30, "train_sizes": "1-3", "valid_sizes": "1-4", "test_sizes": "1-6"}, {"cell": "graves-lstm"}, ["aab", "", "ba"]),
    "reber": ({"data": ["reber"], "strings": 40}, {"cell": "gru", "layers": 2, "dropout": 0.2}, ["BTX", "BB"]),
    "next symbol": ({"data": ["dyck-1"], "strings": 40, "train_sizes": "2-12", "valid_sizes": "14-16", "test_sizes": "14-20"}, {"target": "symbol", "cell": "rnn"}, ["(()", ")"]),
    "own strings": ({"valid_share": 0.2, "test_share": 0.2}, {}, ["IMG_0042.jpg", "é", ""]),
    "own automaton": ({"strings": 60}, {"cell": "gru"}, ["open close", "knock", "close"]),
}  # fmt: skip
AUTOMATON = "shut -open-> wide 2\nshut -knock-> shut\nwide -close-> shut\nend shut\n"


def configure(folder: Path, name: str) -> GrammarConfig:
    data, model, _ = CASES[name]
    if name == "own strings":
        lines = [f"{'IMG' if n % 3 else 'DSC'}_{n * 37 % 10000:04}.{'jpg' if n % 2 else 'png'}" for n in range(80)]
        (folder / "names.txt").write_text("\n".join(lines), encoding="utf-8")
        data = {**data, "data": [str(folder / "names.txt")]}
    if name == "own automaton":
        (folder / "gate.automaton").write_text(AUTOMATON, encoding="utf-8")
        data = {**data, "data": [str(folder / "gate.automaton")]}
    return GrammarConfig.model_validate({"data": data, "model": {"hidden": 8, **model}})


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_suite(check: Any, name: str, tmp_path: Path) -> None:
    with one_thread():
        check(TaskCase(GrammarTask, lambda folder: configure(folder, name), tmp_path, 4, CASES[name][2]))
