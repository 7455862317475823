"""The verbs on a small real run, as a user would call them."""

import io
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app

VERSE = "the rain in spain falls mainly on the plain\nthe cat in the hat sat on the mat\n"
POEMS = ["床前明月光", "疑是地上霜", "舉頭望明月", "低頭思故鄉"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("verbs")
    (folder / "verse.txt").write_text(VERSE * 60)
    settings = {"hidden": 48, "layers": 1, "epochs": 60, "dropout": 0.0, "bptt": 32, "batch": 16, "lr": 0.01}
    return recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, precision="float32", **settings).path


@pytest.fixture(scope="module")
def poems(tmp_path_factory) -> Path:
    """Documents that all end: each line is a poem."""
    folder = tmp_path_factory.mktemp("poems")
    (folder / "poems.txt").write_text("\n".join(POEMS * 30), encoding="utf-8")
    settings = {"documents": "line", "hidden": 32, "layers": 1, "epochs": 60, "dropout": 0.0, "lr": 0.02, "batch": 8}
    settings |= {"valid_share": 0.0, "test_share": 0.0, "precision": "float32"}
    return recurra.train("lm", folder / "poems.txt", folder / "run", quiet=True, **settings).path


def call(*arguments: object, text: str | None = None, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=text, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def lines(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_evaluate_follows_the_contract(run: Path) -> None:
    (result,) = lines(call("evaluate", run, "--json"))
    assert set(result) == {"task", "data", "count", "metrics", "baselines", "details"}
    assert set(result["baselines"]) == {"uniform", "bigram", "kneser-ney-5"}
    for metrics in [result["metrics"], *result["baselines"].values()]:
        assert set(metrics) == {"nll", "perplexity", "bits_per_char", "bits_per_byte", "accuracy"}
    assert result["metrics"]["nll"] < result["baselines"]["uniform"]["nll"]
    assert result["count"] == result_count(run)


def result_count(run: Path) -> int:
    return recurra.load(run).events("start")[0]["test_units"]


def test_evaluate_repeats_what_training_measured(run: Path) -> None:
    (result,) = lines(call("evaluate", run, "--json"))
    assert result["metrics"] == recurra.load(run).evaluation["metrics"]


def test_evaluate_on_other_text(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("the cat in spain sat on the plain\n" * 4)
    (result,) = lines(call("evaluate", run, other, "--no-baselines", "--json"))
    assert result["baselines"] == {}
    assert result["count"] == 4 * 34
    assert "this model" in call("evaluate", run, other, "--no-baselines")


def test_a_name_in_brackets_is_no_markup(run: Path, tmp_path: Path) -> None:
    for name in ("q[/b]", "[bold]"):
        other = tmp_path / name / "b.txt"
        other.parent.mkdir(parents=True)
        other.write_text("the cat in spain sat on the plain\n" * 2)
        shown = call("evaluate", run, other, "--no-baselines")
        assert name in "".join(shown.split())


def test_predict_of_nothing(run: Path) -> None:
    assert call("predict", run, "--json", text="") == ""


def test_predict_completes(run: Path, poems: Path) -> None:
    (result,) = lines(call("predict", run, "-t", "the cat in the h", "-k", 3, "--json"))
    assert len(result["next"]) == 3 and result["next"][0][0] == "a"
    assert result["next"] == sorted(result["next"], key=lambda pair: -pair[1])
    (chinese,) = lines(call("predict", poems, "--json", text="床前明月\n"))
    assert chinese["next"][0][0] == "光"
    (ended,) = lines(call("predict", poems, "--json", text=POEMS[0] + "\n"))
    assert ended["next"][0][0] == "<end>"


def test_info(run: Path) -> None:
    (facts,) = lines(call("info", run, "--json"))
    assert facts["task"] == "lm" and facts["ended"] == "finished" and facts["evaluation"]["metrics"]["nll"] > 0
    assert "test nll" in call("info", run)
    assert "torch" in call("info")


def test_reproduce_lists_the_recipes() -> None:
    names = {recipe["name"] for recipe in lines(call("reproduce", "--json"))}
    assert {"ptb-small", "shakespeare", "shakespeare-quick", "tang-poems"} <= names
    with pytest.raises(recurra.errors.UsageError, match="expected one of"):
        call("reproduce", "nothing")


def test_reproduce_runs_a_recipe_and_says_whether_it_was_reached(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "verse.txt").write_text(VERSE * 40)
    for name, bar in (("easy", 5.76), ("hard", 0.001)):
        target = f'[target]\nmetric = "nll"\nat_most = {bar}\nsource = "nobody"\n'
        settings = "[settings]\nhidden = 8\nlayers = 1\nepochs = 2\n"
        (tmp_path / f"{name}.toml").write_text(
            f'title = "Verse"\ntask = "lm"\ndata = "{tmp_path / "verse.txt"}"\n{target}{settings}'
        )
    monkeypatch.setattr("recurra.runs.recipes.folder", lambda: tmp_path)
    (outcome,) = lines(call("reproduce", "easy", "-o", tmp_path / "a", "-q", "--json"))
    assert outcome["reached"] and outcome["figure"] <= 5.76
    assert "NOT reached" in call("reproduce", "hard", "-o", tmp_path / "b", "-q", code=1)


def test_bytes_that_are_no_text_are_an_error_with_their_place(run: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"good\nb\xe9d\n")))
    from recurra.verbs.base.options import read_lines

    with pytest.raises(recurra.errors.DataError, match=r"standard input: line 2: byte 6: .*0xe9"):
        list(read_lines("-"))


def test_the_stream_in_python_agrees_with_the_scores(run: Path) -> None:
    loaded = recurra.load(run)
    stream = loaded.stream("the cat ")
    rival = stream.fork()
    assert stream.read("in the hat") == pytest.approx(
        loaded.score("the cat in the hat")[0]["log_prob"] - loaded.score("the cat ")[0]["log_prob"], abs=1e-4
    )
    assert rival.likeliest(1)[0][0] in ("i", "s")
    assert rival.log_prob("in") > rival.log_prob("zz")
    assert rival.likeliest(1) == loaded.stream("the cat ").likeliest(1)
