"""What a model has no unit for, by each kind of unit."""

from __future__ import annotations

import pytest

from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.foreign import foreign_units
from recurra.tasks.lm.task import LanguageModel
from recurra.text import Vocabulary, build_vocabulary

TEXT = "白日依山盡，黃河入海流。 the rain in spain\n" * 8 + "Q"


def vocabulary(unit: str) -> Vocabulary:
    return build_vocabulary([TEXT], unit=unit, **({"max_size": 300} if unit == "bpe" else {}))


@pytest.mark.parametrize(
    ("unit", "text", "foreign"),
    [
        ("char", "the rain\n", []),
        ("char", "白貓 Q 貓e\u0301", ["貓", "Q", "é"]),
        ("word", "the cat\nin <unk> spain", ["cat"]),
        ("word", "the <0xE4> 白貓", ["<", "0xE4", ">", "貓"]),
        ("byte", "白貓 Q", []),
        ("bpe", "白貓 Q 学", []),
    ],
)
def test_units_that_the_vocabulary_has_not(unit: str, text: str, foreign: list[str]) -> None:
    assert foreign_units(vocabulary(unit), text) == foreign


def test_the_task_warns_once_and_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    task = LanguageModel(LanguageModelConfig.model_validate({"data": {"data": ["-"]}}))
    monkeypatch.setattr(task, "_vocabulary", vocabulary("char"))
    assert task.warnings("the rain") == task.warnings("") == []
    assert task.warnings("貓 Q") == ["rare in training, or never met there: 貓 Q"]
    (said,) = task.warnings("".join(chr(0x4E00 + number) for number in range(50)))
    assert said.endswith("…") and len(said) < 90
