"""Convolutions that have learnt to find words are what a captioner begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tests.tasks.caption.pictures import write_pictures

import recurra
from recurra.tasks.caption import CaptionConfig, CaptionTask
from recurra.tasks.caption.defaults import MIN_PICTURES_TO_PRETRAIN
from recurra.tasks.caption.pretraining import choose_words
from recurra.text import build_vocabulary

SMALL: dict[str, Any] = {"hidden": 8, "embedding": 8, "channels": 2, "side": 32, "batch": 32}


def test_words_that_say_most_are_said_of_some_and_not_of_others() -> None:
    texts = ["a red dog", "a red cat", "a blue cat", "a blue cat runs"]
    vocabulary = build_vocabulary(texts, unit="word", min_count=1, split="space")
    chosen = choose_words([[vocabulary.encode(text)] for text in texts], vocabulary, 3)
    assert [vocabulary.label(id) for id in chosen[:2].tolist()] == ["red", "blue"] or len(chosen) == 3
    words = {vocabulary.label(id) for id in chosen.tolist()}
    assert {"red", "blue"} <= words and "a" not in words


def test_the_first_training_gives_the_second_its_convolutions(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, MIN_PICTURES_TO_PRETRAIN + 20)
    settings = {**SMALL, "content_words": 6, "pretraining_epochs": 2, "valid_share": 0.05, "test_share": 0.02}
    training = {"epochs": 1, "threads": 1, "precision": "float32", "quiet": True}
    run = recurra.train("caption", table, tmp_path / "run", **settings, **training)
    first = load_file(tmp_path / "run" / "pretraining" / "model.safetensors")
    assert run.configuration.settings.model.pretraining_epochs == 2
    network = run.task.build_network()
    run.task.prepare(run.path)
    run.task.take_pretrained(first, 2.0)
    run.task.initialize(network)
    own = network.state_dict()
    shared = [name for name in first if name.startswith("pictures.")]
    assert len(shared) > 20 and all(torch.equal(own[name], first[name]) for name in shared)
    assert any("running_mean" in name for name in shared)
    depths = run.task.layer_depths(network)
    assert {name.startswith("pictures.") for name, depth in depths.items() if depth} == {True}
    again = recurra.train("caption", table, tmp_path / "again", **settings, **training)
    assert all(
        torch.equal(one, other) for one, other in zip(run.network.parameters(), again.network.parameters(), strict=True)
    )


def test_a_few_pictures_are_not_looked_at_first(tmp_path: Path) -> None:
    data = {"data": [str(write_pictures(tmp_path, 20))], "side": 32}
    task = CaptionTask(CaptionConfig.model_validate({"data": data, "model": {"hidden": 8, "channels": 2}}))
    task.prepare()
    assert task.pretraining() is None and task.layer_depths(torch.nn.Module()) == {}
    assert np.isfinite(task.choose_defaults(None, lambda: 0.0))


def test_without_a_word_that_tells_pictures_apart_there_is_no_first_training(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, MIN_PICTURES_TO_PRETRAIN + 40)
    lines = [f"{number}.png,the same words" for number in range(MIN_PICTURES_TO_PRETRAIN + 40)]
    table.write_text("\n".join(["image,caption", *lines]) + "\n")
    config = {"data": {"data": [str(table)], "side": 32}, "model": {"hidden": 8, "channels": 2}}
    task = CaptionTask(CaptionConfig.model_validate(config))
    task.prepare()
    assert len(task.dataset.train) >= MIN_PICTURES_TO_PRETRAIN
    assert task.pretraining() is None and task.layer_depths(torch.nn.Module()) == {}
