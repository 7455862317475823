"""The embedder's network: what it is trained by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import recurra
from recurra.tasks.embed import network as of_network

TEXTS = ["the cat sat", "the dog ran far away", "a bird", "the cat ran over the mat and out of the house again"] * 6


@pytest.mark.parametrize("objective", ["autoencoder", "next_step"])
def test_errors_of_some_steps_at_a_time_are_those_of_all(
    objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    settings: dict[str, Any] = {"objective": objective, "hidden": 8, "epochs": 1, "quiet": True, "precision": "float32"}
    run = recurra.train("embed", tmp_path / "texts.txt", tmp_path / "run", **settings)
    task: Any = run.task
    network: Any = run.predictor.network.eval()
    batch = task.batch(task.dataset.train, torch.arange(12).numpy())

    def measured() -> tuple[Any, ...]:
        network.requires_grad_(True).zero_grad()
        errors, counts = network.errors(batch.inputs, batch.lengths, batch.targets)
        errors.sum().backward()
        gradients = {name: weight.grad for name, weight in network.named_parameters()}
        assert gradients["output.weight"].any()
        return errors.detach(), counts, *(one.clone() for one in gradients.values() if one is not None)

    whole = measured()
    monkeypatch.setattr(of_network, "MAX_OUTPUTS", 2 * 12 * network.targets.size)
    for one, other in zip(measured(), whole, strict=True):
        torch.testing.assert_close(one, other)
