"""Weights are held against the network that is to have them, before it has any memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from recurra.errors import RunError
from recurra.tasks.base.weights import load_network


def test_a_network_is_built_without_numbers_before_it_is_built(tmp_path: Path) -> None:
    """There is no memory for what the file does not hold, and torch's generator is left alone."""
    layer = torch.nn.Linear(3, 2)
    save_file(layer.state_dict(), tmp_path / "w.safetensors")
    before = torch.get_rng_state()
    loaded = load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(3, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(loaded.weight, layer.weight) and loaded.weight.requires_grad and not loaded.training
    with pytest.raises(RunError, match="size mismatch"):
        load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(10**6, 10**6))
    with pytest.raises(RunError, match="does not fit the configuration"):
        load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(2**62, 2**62))


def test_what_stands_in_two_places_stays_one(tmp_path: Path) -> None:
    def tied() -> torch.nn.Module:
        made = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])
        made[1].weight = made[0].weight
        return made

    network = tied()
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, tmp_path / "w.safetensors")
    loaded = load_network(tmp_path / "w.safetensors", tied)
    assert loaded[0].weight is loaded[1].weight  # type: ignore[index]


def test_a_buffer_that_is_not_saved_is_computed(tmp_path: Path) -> None:
    class Positions(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.register_buffer("places", torch.arange(5), persistent=False)

    save_file(Positions().state_dict(), tmp_path / "w.safetensors")
    assert load_network(tmp_path / "w.safetensors", Positions).get_buffer("places").tolist() == [0, 1, 2, 3, 4]
