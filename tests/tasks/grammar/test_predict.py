"""What a trained grammar learner gives: legal continuations, strings, scores, and errors of one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import recurra
from recurra.errors import DataError, UsageError
from recurra.grammar import get_grammar
from recurra.runs.run import Run

QUIET: dict[str, Any] = {"quiet": True, "threads": 1, "precision": "float32"}


@pytest.fixture(scope="module")
def reber(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return recurra.train("grammar", "reber", tmp_path_factory.mktemp("reber") / "run", hidden=16, epochs=15, validations=3, **QUIET)  # fmt: skip


def test_it_learns_what_may_follow(reber: Run) -> None:
    evaluation = reber.evaluation
    assert evaluation is not None
    assert evaluation["metrics"]["strings_right"] > 0.9 and evaluation["metrics"]["written_legal"] > 0.95
    assert evaluation["baselines"]["trigram"]["strings_right"] == 1.0
    result = reber.predict("BT")
    assert {symbol for symbol, _ in result["legal"]} == {"S", "X"} and result["fault"] is None
    assert reber.predict("BTT")["fault"] == 3
    assert [symbol for symbol, _ in reber.predict("BTXSE")["legal"]] == ["<end>"]


@pytest.mark.parametrize("seed", [1, 5])
def test_it_learns_to_count_without_any_setting(tmp_path: Path, seed: int) -> None:
    run = recurra.train("grammar", "anbn", tmp_path / "run", seed=seed, test_sizes="1-150", **QUIET)
    assert run.evaluation is not None
    assert run.evaluation["metrics"]["right_up_to"] >= 100


def test_strings_are_written_and_scored(reber: Run) -> None:
    written = [reber.generate(seed=seed) for seed in range(20)]
    assert written == [reber.generate(seed=seed) for seed in range(20)]
    assert sum(get_grammar("reber").first_fault(each) is None for each in written) >= 19
    chunks = list(reber.generate_chunks(count=3, seed=4))
    assert {chunk.sample for chunk in chunks} == {0, 1, 2} and sum(chunk.last for chunk in chunks) == 3
    good, bad = reber.score(["BTXSE", "BXXXE"])
    assert good["log_prob"] > bad["log_prob"] + 2
    assert sum(value for _, value in good["units"]) == pytest.approx(good["log_prob"])
    assert good["units"][-1][0] == "<end>"


def test_errors_are_one_line(reber: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected symbols of the grammar, B E P S T V X; got 'Q'"):
        reber.predict("BQ")
    (tmp_path / "strings.txt").write_text("BTXSE\nBTB\n")
    with pytest.raises(DataError, match=r"line 2: is no string of reber: symbol 3 is B, where it says S or X"):
        reber.evaluate(tmp_path / "strings.txt")
    with pytest.raises(UsageError, match="train_sizes: strings of reber are drawn by probabilities"):
        recurra.train("grammar", "reber", tmp_path / "a", train_sizes="1-3", **QUIET)
    with pytest.raises(UsageError, match="train_sizes: dyck-1 has no strings of sizes 3"):
        recurra.train("grammar", "dyck-1", tmp_path / "b", train_sizes="3", **QUIET)
    with pytest.raises(DataError, match="did you mean the data set anbn"):
        recurra.train("grammar", "anbm", tmp_path / "c", **QUIET)


def test_names_of_files_are_a_grammar(tmp_path: Path) -> None:
    lines = [f"{'IMG' if n % 3 else 'DSC'}_{n * 37 % 10000:04}.{'jpg' if n % 2 else 'png'}" for n in range(600)]
    (tmp_path / "names.txt").write_text("\n".join(lines))
    run = recurra.train("grammar", tmp_path / "names.txt", tmp_path / "run", hidden=24, epochs=12, validations=3, lr=0.01, **QUIET)  # fmt: skip
    assert run.evaluation is not None
    metrics = run.evaluation["metrics"]
    assert metrics["accepted"] > 0.9 and metrics["refused"] > 0.5
    assert metrics["perplexity"] < 4
    good, bad = run.score(["IMG_0123.jpg", "IMG_01x3.gif"])
    assert good["log_prob"] > bad["log_prob"]
