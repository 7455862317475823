"""Pictures written pixel by pixel, and how likely given ones are."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import row_generators
from recurra.kernels import exact
from recurra.nn import State
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.pixels.network import PixelNetwork

PICTURES_PER_BATCH = 256


def score(network: PixelNetwork, levels: np.ndarray, *, in_exact_mode: bool = True) -> np.ndarray:
    """Give log p of each pixel, nats, float64 (N, H, W), of pictures (N, H, W); each depends on no other one, where the engine is there."""
    found = np.zeros(levels.shape)
    with eval_mode(network) as device, exact(required=False) if in_exact_mode else nullcontext():
        for start in range(0, len(levels), PICTURES_PER_BATCH):
            some = torch.from_numpy(levels[start : start + PICTURES_PER_BATCH].astype(np.int64)).to(device)
            found[start : start + PICTURES_PER_BATCH] = network.log_probs(some).cpu().numpy()
    return found


def complete(
    network: PixelNetwork, known: np.ndarray, height: int, *, temperature: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Complete pictures from their upper rows, levels (N, R, W), to `height` rows: uint8 (N, height, W).

    temperature: 0 takes the likeliest level of each pixel in turn.  A picture is fixed by its rows, the seed and its number.
    """
    made = np.zeros((len(known), height, network.width), np.uint8)
    made[:, : known.shape[1]] = known
    rows = known.shape[1]
    chances = _chances(len(known), (height - rows, network.width), seed)
    with eval_mode(network) as device, exact(required=False):
        for start in range(0, len(known), PICTURES_PER_BATCH):
            some = slice(start, start + PICTURES_PER_BATCH)
            levels = torch.from_numpy(made[some].astype(np.int64)).to(device)
            _complete_rows(network, levels, rows, chances[some].to(device), temperature)
            made[some] = levels.cpu().numpy()
    return made


def _chances(count: int, size: tuple[int, int], seed: int) -> Tensor:
    """Give the numbers from 0 to 1 by which the pixels of so many rows and columns are drawn, (N, rows, columns), float64."""
    generators = row_generators(seed, count)
    return torch.stack([torch.rand(size, generator=each, dtype=torch.float64) for each in generators])


def _complete_rows(network: PixelNetwork, levels: Tensor, known: int, chances: Tensor, temperature: float) -> None:
    """Fill in the rows of pictures (B, H, W) from row `known` on; chances: (B, H − known, W)."""
    state = network.zero_state(len(levels))
    row = torch.zeros(levels.shape[0], network.width, device=levels.device)
    for number in range(levels.shape[1]):
        read, state = _read_row(network, row, state)
        if number >= known:
            _draw_row(network, levels[:, number], read, chances[:, number - known], temperature)
        row = network.values(levels[:, number])


def _read_row(network: PixelNetwork, row: Tensor, state: State) -> tuple[list[Tensor], State]:
    context, state = network.context(row.unsqueeze(0), state)
    return network.head.read(context[0]), state


def _draw_row(network: PixelNetwork, levels: Tensor, read: list[Tensor], chances: Tensor, temperature: float) -> None:
    """Fill in one row (B, W), pixel by pixel: each is read by those right of it."""
    row = network.values(torch.zeros_like(levels))
    for place in range(network.width):
        logits = network.head.logits(row, read)[:, place].double()
        levels[:, place] = choose(logits, chances[:, place], temperature)
        row[:, place] = network.values(levels[:, place])


def choose(logits: Tensor, chances: Tensor, temperature: float) -> Tensor:
    """Choose a level by logits (B, K) float64 and numbers from 0 to 1 (B): the first whose share, with those before it, is above.

    >>> choose(torch.tensor([[0.0, 0.0], [0.0, 0.0]]).double(), torch.tensor([0.4, 0.6]).double(), 1.0).tolist()
    [0, 1]
    """
    if not temperature:
        return logits.argmax(-1)
    shares = (logits / temperature).softmax(-1).cumsum(-1)
    return (shares[:, :-1] <= chances.unsqueeze(1)).sum(-1)


def known_rows(pictures: np.ndarray, rows: int | None) -> np.ndarray:
    """Give the rows that are kept of pictures (N, H, W): by default the upper half."""
    return pictures[:, : pictures.shape[1] // 2 if rows is None else rows]
