"""The translator keeps what every task promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recurra.tasks.translate import TranslationTask, TranslatorConfig
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "attention": {"cell": "gru", "attention": "general", "heads": 2},
    "additive": {"cell": "lstm", "attention": "additive", "layers": 2, "tied": False},
    "dot": {"cell": "gru", "attention": "dot", "scheduled_sampling": 0.3, "attention_penalty": 0.5},
    "input feed": {"cell": "lstm", "input_feed": True, "unit_dropout": 0.2},
    "location": {"cell": "lstm", "attention": "location", "location_width": 3, "heads": 2, "input_feed": True},
    "no attention": {"cell": "rnn", "attention": "none", "bidirectional": False},
}
DATA: dict[str, dict[str, Any]] = {
    "attention": {"source_unit": "word", "target_unit": "char"},
    "additive": {"source_unit": "char", "target_unit": "word", "lower": True},
    "dot": {"source_unit": "byte", "target_unit": "byte"},
    "input feed": {"source_unit": "char", "target_unit": "char"},
    "location": {"source_unit": "char", "target_unit": "word"},
    "no attention": {"source_unit": "bpe", "target_unit": "bpe", "joint": True, "vocabulary": 300},
}
WORDS = ["red", "green", "blue", "old", "new"]


def configure(folder: Path, name: str) -> TranslatorConfig:
    rows = [
        f"the {a} {b} {n % 7}\t{n % 7} {b} {a}" for n, (a, b) in enumerate([(a, b) for a in WORDS for b in WORDS] * 3)
    ]
    (folder / "pairs.tsv").write_text("\n".join(["source\ttarget", *rows]) + "\n", encoding="utf-8")
    data = {"data": [str(folder / "pairs.tsv")], "valid_share": 0.2, "test_share": 0.2, **DATA[name]}
    return TranslatorConfig.model_validate({"data": data, "model": {"hidden": 8, "embedding": 8, **MODELS[name]}})


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_suite(check: Any, name: str, tmp_path: Path) -> None:
    with one_thread():
        check(
            TaskCase(TranslationTask, lambda folder: configure(folder, name), tmp_path, 4, ["the red old 3", "", "new"])
        )
