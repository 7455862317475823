"""What a new network takes over from a run: the rows whose names are the same, the cells that fit, and nothing in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra import Run
from recurra.errors import RunError, UsageError
from recurra.nn import Stack
from recurra.tasks.base.transfer import copy_rows, copy_stack, layer_depths, unit_names
from recurra.text import build_vocabulary

QUICK = {"epochs": 1, "batch": 8, "threads": 1, "precision": "float32", "quiet": True}


def texts(count: int = 60) -> list[str]:
    return [f"{'good' if n % 2 else 'bad'} film number {n % 7} 電影" for n in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transfer")
    rows = [f"{text},{'pos' if 'good' in text else 'neg'}" for text in texts()]
    (folder / "films.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    lines = [f"The good plot of a bad film number {n % 5} 電影 !" for n in range(80)]
    (folder / "plots.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    np.savez(folder / "waves.npz", x=np.random.default_rng(1).normal(size=(20, 5, 1)), y=[0, 1] * 10)
    return folder


@pytest.fixture(scope="module")
def words(folder: Path) -> Run:
    """A language model of words, of two layers."""
    return recurra.train("lm", folder / "plots.txt", folder / "words", unit="word", hidden=6, layers=2, **QUICK)


def no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all weights as they begin."""
    from recurra.training.step import TrainState

    monkeypatch.setattr(TrainState, "step", lambda self, batch, lr, share=1.0: (1.0, 1, 1.0))


def test_rows_are_matched_by_their_names_and_marks_are_not_counted() -> None:
    target, source = torch.zeros(4, 2), torch.arange(8.0).reshape(4, 2)
    found = copy_rows(target, ["<unknown>", "Film", "plot", "good"], source, ["<unknown>", "good", "film", "bad"])
    assert found == 2
    assert target.tolist() == [[0, 1], [4, 5], [0, 0], [2, 3]]
    assert copy_rows(torch.zeros(1, 3), ["good"], source, ["good"]) == 0  # of another size


def test_units_of_every_vocabulary_have_names_of_their_own() -> None:
    for unit in ("char", "byte", "word", "bpe"):
        vocabulary = build_vocabulary(["a cat, a 猫 ä\n" * 3], unit=unit)
        names = unit_names(vocabulary)
        assert len(names) == len(set(names)) == vocabulary.size, unit


@pytest.mark.parametrize("cell", ["lstm", "gru", "graves-lstm"])
def test_forward_cells_begin_the_forward_direction(cell: str) -> None:
    source = Stack(cell, 5, [4, 4], layer_norm=True)
    target = Stack(cell, 5, [4, 4], layer_norm=True, bidirectional=True)
    fresh = {name: one.clone() for name, one in target.state_dict().items()}
    assert copy_stack(target, source, words=5) == 2
    own = target.state_dict()
    for name, weight in source.layers.state_dict().items():
        if name == "1.weight_ih":  # what the backward direction says was never read
            assert own[f"layers.{name}"].tolist() == torch.cat([weight, torch.zeros_like(weight)], 1).tolist()
        else:
            assert own[f"layers.{name}"].tolist() == weight.tolist()
    for name in own:
        if name.startswith("backward_layers"):
            assert own[name].tolist() == fresh[name].tolist()


def test_cells_of_another_kind_or_size_are_left_alone() -> None:
    target = Stack("lstm", 5, [4, 6])
    before = {name: one.clone() for name, one in target.state_dict().items()}
    assert copy_stack(target, Stack("gru", 5, [4, 6]), words=5) == 0
    assert copy_stack(target, Stack("lstm", 5, [3, 6]), words=5) == 0
    assert all(before[name].tolist() == one.tolist() for name, one in target.state_dict().items())
    assert copy_stack(target, Stack("lstm", 5, [4, 5]), words=5) == 1


def test_depths_count_from_the_output(words: Run) -> None:
    depths = layer_depths(words.network, stack="stack.", layers=2, units="embedding.")
    assert depths["output.weight"] == 0 and depths["embedding.weight"] == 3
    assert depths["stack.layers.1.weight_hh"] == 1 and depths["stack.layers.0.weight_hh"] == 2
    assert depths["stack.norms.0.weight"] == 2


def test_a_classifier_begins_with_a_language_model(
    folder: Path, words: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_step(monkeypatch)
    settings = {**QUICK, "quiet": False, "dropout": 0.0}
    run = recurra.train("classify", folder / "films.csv", folder / "films", from_run=words.path, **settings)
    model: Any = run.configuration.settings
    assert (model.model.hidden, model.model.layers, model.model.embedding, model.data.unit) == (6, 2, 6, "word")
    vocabulary = run.predictor.preprocessor.inputs.vocabulary
    assert "plot" in vocabulary.words  # which stands in no text that has a label
    known = words.predictor.preprocessor.vocabulary
    own, theirs = run.network.body.encoder.table.weight, words.network.embedding.weight
    for word in ("good", "film", "電影", "plot"):
        assert own[1 + vocabulary.words.index(word)].tolist() == theirs[3 + known.words.index(word)].tolist()
    stack, other = run.network.body.stack, words.network.stack
    assert stack.layers[0].weight_hh.tolist() == other.layers[0].weight_hh.tolist()
    shared = sum(word in known.words or word.casefold() in known.words for word in vocabulary.words)
    sentence = f"begins with {words.path}: {shared} of {len(vocabulary.words)} words, 2 layers of cells"
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "data", "settings"),
    [("lm", "plots.txt", {}), ("embed", "plots.txt", {}), ("classify", "films.csv", {}), ("tag", "tags.conll", {})],
)
def test_every_task_on_texts_begins_with_a_classifier(
    folder: Path, monkeypatch: pytest.MonkeyPatch, task: str, data: str, settings: dict[str, Any]
) -> None:
    (folder / "tags.conll").write_text("good\tADJ\nfilm\tNOUN\n\nbad\tADJ\nplot\tNOUN\n\n" * 10, encoding="utf-8")
    given = folder / "given"
    if not given.exists():
        recurra.train("classify", folder / "films.csv", given, hidden=5, cell="gru", **QUICK)
    no_step(monkeypatch)
    run = recurra.train(task, folder / data, folder / f"from {task}", from_run=given, **QUICK, **settings)
    network: Any = run.network
    stack = network.stack if task == "lm" else network.body.stack
    source: Any = recurra.load(given).network
    assert stack.layers[0].weight_hh.tolist() == source.body.stack.layers[0].weight_hh.tolist()
    assert run.configuration.settings.model.cell == "gru"  # type: ignore[attr-defined]


def test_language_models_hand_on_their_output_too(folder: Path, words: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    no_step(monkeypatch)
    run = recurra.train("lm", folder / "plots.txt", folder / "again", from_run=words.path, seed=5, **QUICK)
    for name, weight in words.network.state_dict().items():
        assert run.network.state_dict()[name].tolist() == weight.tolist(), name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 7}, "hidden: the run to begin with (.*) has 6, got 7; leave hidden out, or set 6"),
        ({"cell": "gru"}, "cell: .* has lstm, got gru"),
        ({"unit": "char"}, "unit: .* has word, got char"),
        ({"embedding": 9}, "embedding: .* has 6, got 9"),
    ],
)
def test_what_the_user_has_set_otherwise_is_refused(
    folder: Path, words: Run, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        recurra.train("classify", folder / "films.csv", tmp_path / "run", from_run=words.path, **QUICK, **settings)
    assert not (tmp_path / "run").exists()


def test_runs_that_can_give_nothing_are_refused(folder: Path, words: Run, tmp_path: Path) -> None:
    series = recurra.train("classify", folder / "waves.npz", tmp_path / "series", hidden=4, **QUICK)
    with pytest.raises(UsageError, match=r"from: .*series reads series"):
        recurra.train("classify", folder / "films.csv", tmp_path / "run", from_run=series.path, **QUICK)
    with pytest.raises(UsageError, match=r"from: .*words reads texts, and these data are series"):
        recurra.train("classify", folder / "waves.npz", tmp_path / "run", from_run=words.path, **QUICK)
    (folder / "sales.csv").write_text("\n".join(["t,x", *(f"{n},{n % 5}" for n in range(120))]) + "\n")
    sales = recurra.train("forecast", folder / "sales.csv", tmp_path / "sales", horizon=2, hidden=4, **QUICK)
    with pytest.raises(UsageError, match="is a run of forecast, of which nothing can be taken over"):
        recurra.train("classify", folder / "films.csv", tmp_path / "run", from_run=sales.path, **QUICK)
    characters = recurra.train("lm", folder / "plots.txt", tmp_path / "characters", hidden=4, **QUICK)
    with pytest.raises(UsageError, match="reads a text by char, and here it is read by word"):
        recurra.train("tag", folder / "tags.conll", tmp_path / "run", from_run=characters.path, **QUICK)
    with pytest.raises(RunError, match=r"from: .*there is no such folder"):
        recurra.train("classify", folder / "films.csv", tmp_path / "run", from_run=tmp_path / "none", **QUICK)
    (tmp_path / "begun" / "checkpoint").mkdir(parents=True)
    (tmp_path / "begun" / "config.toml").write_text('format = 2\ntask = "lm"\n')
    with pytest.raises(RunError, match=r"from: .*its training has not ended"):
        recurra.train("classify", folder / "films.csv", tmp_path / "run", from_run=tmp_path / "begun", **QUICK)
    assert not (tmp_path / "run").exists()
