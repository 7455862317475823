"""`recurra score`: how likely texts are, in all and by each unit, and which is the likeliest."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.verbs.conftest import POEMS, call, lines
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import DataError, UsageError


def test_real_sentences_are_likelier(verse: Path) -> None:
    results = lines(call("score", verse, "--json", text="the cat in the hat\nhte tac ni eht tah\n"))
    assert results[0]["log_prob"] > results[1]["log_prob"]
    for result in results:
        assert sum(log_prob for _, log_prob in result["units"]) == pytest.approx(result["log_prob"])
        assert "".join(unit for unit, _ in result["units"]) == result["text"]
        assert result["log_prob_per_unit"] == pytest.approx(result["log_prob"] / len(result["text"]))


def test_candidates_are_ranked(verse: Path) -> None:
    output = call("score", verse, "-t", "hte tac ni eht tah", "-t", "the cat in the hat", "--rank")
    assert [line.split("\t")[2] for line in output.splitlines()] == ["the cat in the hat", "hte tac ni eht tah"]


def test_blank_lines_are_ranked_last(verse: Path) -> None:
    output = call("score", verse, "--rank", text="\nhte tac\n   \nthe cat\n")
    ranked = [line.split("\t")[2] for line in output.split("\n")[:-1]]
    assert ranked[:2] == ["the cat", "hte tac"] and sorted(ranked[2:]) == ["", "   "]


def test_a_character_that_was_never_seen_counts_once(verse: Path) -> None:
    (result,) = lines(call("score", verse, "--json", "-t", "the 貓"))
    assert [unit for unit, _ in result["units"]] == ["t", "h", "e", " ", "貓"]


def test_the_score_of_a_document_includes_its_end(poems: Path) -> None:
    (result,) = lines(call("score", poems, "--json", "-t", POEMS[0]))
    assert [unit for unit, _ in result["units"]] == [*POEMS[0], "<end>"]


def test_nothing_is_certain_and_no_line_has_no_score(verse: Path) -> None:
    assert call("score", verse, text="") == ""
    (empty,) = lines(call("score", verse, "--json", text="\n"))
    assert empty["units"] == [] and empty["log_prob"] == 0


def test_a_file_is_scored_as_its_lines_are(verse: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("the cat\nthe hat\n")
    assert call("score", verse, file, "--json") == call("score", verse, "--json", "-t", "the cat", "-t", "the hat")
    with pytest.raises(UsageError, match="expected --text or a file, got both"):
        call("score", verse, file, "-t", "the cat")


def test_a_line_that_cannot_be_scored_has_its_place(tmp_path: Path) -> None:
    pairs = "\n".join(f"{n} a\t{n} b" for n in range(40))
    (tmp_path / "pairs.tsv").write_text(f"source\ttarget\n{pairs}\n")
    settings = {"hidden": 4, "epochs": 1, "precision": "float32", "quiet": True}
    run = recurra.train("translate", tmp_path / "pairs.tsv", tmp_path / "run", **settings).path
    (tmp_path / "lines.txt").write_text("1 a\t1 b\nno tab\n")
    for given, place in ((tmp_path / "lines.txt", f"{tmp_path}/lines.txt"), ("-", "standard input")):
        result = CliRunner().invoke(app, ["score", str(run), str(given)], input="1 a\t1 b\nno tab\n")
        assert str(result.exception) == f"{place}: line 2: expected a source, a tab and its target"


def test_a_score_that_is_no_number_is_an_error(verse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recurra.load(verse)
    monkeypatch.setattr(run.predictor, "score", lambda texts: [{"text": "a", "log_prob": float("-inf")}])
    with pytest.raises(DataError, match="no score is a finite number here"):
        run.score("a")
