from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.errors import RunError
from recurra.tasks.classify.calibrate import fit_shares

SETTINGS = {"hidden": 8, "embedding": 8, "epochs": 2, "batch": 8, "lr": 0.01, "quiet": True}
RNG = np.random.default_rng(0)


def topics(path: Path, count: int = 120) -> Path:
    """Texts whose class is the only frequent word that they do not share, among words of no meaning."""
    lines = ["text,label"]
    for number in range(count):
        words = [f"w{RNG.integers(40)}" for _ in range(12)]
        words[int(RNG.integers(12))] = ("goal", "vote", "stock")[number % 3]
        lines.append(f"{' '.join(words)},{('sport', 'politics', 'economy')[number % 3]}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> recurra.Run:
    folder = tmp_path_factory.mktemp("linear")
    shares = {"valid_share": 0.2, "test_share": 0.2}
    return recurra.train(
        "classify", topics(folder / "t.csv"), folder / "run", bidirectional=False, **shares, **SETTINGS
    )


def test_a_network_that_learns_nothing_leaves_what_the_linear_classifier_reaches(run):
    parts = run.evaluation["details"]["parts"]
    assert parts["metrics"]["accuracy"] > 0.9 > 0.5 > run.evaluation["baselines"]["majority"]["accuracy"]
    assert run.evaluation["metrics"]["accuracy"] >= parts["metrics"]["accuracy"] - 0.01
    assert any(note.startswith("n-grams alone: accuracy") for note in run.evaluation["details"]["notes"])


def test_without_it_so_few_passes_are_not_enough(run, tmp_path):
    data = run.configuration.settings.data.data[0]
    alone = recurra.train("classify", data, tmp_path / "run", linear="none", test_share=0.2, **SETTINGS)
    assert alone.evaluation["metrics"]["accuracy"] < 0.8
    assert "parts" not in alone.evaluation["details"]
    assert not (tmp_path / "run" / "linear.safetensors").exists()


def test_predictions_are_the_sum_of_both_logits(run):
    text = "w1 w2 goal w3"
    predictor = run.predictor
    network, linear = predictor.shares
    own = predictor.network_logits([predictor.inputs.encode(text)])[0]
    other = predictor.preprocessor.linear.logits([text])[0]
    logits = network * own + linear * other
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    (result,) = run.predict([text])
    assert [result["probabilities"][name] for name in predictor.classes] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_stream_and_the_steps_give_what_the_whole_does(run):
    text = "w1 w2 goal w3 vote, vote"
    (whole,) = run.predict([text], steps=True)
    stream = run.stream()
    assert stream.read(text)["probabilities"] == whole["probabilities"] == whole["steps"][-1]["probabilities"]
    for step in whole["steps"]:
        (alone,) = run.predict([step["text"]])
        assert alone["probabilities"] == pytest.approx(step["probabilities"], abs=2e-6)


def test_a_word_is_the_same_word_however_its_accents_are_written(tmp_path):
    lines = ["text,label"] + [f"{'café' if n % 2 else 'thé'} w{n % 9},{'ab'[n % 2]}" for n in range(60)]
    (tmp_path / "fr.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = recurra.train("classify", tmp_path / "fr.csv", tmp_path / "run", bidirectional=False, **SETTINGS)
    written = [["w1", "café"], ["w1", "cafe\u0301"]]
    composed, apart = (run.predict([words], steps=True)[0] for words in written)
    assert composed["probabilities"] == apart["probabilities"] == apart["steps"][-1]["probabilities"]
    streams = [run.stream() for _ in written]
    ends = [[stream.step(word) for word in words][-1] for stream, words in zip(streams, written, strict=True)]
    assert ends[0] == ends[1]


def test_a_fork_and_a_state_that_is_set_again_go_on_from_where_they_were(run):
    stream = run.stream("w1 goal")
    kept, twin = stream.state, stream.fork()
    expected = stream.step("vote")
    stream.step("vote")
    assert twin.step("vote") == expected
    stream.state = kept
    assert stream.step("vote") == expected


def test_a_damaged_linear_classifier_is_an_error(run, tmp_path):
    import shutil

    folder = shutil.copytree(run.path, tmp_path / "run")
    path = folder / "linear.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RunError, match=r"linear\.safetensors"):
        recurra.load(folder)
    from recurra.runs.manifest import write_manifest

    names = json.loads((folder / "manifest.json").read_text())["files"]
    write_manifest(folder, list(names))
    with pytest.raises(RunError, match=r"linear\.safetensors: is damaged"):
        recurra.load(folder)


def test_the_network_counts_only_where_it_makes_the_targets_likelier_by_more_than_chance():
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 200)
    linear = np.eye(3)[targets] + rng.normal(size=(200, 3))
    noise = rng.normal(size=(200, 3))
    network, other = fit_shares(noise, linear, targets)
    assert network == 0 < other
    assert fit_shares(3 * np.eye(3)[(targets + 1) % 3], linear, targets)[0] == 0.0
    helps = np.eye(3)[targets] + rng.normal(size=(200, 3))
    network, other = fit_shares(helps, linear, targets)
    assert network > 0.2 * other > 0
    marks = np.eye(3)[targets]
    assert fit_shares(helps, linear, marks)[0] > 0 == fit_shares(3 * np.eye(3)[(targets + 1) % 3], linear, marks)[0]


def test_several_labels_and_balanced_classes(tmp_path):
    lines = ["text,label"]
    for number in range(150):
        labels = [name for name, chosen in (("a", number % 2), ("b", number % 3 == 0)) if chosen]
        lines.append(f"{' '.join(f'is{label}' for label in labels)} w{number % 7},{' '.join(labels)}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    run = recurra.train("classify", tmp_path / "labels.csv", tmp_path / "run", multi_label=True, **SETTINGS)
    assert run.evaluation["details"]["parts"]["metrics"]["micro_f1"] > 0.9
    data = topics(tmp_path / "t.csv")
    balanced = recurra.train("classify", data, tmp_path / "balanced", class_weights="balanced", **SETTINGS)
    assert balanced.evaluation["details"]["parts"]["metrics"]["accuracy"] > 0.8


def test_chinese_is_read_by_characters(tmp_path):
    lines = ["text,label"]
    for number in range(120):
        filler = "".join(chr(0x4E00 + int(RNG.integers(200))) for _ in range(12))
        lines.append(f"{filler}{('很好', '太差')[number % 2]}{filler[::-1]},{('好', '坏')[number % 2]}")
    (tmp_path / "zh.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = recurra.train("classify", tmp_path / "zh.csv", tmp_path / "run", unit="char", test_share=0.2, **SETTINGS)
    assert run.evaluation["details"]["parts"]["metrics"]["accuracy"] > 0.9
    assert {family.unit for family in run.predictor.preprocessor.linear.families} == {"char"}
