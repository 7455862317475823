"""A classifier or tagger as a stream predicts after each element what the whole reading of that prefix predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine
from recurra.tasks.classify import ClassificationTask, ClassifierConfig
from recurra.tasks.classify.stream import ClassStream
from recurra.tasks.sequence.predictor import SequencePredictor
from recurra.tasks.sequence.task import SequenceTask
from recurra.tasks.tag import TaggerConfig, TaggingTask
from recurra.testing.case import TaskCase

MODEL = {"hidden": 6, "embedding": 5, "layers": 2, "bidirectional": False}
TEXTS = ("that was phenomenal , wasn't it ?", "这部电影很好看 café 🎬", "so so")


def ready(kind: type[SequenceTask], config: Any, folder: Path) -> SequencePredictor:
    """A predictor of drawn weights, whose probabilities differ from step to step."""
    case = TaskCase(kind, lambda _: config, folder)
    task = case.ready()
    network = case.network(task, 3)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        for parameter in network.parameters():
            parameter.normal_(std=0.6)
        network.temperature.fill_(1.3)
    return task.predictor(network)


def texts(folder: Path, model: dict[str, Any], **data: Any) -> SequencePredictor:
    path = folder / "films.csv"
    rows = [f'"{TEXTS[n % 3]} {n}",{"good" if n % 2 else "bad"}' for n in range(40)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    config = {"data": {"data": [str(path)], **data}, "model": {**MODEL, **model}}
    return ready(ClassificationTask, ClassifierConfig.model_validate(config), folder)


def series(folder: Path, **data: Any) -> SequencePredictor:
    lines = ["@problemName s", "@classLabel true up down", "@data"]
    for n in range(20):
        first = ",".join("?" if t == 1 and n % 3 == 0 else str((t * (n + 3)) % 7) for t in range(6))
        lines.append(f"{first}:{','.join(str(t + n) for t in range(6))}:{'up' if n % 2 else 'down'}")
    (folder / "s.ts").write_text("\n".join(lines) + "\n")
    model = {"hidden": 6, "bidirectional": False, "pooling": "mean"}
    config = {"data": {"data": [str(folder / "s.ts")], **data}, "model": model}
    return ready(ClassificationTask, ClassifierConfig.model_validate(config), folder)


def by_prefixes(predictor: SequencePredictor, given: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is predicted when each prefix is read by itself, as it is for a network in both directions."""
    assert predictor.can_stream
    with monkeypatch.context() as patch:
        patch.setattr(type(predictor), "why_not_streamable", lambda _: "not here")
        return predictor.predict([given], steps=True)[0]["steps"]


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("unit", ["word", "char", "byte", "bpe"])
def test_after_each_element_of_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str, unit: str) -> None:
    predictor = texts(tmp_path, {"pooling": pooling, "cell": "gru"}, unit=unit)
    for text in TEXTS:
        (result,) = predictor.predict([text], steps=True)
        expected = by_prefixes(predictor, text, monkeypatch)
        assert [step["text"] for step in result["steps"]] == [step["text"] for step in expected]
        assert len(expected) > 1
        assert result["steps"][-1]["text"] == text
        exact = engine() is not None and pooling != "attention"
        for step, wanted in zip(result["steps"], expected, strict=True):
            assert step["probabilities"] == (
                wanted["probabilities"] if exact else pytest.approx(wanted["probabilities"], abs=2e-6)
            )
        last = result["steps"][-1]["probabilities"]
        assert last == (result["probabilities"] if exact else pytest.approx(result["probabilities"], abs=2e-6))


@pytest.mark.parametrize(("frame", "hop"), [(1, 1), (3, 1), (3, 2), (2, 5), (4, 4)])
@pytest.mark.parametrize("differences", [True, False])
def test_after_each_step_of_a_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: int, hop: int, differences: bool
) -> None:
    predictor = series(tmp_path, frame=frame, hop=hop, differences=differences)
    given = np.random.default_rng(2).normal(3, 2, (17, 2)).astype(np.float32)
    given[4, 0] = np.nan
    steps = predictor.predict([given], steps=True)[0]["steps"]
    expected = by_prefixes(predictor, given, monkeypatch)
    assert [step["step"] for step in steps] == list(range(1, 18))
    assert steps[4]["value"] == [None, pytest.approx(given[4, 1], abs=1e-6)]
    for step, wanted in zip(steps, expected, strict=True):
        assert step["probabilities"] == (
            wanted["probabilities"] if engine() else pytest.approx(wanted["probabilities"], abs=2e-6)
        )


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_a_tagger_after_each_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    rows = ["Anna\tB-PER\nno1\tI-PER\nlives\tO\nin\tO\nWien\tB-LOC\n", "Rome\tB-LOC\nlikes\tO\nBela\tB-PER\n"]
    (tmp_path / "n.conll").write_text("\n".join(rows * 20))
    data = {"data": [str(tmp_path / "n.conll")], "valid": [str(tmp_path / "n.conll")], "test_share": 0.0}
    model = {**MODEL, "characters": 3, "head": head}
    predictor = ready(TaggingTask, TaggerConfig.model_validate({"data": data, "model": model}), tmp_path)
    words = ["Anna", "no1", "likes", "Wien", "and", "陈", "Rome"]
    (result,) = predictor.predict([words], steps=True)
    assert result["steps"] == by_prefixes(predictor, words, monkeypatch)
    stream = predictor.stream()
    given = stream.read(words[:4]) + [stream.step(word) for word in words[4:]]
    for so_far, step in zip(result["steps"], given, strict=True):
        assert step["tag"] == so_far["tags"][-1]
        assert step["probabilities"][step["tag"]] == pytest.approx(so_far["probabilities"][-1], abs=2e-6)
        assert sum(step["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_stream_is_read_forked_kept_and_set(tmp_path: Path) -> None:
    predictor = texts(tmp_path, {"pooling": "mean"})
    stream = predictor.stream()
    assert isinstance(stream, ClassStream)
    assert stream.prediction()["probabilities"] == predictor.predict([""])[0]["probabilities"]
    stream.read("that was")
    kept, rival = stream.state, stream.fork()
    phenomenal = stream.step("phenomenal")
    (whole,) = predictor.predict(["that was phenomenal"])
    assert phenomenal["probabilities"] == pytest.approx(whole["probabilities"], abs=2e-6)
    rival.step("it")
    assert rival.prediction() != phenomenal
    rival.state = kept
    assert rival.step("phenomenal") == phenomenal
    assert list(stream.read("", k=1)["probabilities"]) == [phenomenal["label"]]
    with pytest.raises(DataError, match="expected a text, or a list of words; got 3"):
        stream.step(3)


def test_a_stream_of_values_does_not_grow(tmp_path: Path) -> None:
    predictor = series(tmp_path, frame=3, hop=2)
    stream = predictor.stream([[1, 2], [2, 3]])
    size = [part.numel() for layer in stream.state for part in layer]
    for t in range(50):
        result = stream.step([t % 5, None if t % 7 == 0 else 1.0])
    assert [part.numel() for layer in stream.state for part in layer] == size
    assert set(result["probabilities"]) == {"up", "down"}
    with pytest.raises(DataError, match=r"expected series of 2 channels .*, got 3"):
        stream.step([1, 2, 3])


def test_what_cannot_be_a_stream_says_why(tmp_path: Path) -> None:
    predictor = texts(tmp_path, {"bidirectional": True})
    with pytest.raises(UsageError, match=r"reads in both directions.*--no-bidirectional"):
        predictor.stream()
    assert len(predictor.predict(["that was"], steps=True)[0]["steps"]) == 2
    predictor = series(tmp_path, scale="series")
    with pytest.raises(UsageError, match=r"scales a series by all of its values.*--scale data"):
        predictor.stream()


def test_one_reading_is_enough(tmp_path: Path) -> None:
    """Elements are read once each: a text of 400 words would otherwise be 80,200 of them."""
    predictor = texts(tmp_path, {"pooling": "max"})
    read = []
    encoder = predictor.network.body.encoder
    encoder.register_forward_hook(lambda _module, given, _output: read.append(given[0].words.numel()))
    predictor.predict(["so good " * 200], steps=True)
    assert sum(read) == 2 * 400
    stream, other = predictor.stream(), predictor.stream()
    whole = stream.read("so good " * 200)  # some of it in one go
    for word in ["so", "good"] * 200:
        step = other.step(word)
    assert step == (whole if engine() else pytest.approx(whole))
    for one, same in zip(stream.state, other.state, strict=True):
        for tensor, twin in zip(one, same, strict=True):
            torch.testing.assert_close(tensor, twin, rtol=0, atol=0 if engine() else 1e-5)


@pytest.mark.parametrize("element", ["x", [1.0], np.zeros((9, 1)), np.array(["a"]), None])
def test_what_is_fed_is_the_values_of_one_step(tmp_path: Path, element: Any) -> None:
    np.savez(tmp_path / "waves.npz", x=np.random.default_rng(1).normal(size=(12, 5, 1)), y=[0, 1] * 6)
    settings = {"hidden": 4, "epochs": 1, "bidirectional": False, "test_share": 0, "quiet": True}
    stream = recurra.train("classify", str(tmp_path / "waves.npz"), tmp_path / "run", **settings).stream()
    with pytest.raises(DataError, match="expected an element as parse_element gives it"):
        stream.feed(element)


@pytest.mark.parametrize("unit", ["word", "char"])
def test_what_is_fed_of_a_text_is_an_element(tmp_path: Path, unit: str) -> None:
    rows = [f"{'good' if n % 2 else 'bad'} film {n},{n % 2}" for n in range(12)]
    (tmp_path / "r.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    settings = {"hidden": 4, "epochs": 1, "bidirectional": False, "test_share": 0, "quiet": True, "unit": unit}
    stream = recurra.train("classify", str(tmp_path / "r.csv"), tmp_path / "run", **settings).stream()
    for element in ({}, object, [1], np.ones(2), "good"):
        with pytest.raises(DataError, match="expected an element as parse_element gives it"):
            stream.feed(element)
    assert stream.feed(stream.parse_element("g" if unit == "char" else "good")).shape[0] == 1
