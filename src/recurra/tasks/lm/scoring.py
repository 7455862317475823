"""Log-probabilities of given sequences, in batches of like length, with the state carried from window to window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from recurra.kernels import exact
from recurra.nn import map_state
from recurra.tasks.lm.network import LanguageNetwork

STEPS = 256  # of one window; only memory depends on it
LANES = 64
LOGITS = 2**24  # most logits held at once: 64 MiB in float32


@dataclass(frozen=True)
class Item:
    """A sequence to score: what is read and what is asked for, id arrays of the same length; the first `warmup` are not reported."""

    inputs: np.ndarray
    targets: np.ndarray
    warmup: int = 0


@dataclass(frozen=True)
class Scored:
    """Natural log-probability of every target (float64), and whether it was the likeliest."""

    log_probs: np.ndarray
    hits: np.ndarray


def text_items(ids: np.ndarray, context: int, *, lanes: int = 16, warmup: int = 512) -> list[Item]:
    """Cut one long text into lanes that can be read side by side.

    Each unit is asked for exactly once, by a lane that has read at least `warmup` units before it, or all there are.
    """
    lanes = max(1, min(lanes, len(ids) // max(1, 4 * warmup)))
    bounds = [len(ids) * lane // lanes for lane in range(lanes + 1)]
    whole = np.concatenate(([context], ids))
    items = []
    for first, last in pairwise(bounds):
        begin = max(0, first - warmup)
        items.append(Item(whole[begin:last], whole[begin + 1 : last + 1], first - begin))
    return items


def document_item(ids: np.ndarray, begin: int, end: int | None) -> Item:
    """Turn a document into what is read (begin, d₁ … dₙ) and what is asked for (d₁ … dₙ, end)."""
    targets = ids if end is None else np.concatenate((ids, [end]))
    return Item(np.concatenate(([begin], ids))[: len(targets)], targets)


@torch.inference_mode()
def score_items(network: LanguageNetwork, items: Sequence[Item]) -> list[Scored]:
    """Score sequences in float32, in exact mode where the engine is there; the results are in the order of the items."""
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    results: list[Scored | None] = [None] * len(items)
    order = sorted(range(len(items)), key=lambda index: -len(items[index].inputs))
    steps = max(1, min(STEPS, LOGITS // (network.size * min(LANES, max(1, len(items))))))
    for first in range(0, len(order), LANES):
        group = order[first : first + LANES]
        with exact(required=False):
            group_scored = _score_group(network, [items[i] for i in group], steps, device)
        for index, scored in zip(group, group_scored, strict=True):
            results[index] = scored
    network.train(training)
    return [result for result in results if result is not None]


def _score_group(network: LanguageNetwork, items: list[Item], steps: int, device: torch.device) -> list[Scored]:
    """Score items sorted by falling length side by side; one that has ended leaves the batch."""
    lengths = [len(item.inputs) for item in items]
    inputs = np.zeros((lengths[0], len(items)), dtype=np.int64)
    targets = np.zeros_like(inputs)
    for lane, item in enumerate(items):
        inputs[: lengths[lane], lane] = item.inputs
        targets[: lengths[lane], lane] = item.targets
    log_probs = np.zeros(inputs.shape, dtype=np.float64)
    hits = np.zeros(inputs.shape, dtype=bool)
    state = network.zero_state(len(items))
    for first in range(0, lengths[0], steps):
        alive = sum(length > first for length in lengths)
        state = map_state(lambda tensor, alive=alive: tensor[:alive], state)
        window = slice(first, first + steps)
        logits, state = network(torch.from_numpy(inputs[window, :alive]).to(device), state)
        wanted = torch.from_numpy(targets[window, :alive]).to(device)
        costs = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
        log_probs[window, :alive] = -costs.view_as(wanted).cpu().numpy()
        hits[window, :alive] = (logits.argmax(-1) == wanted).cpu().numpy()
    return [
        Scored(log_probs[item.warmup : length, lane], hits[item.warmup : length, lane])
        for lane, (item, length) in enumerate(zip(items, lengths, strict=True))
    ]
