"""Edits by the definition, and BLEU as sacrebleu's own command prints it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.metrics import bleu_scores, edit_distance, error_rate, nearest_reference, resampled, text_scores


def by_definition(first: str, second: str) -> int:
    rows = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(len(first) + 1):
        for j in range(len(second) + 1):
            if not i or not j:
                rows[i][j] = i + j
            else:
                same = first[i - 1] != second[j - 1]
                rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same)
    return rows[-1][-1]


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_edits_are_the_fewest(first: str, second: str) -> None:
    assert edit_distance(first, second) == edit_distance(second, first) == by_definition(first, second)


def test_rates_go_by_the_references() -> None:
    assert error_rate(["", "abc"], ["ab", "abc"]) == 2 / 5
    scores = text_scores(["a b a b c", "x"], ["a b c", "x"])
    assert scores["exact"] == 0.5 and scores["word_error_rate"] == 2 / 4 and scores["length_ratio"] == 10 / 6


def test_the_nearest_of_several_references_goes_by_words_and_then_by_characters() -> None:
    assert (
        nearest_reference("a bcd", ["x bcd", "a bce", "bcd"]) == "x bcd"
    )  # one edit of a word each; the first of the like
    assert nearest_reference("a bcd", ["xyz bcd", "a bce"]) == "a bce"
    assert nearest_reference("", ["only"]) == "only"


@pytest.mark.parametrize("references", [[], ["a", "b"]])
def test_a_reference_for_each_is_asked_for(references: list[str]) -> None:
    with pytest.raises(UsageError, match="references: expected one for each of 1 texts"):
        text_scores(["a"], references)


def test_bleu_is_that_of_the_command(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu")
    hypotheses = ["A man is riding a horse .", "Two dogs run on the grass", "a child plays"]
    references = ["A man rides a horse.", "Two dogs are running on grass .", "A child is playing"]
    found, signatures = bleu_scores(hypotheses, references)
    (tmp_path / "hyp").write_text("\n".join(hypotheses) + "\n")
    (tmp_path / "ref").write_text("\n".join(references) + "\n")
    for name, options in (("bleu", ["-m", "bleu"]), ("bleu_lower", ["-m", "bleu", "-lc"]), ("chrf", ["-m", "chrf"])):
        command = [
            sys.executable,
            "-m",
            "sacrebleu",
            str(tmp_path / "ref"),
            "-i",
            str(tmp_path / "hyp"),
            *options,
            "-b",
            "-w",
            "6",
        ]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert float(printed) == pytest.approx(found[name], abs=1e-6)
    assert [one.split(":")[0] for one in signatures] == ["bleu", "bleu_lower", "chrf"] and "version:" in signatures[0]


def test_an_interval_holds_the_figure() -> None:
    low, high = resampled(lambda rows: float((rows < 50).mean()), 100)
    assert 0.35 < low < 0.5 < high < 0.65


def test_scripts_without_blanks_have_words_too() -> None:
    pytest.importorskip("sacrebleu")
    found, signatures = bleu_scores(["我喜欢狗今天天气很好"], ["我喜欢猫今天天气很好"])
    assert found["bleu"] > 50 and "tok:zh" in signatures[0]
    assert text_scores(["好" * 12], ["好"])["repetition"] == 1.0
