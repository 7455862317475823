"""The language model passes the public suite: over one long text and over documents, in English and in Chinese."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase

VERSE = "the rain in spain falls mainly on the plain\n"
LINES = ["the rain", "", "床前明月"]
POEM = ["床前明月光", "疑是地上霜", "舉頭望明月", "低頭思故鄉"]


def verse(folder: Path) -> LanguageModelConfig:
    """One long text."""
    (folder / "verse.txt").write_text(VERSE * 40)
    data = {"data": [str(folder / "verse.txt")], "bptt": 16}
    model = {"hidden": 16, "layers": 1, "recurrent_dropout": 0.1}
    return LanguageModelConfig.model_validate({"data": data, "model": model})


def poems(folder: Path) -> LanguageModelConfig:
    """Documents, each a record whose text is a list of lines, of several lengths."""
    rows = [
        {
            "paragraphs": [
                *POEM[i % 4 : i % 4 + 1 + i % 3],
                POEM[i % 4] * (i % 5),
                POEM[i % 4][: 1 + i % 5] + chr(0x4E00 + i),
            ]
        }
        for i in range(60)
    ]
    (folder / "poems.json").write_text(json.dumps(rows, ensure_ascii=False))
    data = {
        "data": [str(folder / "poems.json")],
        "text": "paragraphs",
        "bptt": 8,
        "valid_share": 0.2,
        "test_share": 0.2,
    }
    model = {"cell": "gru", "hidden": 16, "tied": True, "residual": True}
    return LanguageModelConfig.model_validate({"data": data, "model": model})


@pytest.fixture(scope="module", params=[verse, poems], ids=lambda configure: configure.__name__)
def case(request, tmp_path_factory):
    return TaskCase(LanguageModelingTask, request.param, tmp_path_factory.mktemp("case"), lines=LINES)


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
def test_language_model_keeps_its_promises(case, check):
    check(case)
