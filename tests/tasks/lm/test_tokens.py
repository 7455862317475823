"""What texts begin and end with, and what a model has no unit for, by each kind of unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from recurra.runs.config import configure
from recurra.tasks.lm import LanguageModel, LanguageModelConfig
from recurra.tasks.lm.tokens import TextPreprocessor, unknown_tokens
from recurra.text import Vocabulary, build_vocabulary
from recurra.text.vocabulary.base import FIRST_BYTE

BYTES = range(FIRST_BYTE + 0x80, FIRST_BYTE + 0x100)
TEXT = "白日依山盡，黃河入海流。 the rain in spain\n" * 8 + "Q"


def vocabulary(unit: str) -> Vocabulary:
    return build_vocabulary([TEXT], unit=unit, **({"max_size": 300} if unit == "bpe" else {}))


@pytest.mark.parametrize(
    ("unit", "text", "unknown"),
    [
        ("char", "the rain\n", []),
        ("char", "白貓 Q 貓e\u0301", ["貓", "Q", "é"]),
        ("word", "the cat\nin <unk> spain", ["cat"]),
        ("word", "the <0xE4> 白貓", ["<", "0xE4", ">", "貓"]),
        ("byte", "白貓 Q", []),
        ("bpe", "白貓 Q 学", []),
    ],
)
def test_units_that_the_vocabulary_has_not(unit: str, text: str, unknown: list[str]) -> None:
    assert unknown_tokens(vocabulary(unit), text) == unknown


def test_a_model_warns_once_and_in_short() -> None:
    preprocessor, config = TextPreprocessor(vocabulary("char"), continuous=True), LanguageModelConfig()
    model = LanguageModel(config, nn.Identity(), preprocessor)
    assert model.input_warnings("the rain") == model.input_warnings("") == []
    assert model.input_warnings("貓 Q") == ["rare in training, or never met there: 貓 Q"]
    (warning,) = model.input_warnings("".join(chr(0x4E00 + number) for number in range(50)))
    assert warning.endswith("…") and len(warning) < 90


def test_a_text_begins_and_ends_by_whether_there_are_documents(tmp_path: Path) -> None:
    lines, bytes_alone = vocabulary("char"), build_vocabulary(["ab"], unit="char", min_count=1)
    text, documents = TextPreprocessor(lines, continuous=True), TextPreprocessor(lines, continuous=False)
    assert (text.bos_id, text.eos_id, text.forbidden) == (
        lines.line_break_id,
        None,
        [lines.bos_id, lines.eos_id, *BYTES],
    )
    assert (documents.bos_id, documents.eos_id, documents.forbidden) == (
        lines.bos_id,
        lines.eos_id,
        [lines.bos_id, *BYTES],
    )
    assert TextPreprocessor(bytes_alone, continuous=True).bos_id == bytes_alone.bos_id  # no line break is known
    ids = documents.encode("the")
    assert ids.dtype == np.int64 and ids.tolist() == [lines.bos_id, *lines.encode("the").tolist()]
    assert documents.save(tmp_path) == ["vocabulary.json"]
    for config, preprocessor in (("none", text), ("line", documents)):
        given = LanguageModelConfig.model_validate({"data": {"documents": config}})
        assert LanguageModel.load_preprocessor(tmp_path, given) == preprocessor


def test_settings_are_known_by_their_old_names() -> None:
    data = configure("lm", {"window": 20, "data.shift": False}).settings.model_dump()["data"]
    assert (data["bptt"], data["random_offset"]) == (20, False)
