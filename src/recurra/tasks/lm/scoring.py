"""Log-probabilities of given sequences, in batches of like length, with the state carried from window to window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from recurra.baselines import NgramTable
from recurra.kernels import exact
from recurra.nn import map_state
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.lm.data import Split
from recurra.tasks.lm.mixture import Mixture, context_classes, mixture_of
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor, token_label

STEPS_PER_WINDOW = 256
"""Only memory depends on it."""
LANES_PER_BATCH = 64
MAX_UNITS_IN_FEW_LANES = 2**20
"""A longer text is cut into more lanes: many at a time are several times as fast, and show how far it is."""
UNITS_PER_LANE = 2**14
"""Of such a text, beside which those read to warm up are few."""
MAX_LOGITS_SCORING = 2**24
"""Most logits held at once: 64 MiB in float32."""


@dataclass(frozen=True)
class Item:
    """A sequence to score: what is read and what is to be predicted, ids of the same length; the first `warmup` are not reported."""

    inputs: np.ndarray
    targets: np.ndarray
    warmup: int = 0


@dataclass(frozen=True)
class Scored:
    """Natural log-probability of every target (float64), and whether it was the likeliest.

    network, ngrams, shares: the log-probabilities by either alone, and what the network counts, where both are mixed.
    """

    log_probs: np.ndarray
    top1: np.ndarray
    network: np.ndarray | None = None
    ngrams: np.ndarray | None = None
    shares: np.ndarray | None = None


def text_items(ids: np.ndarray, bos_id: int, *, lanes: int = 16, warmup: int = 512) -> list[Item]:
    """Cut one long text into lanes that can be read side by side.

    Each unit is predicted exactly once, by a lane that has read at least `warmup` units before it, or all there are.
    """
    lanes = max(1, min(lanes, len(ids) // max(1, 4 * warmup)))
    bounds = [len(ids) * lane // lanes for lane in range(lanes + 1)]
    whole = np.concatenate(([bos_id], ids))
    items = []
    for first, last in pairwise(bounds):
        start = max(0, first - warmup)
        items.append(Item(whole[start:last], whole[start + 1 : last + 1], first - start))
    return items


def split_items(split: Split, preprocessor: TextPreprocessor) -> list[Item]:
    """Turn a split into what is scored: a text into lanes, each document into one."""
    if not split.continuous:
        return [document_item(ids, preprocessor.bos_id, preprocessor.eos_id) for ids in split.sequences]
    ids = split.sequences[0]
    lanes = {"lanes": len(ids) // UNITS_PER_LANE} if len(ids) > MAX_UNITS_IN_FEW_LANES else {}
    return text_items(ids, preprocessor.bos_id, **lanes)


def document_item(ids: np.ndarray, bos_id: int, eos_id: int | None) -> Item:
    """Turn a document into what is read (begin, d₁ … dₙ) and what is to be predicted (d₁ … dₙ, end)."""
    targets = ids if eos_id is None else np.concatenate((ids, [eos_id]))
    return Item(np.concatenate(([bos_id], ids))[: len(targets)], targets)


def score_texts(network: LanguageNetwork, preprocessor: TextPreprocessor, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Give the probability of each text, and of each unit of it given those before; natural logarithms."""
    encoded = [preprocessor.vocabulary.encode(text) for text in texts]
    items = [document_item(ids, preprocessor.bos_id, preprocessor.eos_id) for ids in encoded]
    scored = score_items(network, items, mixture_of(network, preprocessor))
    return [
        _to_result(preprocessor, text, ids, result.log_probs)
        for text, ids, result in zip(texts, encoded, scored, strict=True)
    ]


def _to_result(preprocessor: TextPreprocessor, text: str, ids: np.ndarray, log_probs: np.ndarray) -> dict[str, Any]:
    vocabulary, eos_id = preprocessor.vocabulary, preprocessor.eos_id
    starts = np.flatnonzero(vocabulary.unit_starts(ids)).tolist()
    units: list[list[Any]] = []
    for first, last in pairwise([*starts, len(ids)]):
        shown = vocabulary.decode(ids[first:last])
        if not shown or "\ufffd" in shown:  # a part of a character: its bytes by their numbers
            shown = "".join(token_label(vocabulary, int(id)) for id in ids[first:last])
        units.append([shown, float(log_probs[first:last].sum())])
    if eos_id is not None:
        units.append([token_label(vocabulary, eos_id), float(log_probs[-1])])
    total = float(log_probs.sum())
    return {"text": text, "log_prob": total, "log_prob_per_unit": total / max(1, len(units)), "units": units}


def score_items(network: LanguageNetwork, items: Sequence[Item], mixture: Mixture | None = None) -> list[Scored]:
    """Score sequences in float32, in exact mode where the engine is there; the results are in the order of the items."""
    if mixture is not None:
        return [
            _mixed(mixture, item, found) for item, found in zip(items, _score(network, items, mixture), strict=True)
        ]
    return _score(network, items, None)


def context_places(table: NgramTable, item: Item) -> np.ndarray:
    """Give the places of the context of each target of an item that is reported, (T, n − 1)."""
    return table.places(item.inputs)[item.warmup :]


def _mixed(mixture: Mixture, item: Item, scored: Scored) -> Scored:
    """Give the scores of the mixture, by those of the network; `top1` is that of the mixture already."""
    places, targets = context_places(mixture.table, item), item.targets[item.warmup :]
    ngrams = mixture.table.probs_after(places, targets)
    shares = mixture.shares[context_classes(mixture.table, places)]
    log_probs = np.log(shares * np.exp(scored.log_probs) + (1 - shares) * ngrams)
    with np.errstate(divide="ignore"):  # the mark at the beginning has no probability
        return Scored(log_probs, scored.top1, scored.log_probs, np.log(ngrams), shares)


def _score(network: LanguageNetwork, items: Sequence[Item], mixture: Mixture | None) -> list[Scored]:
    """Score sequences by the network alone, but for `top1`."""
    results: list[Scored | None] = [None] * len(items)
    order = sorted(range(len(items)), key=lambda index: -len(items[index].inputs))
    lanes = min(LANES_PER_BATCH, max(1, len(items)))
    steps = max(1, min(STEPS_PER_WINDOW, MAX_LOGITS_SCORING // (network.size * lanes)))
    with eval_mode(network) as device:
        for first in range(0, len(order), LANES_PER_BATCH):
            group = order[first : first + LANES_PER_BATCH]
            with exact(required=False):
                group_scored = _score_group(network, [items[i] for i in group], steps, device, mixture)
            for index, scored in zip(group, group_scored, strict=True):
                results[index] = scored
    return [result for result in results if result is not None]


def _score_group(
    network: LanguageNetwork, items: list[Item], steps: int, device: torch.device, mixture: Mixture | None
) -> list[Scored]:
    """Score items sorted by falling length side by side; one that has ended leaves the batch."""
    lengths = [len(item.inputs) for item in items]
    inputs = np.zeros((lengths[0], len(items)), dtype=np.int64)
    targets = np.zeros_like(inputs)
    for lane, item in enumerate(items):
        inputs[: lengths[lane], lane] = item.inputs
        targets[: lengths[lane], lane] = item.targets
    log_probs = np.zeros(inputs.shape, dtype=np.float64)
    top1 = np.zeros(inputs.shape, dtype=bool)
    places = None if mixture is None else _places_side_by_side(mixture.table, items)
    state = network.zero_state(len(items))
    for first in range(0, lengths[0], steps):
        alive = sum(length > first for length in lengths)
        state = map_state(lambda tensor, alive=alive: tensor[:alive], state)
        window = slice(first, first + steps)
        logits, state = network(torch.from_numpy(inputs[window, :alive]).to(device), state)
        wanted = torch.from_numpy(targets[window, :alive]).to(device)
        costs = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
        log_probs[window, :alive] = -costs.view_as(wanted).cpu().numpy()
        if mixture is None or places is None:
            top1[window, :alive] = (logits.argmax(-1) == wanted).cpu().numpy()
        else:
            read = places[window, :alive]
            for step, given in enumerate(logits):  # of all steps at once it would take much memory
                guesses = mixture.probs(given, read[step]).argmax(-1)
                top1[first + step, :alive] = (guesses == wanted[step]).cpu().numpy()
    return [
        Scored(log_probs[item.warmup : length, lane], top1[item.warmup : length, lane])
        for lane, (item, length) in enumerate(zip(items, lengths, strict=True))
    ]


def _places_side_by_side(table: NgramTable, items: list[Item]) -> np.ndarray:
    """Give the places after each id that is read of items sorted by falling length, (T, B, n − 1); beyond its end an item knows nothing."""
    places = np.full((len(items[0].inputs), len(items), len(table.longer)), -1, np.int64)
    for lane, item in enumerate(items):
        places[: len(item.inputs), lane] = table.places(item.inputs)
    return places
