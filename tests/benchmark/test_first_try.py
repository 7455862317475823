"""The table of first tries: what is run, who is better, and that a second call measures only what is left."""

from __future__ import annotations

import argparse
import doctest
import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from recurra.metrics import get_metric

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
README = "# A set\n\nNot `recurra train lm x`, nor:\n\n```\npip install recurra\n```\n\n```sh\n{command}\n```\n"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a program; skips where it is not installed with the package."""
    if not (BENCHMARKS / f"{name}.py").is_file():
        pytest.skip("the benchmarks are not installed with the package")
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module(name)


@pytest.fixture
def first_try(monkeypatch):
    return load("first_try", monkeypatch)


@pytest.fixture
def table(monkeypatch):
    return load("first_try_table", monkeypatch)


def found(task: str = "classify", seconds: float = 90.0, **accuracies: float | list[float]) -> dict:
    """Make what is stored of a set: `ours` and each baseline by a metric `accuracy`, one value or one for each seed."""
    values = {name: value if isinstance(value, list) else [value] for name, value in accuracies.items()}
    runs = [
        {
            "metrics": {"nll": 1.0, "accuracy": ours},
            "baselines": {name: {"accuracy": each[at]} for name, each in values.items() if name != "ours"},
            "training_seconds": seconds,
            "wall_seconds": seconds + 10 * at,
        }
        for at, ours in enumerate(values["ours"])
    ]
    return {"task": task, "command": "recurra train classify a.csv", "runs": runs}


def test_the_examples_run(first_try, table):
    for module in (first_try, table):
        outcome = doctest.testmod(module)
        assert outcome.attempted and not outcome.failed


def make_set(folder: Path, name: str, command: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "README.md").write_text(README.format(command=command), encoding="utf-8")
    return folder / name


def test_a_command_is_read_from_its_code_block(first_try, tmp_path):
    make_set(tmp_path, "b", "recurra train tag b.conll --test 'the test.conll'")
    make_set(tmp_path, "a", "recurra train lm a.txt \\\n  --level char")
    (tmp_path / "no-set").mkdir()
    sets = first_try.read_sets(tmp_path)
    assert [(each.name, each.task, each.words[2:]) for each in sets] == [
        ("a", "lm", ["a.txt", "--level", "char"]),
        ("b", "tag", ["b.conll", "--test", "the test.conll"]),
    ]


@pytest.mark.parametrize(
    "command", ["recurra predict RUN", "recurra train lm a\nrecurra train lm b", "recurra train lm"]
)
def test_a_readme_without_one_command_is_refused(first_try, tmp_path, command):
    make_set(tmp_path, "a", command)
    with pytest.raises(ValueError, match=r"a/README\.md: expected a `recurra train TASK DATA`"):
        first_try.read_sets(tmp_path)


@pytest.mark.parametrize(
    ("key", "ours", "best", "expected"),
    [
        ("accuracy", 0.905, 0.900, "level"),
        ("accuracy", 0.895, 0.900, "level"),
        ("accuracy", 0.906, 0.900, "won"),
        ("auroc", 0.894, 0.900, "lost"),
        ("auroc", 0.0149, 0.01, "level"),  # points, not a ratio
        ("mase", 0.99, 1.0, "level"),
        ("mase", 0.98, 1.0, "won"),
        ("perplexity", 101.5, 100.0, "lost"),
        ("perplexity", 100.9, 100.0, "level"),
    ],
)
def test_verdicts(table, key, ours, best, expected):
    assert table.verdict(get_metric(key), ours, best) == expected


def test_a_row_has_the_best_baseline_and_the_means_of_the_seeds(table):
    row = table.make_row("a", found(ours=[0.7, 0.8, 0.9], nearest=[0.5, 0.5, 0.5], linear=[0.9, 0.8, 0.8]))
    assert (row.metric.key, row.baseline, row.verdict, row.spread) == ("accuracy", "linear", "lost", (0.7, 0.9))
    assert row.ours == pytest.approx(0.8) and row.best == pytest.approx(2.5 / 3) and row.seconds == 100
    assert table.make_row("a", found(ours=0.8)).failed == "no baseline has the model's accuracy"


def test_another_metric_than_the_headline_is_compared_where_a_baseline_has_it(table):
    stored = found(ours=0.8, linear=0.9)
    stored["runs"][0]["metrics"]["f1"] = 0.3
    assert table.make_row("a", stored).failed == "no baseline has the model's span F1"
    assert table.make_row("a", stored, ["mase", "f1", "nll", "accuracy"]).metric.key == "accuracy"


def test_the_table_shows_weights_failures_and_the_older_figures(table):
    stored = {"a": found(ours=0.9, linear=0.8), "b": {"task": "tag", "failed": "no such | file", "runs": []}}
    stored["a"]["runs"][0] |= {"shares": {"linear": 0.75, "network": 0.25}}
    older = {"a": found(ours=0.7, linear=0.8), "b": found("tag", ours=0.8, linear=0.8)}
    rows = [table.make_row(name, each) for name, each in stored.items()]
    assert table.markdown(table.cells(rows, older)) == [
        "|  | task | set | figure | ours | best plain baseline |  | seconds | weights | before |",
        "|---|---|---|---|---|---|---|---|---|---|",
        "| won | classify | a | accuracy | 0.9000 | linear | 0.8000 | 90 | linear 0.75, network 0.25 | lost, 0.7000 |",
        "| failed | tag | b |  | no such \\| file |  |  |  |  | level, 0.8000 |",
    ]
    assert table.totals(rows, older) == [
        "classify: won 1, level 0, lost 0 of 1; before: won 0, level 0, lost 1 of 1",
        "tag: won 0, level 0, lost 0, failed 1 of 1; before: won 0, level 1, lost 0 of 1",
        "all: won 1, level 0, lost 0, failed 1 of 2; before: won 0, level 1, lost 1 of 2",
    ]


def test_only_a_short_training_needs_more_seeds(first_try):
    each = first_try.FirstTrySet(Path("a"), ["train", "classify", "a.csv"])
    assert first_try.is_measured(each, found(ours=0.9, seconds=60), 3)
    assert not first_try.is_measured(each, found(ours=0.9, seconds=59), 3)
    assert first_try.is_measured(each, found(ours=[0.9] * 3, seconds=59), 3)
    assert not first_try.is_measured(each, found(ours=0.9) | {"failed": "no such file"}, 1)
    assert not first_try.is_measured(each, found(ours=0.9) | {"command": "recurra train classify b.csv"}, 1)
    assert not first_try.is_measured(each, None, 1)


@pytest.mark.parametrize(("seconds", "seeds"), [(59.9, [1, 2, 3]), (60.0, [1])])
def test_a_short_training_is_repeated_with_other_seeds(first_try, tmp_path, monkeypatch, seconds, seeds):
    each, seen = first_try.FirstTrySet(tmp_path, ["train", "classify", "a.csv"]), []

    def train_once(_, seed, options, run):
        seen.append(seed)
        return {"training_seconds": seconds}

    monkeypatch.setattr(first_try, "train_once", train_once)
    stored = first_try.measure(each, argparse.Namespace(seeds=3), tmp_path)
    assert seen == seeds and len(stored["runs"]) == len(seeds) and "failed" not in stored
    assert first_try.is_measured(each, stored, 3)


def test_what_is_measured_is_kept_and_what_failed_runs_again(first_try, tmp_path, capsys, monkeypatch):
    good, bad = (make_set(tmp_path / "sets", name, "recurra train classify a.csv") for name in ("good", "bad"))
    rows = [f"{('a fine good day', 'a sad bad night')[number % 2]} {number},{number % 2}" for number in range(60)]
    text = "\n".join(["text,label", *rows])
    (good / "a.csv").write_text(text, encoding="utf-8")
    kept = tmp_path / "kept.json"
    arguments = [str(tmp_path / "sets"), "--within", "1s", "--seeds", "1", "--jobs", "1", "--json", str(kept)]
    assert first_try.main(arguments) == 1
    output = capsys.readouterr().out
    assert "a.csv: does not exist" in output and "failed 1 of 2" in output
    first = json.loads(kept.read_text(encoding="utf-8"))["sets"]
    (run,) = first["good"]["runs"]
    assert run["seed"] == 1 and list(run["baselines"]) == ["majority", "tfidf-logistic"]
    assert 0 < run["training_seconds"] < run["wall_seconds"]

    trained = []
    train_once = first_try.train_once
    monkeypatch.setattr(
        first_try, "train_once", lambda each, *more: (trained.append(each.name), train_once(each, *more))[1]
    )
    (bad / "a.csv").write_text(text, encoding="utf-8")
    assert first_try.main(arguments) == 0
    assert trained == ["bad"]
    second = json.loads(kept.read_text(encoding="utf-8"))["sets"]
    assert second["good"] == first["good"] and len(second["bad"]["runs"]) == 1

    with pytest.raises(SystemExit) as ended:
        first_try.main([*arguments, "--threads", "2"])
    assert ended.value.code == 2
    assert "--within 1s --threads 1 --jobs 1; give the same options" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--only", "b"], "--only: expected some of a; got b"),
        (["--task", "tag"], "--task: expected some of lm; got tag"),
        (["--within", "3"], "expected a time such as 90s"),
        (["--jobs", "0"], "expected a whole number from 1 on, got '0'"),
        (["--compare", "none.json"], "none.json: cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(first_try, tmp_path, capsys, more, message):
    make_set(tmp_path, "a", "recurra train lm a.txt")
    with pytest.raises(SystemExit) as ended:
        first_try.main([str(tmp_path), *more])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_the_stored_table_counts_what_it_says(first_try, table):
    older = first_try.load(BENCHMARKS / "2026-11-29-first-try.json")["sets"]
    rows = [table.make_row(name, each) for name, each in older.items()]
    assert table.totals(rows, {})[-1] == "all: won 14, level 1, lost 9 of 24"
