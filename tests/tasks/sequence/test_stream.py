"""A classifier or tagger as a stream says after each element what the whole reading of that beginning says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine
from recurra.tasks.classify import Classifier, ClassifierConfig
from recurra.tasks.classify.stream import ClassStream
from recurra.tasks.sequence.task import SequenceTask
from recurra.tasks.tag import Tagger, TaggerConfig
from recurra.testing.case import TaskCase

MODEL = {"hidden": 6, "embedding": 5, "layers": 2, "bidirectional": False}
TEXTS = ("that was phenomenal , wasn't it ?", "这部电影很好看 café 🎬", "so so")


def ready(kind: type[SequenceTask], config: Any, folder: Path) -> tuple[SequenceTask, nn.Module]:
    """A task and a network of drawn weights, whose probabilities differ from step to step."""
    case = TaskCase(kind, lambda _: config, folder)
    task = case.ready()
    network = case.network(task, 3)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        for parameter in network.parameters():
            parameter.normal_(std=0.6)
        network.temperature.fill_(1.3)
    return task, network


def texts(folder: Path, model: dict[str, Any], **data: Any) -> tuple[Classifier, nn.Module]:
    path = folder / "films.csv"
    rows = [f'"{TEXTS[n % 3]} {n}",{"good" if n % 2 else "bad"}' for n in range(40)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    config = {"data": {"data": [str(path)], **data}, "model": {**MODEL, **model}}
    return ready(Classifier, ClassifierConfig.model_validate(config), folder)


def series(folder: Path, **data: Any) -> tuple[Classifier, nn.Module]:
    lines = ["@problemName s", "@classLabel true up down", "@data"]
    for n in range(20):
        first = ",".join("?" if t == 1 and n % 3 == 0 else str((t * (n + 3)) % 7) for t in range(6))
        lines.append(f"{first}:{','.join(str(t + n) for t in range(6))}:{'up' if n % 2 else 'down'}")
    (folder / "s.ts").write_text("\n".join(lines) + "\n")
    model = {"hidden": 6, "bidirectional": False, "pooling": "mean"}
    config = {"data": {"data": [str(folder / "s.ts")], **data}, "model": model}
    return ready(Classifier, ClassifierConfig.model_validate(config), folder)


def by_beginnings(task: SequenceTask, network: nn.Module, given: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is said when each beginning is read by itself, as it is for a network in both directions."""
    assert task.streams
    with monkeypatch.context() as patch:
        patch.setattr(type(task), "_against_streams", lambda _: "not here")
        return task.predict(network, [given], steps=True)[0]["steps"]


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("unit", ["word", "char", "byte", "bpe"])
def test_after_each_element_of_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str, unit: str) -> None:
    task, network = texts(tmp_path, {"pooling": pooling, "cell": "gru"}, unit=unit)
    for text in TEXTS:
        (said,) = task.predict(network, [text], steps=True)
        expected = by_beginnings(task, network, text, monkeypatch)
        assert [step["text"] for step in said["steps"]] == [step["text"] for step in expected]
        assert len(expected) > 1
        assert said["steps"][-1]["text"] == text
        exactly = engine() is not None and pooling != "attention"
        for step, wanted in zip(said["steps"], expected, strict=True):
            assert step["probabilities"] == (
                wanted["probabilities"] if exactly else pytest.approx(wanted["probabilities"], abs=2e-6)
            )
        last = said["steps"][-1]["probabilities"]
        assert last == (said["probabilities"] if exactly else pytest.approx(said["probabilities"], abs=2e-6))


@pytest.mark.parametrize(("frame", "hop"), [(1, 1), (3, 1), (3, 2), (2, 5), (4, 4)])
@pytest.mark.parametrize("differences", [True, False])
def test_after_each_step_of_a_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: int, hop: int, differences: bool
) -> None:
    task, network = series(tmp_path, frame=frame, hop=hop, differences=differences)
    given = np.random.default_rng(2).normal(3, 2, (17, 2)).astype(np.float32)
    given[4, 0] = np.nan
    said = task.predict(network, [given], steps=True)[0]["steps"]
    expected = by_beginnings(task, network, given, monkeypatch)
    assert [step["step"] for step in said] == list(range(1, 18))
    assert said[4]["value"] == [None, pytest.approx(given[4, 1], abs=1e-6)]
    for step, wanted in zip(said, expected, strict=True):
        assert step["probabilities"] == (
            wanted["probabilities"] if engine() else pytest.approx(wanted["probabilities"], abs=2e-6)
        )


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_a_tagger_after_each_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    rows = ["Anna\tB-PER\nno1\tI-PER\nlives\tO\nin\tO\nWien\tB-LOC\n", "Rome\tB-LOC\nlikes\tO\nBela\tB-PER\n"]
    (tmp_path / "n.conll").write_text("\n".join(rows * 20))
    data = {"data": [str(tmp_path / "n.conll")], "valid": [str(tmp_path / "n.conll")], "test_share": 0.0}
    model = {**MODEL, "characters": 3, "head": head}
    task, network = ready(Tagger, TaggerConfig.model_validate({"data": data, "model": model}), tmp_path)
    words = ["Anna", "no1", "likes", "Wien", "and", "陈", "Rome"]
    (said,) = task.predict(network, [words], steps=True)
    assert said["steps"] == by_beginnings(task, network, words, monkeypatch)
    stream = task.stream(network)
    given = stream.read(words[:4]) + [stream.step(word) for word in words[4:]]
    for so_far, step in zip(said["steps"], given, strict=True):
        assert step["tag"] == so_far["tags"][-1]
        assert step["probabilities"][step["tag"]] == pytest.approx(so_far["probabilities"][-1], abs=2e-6)
        assert sum(step["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_stream_is_read_forked_kept_and_set(tmp_path: Path) -> None:
    task, network = texts(tmp_path, {"pooling": "mean"})
    stream = task.stream(network)
    assert isinstance(stream, ClassStream)
    assert stream.prediction()["probabilities"] == task.predict(network, [""])[0]["probabilities"]
    stream.read("that was")
    kept, rival = stream.state, stream.fork()
    phenomenal = stream.step("phenomenal")
    (whole,) = task.predict(network, ["that was phenomenal"])
    assert phenomenal["probabilities"] == pytest.approx(whole["probabilities"], abs=2e-6)
    rival.step("it")
    assert rival.prediction() != phenomenal
    rival.state = kept
    assert rival.step("phenomenal") == phenomenal
    assert list(stream.read("", k=1)["probabilities"]) == [phenomenal["label"]]
    with pytest.raises(DataError, match="expected a text, or a list of words; got 3"):
        stream.step(3)


def test_a_stream_of_values_does_not_grow(tmp_path: Path) -> None:
    task, network = series(tmp_path, frame=3, hop=2)
    stream = task.stream(network, [[1, 2], [2, 3]])
    size = [part.numel() for layer in stream.state for part in layer]
    for t in range(50):
        said = stream.step([t % 5, None if t % 7 == 0 else 1.0])
    assert [part.numel() for layer in stream.state for part in layer] == size
    assert set(said["probabilities"]) == {"up", "down"}
    with pytest.raises(DataError, match=r"expected series of 2 channels .*, got 3"):
        stream.step([1, 2, 3])


def test_what_cannot_be_a_stream_says_why(tmp_path: Path) -> None:
    task, network = texts(tmp_path, {"bidirectional": True})
    with pytest.raises(UsageError, match=r"reads in both directions.*--no-bidirectional"):
        task.stream(network)
    assert len(task.predict(network, ["that was"], steps=True)[0]["steps"]) == 2
    task, network = series(tmp_path, scale="series")
    with pytest.raises(UsageError, match=r"scales a series by all of its values.*--scale data"):
        task.stream(network)


def test_one_reading_is_enough(tmp_path: Path) -> None:
    """Elements are read once each: a text of 400 words would otherwise be 80,200 of them."""
    task, network = texts(tmp_path, {"pooling": "max"})
    read = []
    network.body.encoder.register_forward_hook(lambda _module, given, _said: read.append(given[0].words.numel()))
    task.predict(network, ["so good " * 200], steps=True)
    assert sum(read) == 2 * 400
    stream, other = task.stream(network), task.stream(network)
    whole = stream.read("so good " * 200)  # some of it in one go
    for word in ["so", "good"] * 200:
        said = other.step(word)
    assert said == (whole if engine() else pytest.approx(whole))
    for one, same in zip(stream.state, other.state, strict=True):
        for tensor, twin in zip(one, same, strict=True):
            torch.testing.assert_close(tensor, twin, rtol=0, atol=0 if engine() else 1e-5)
