"""What a network foretold of stretches of series, and how far the values lay from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.tasks.base.inference import in_batches
from recurra.tasks.detect.batches import collate, foretellable
from recurra.tasks.detect.data import Stretch
from recurra.tasks.detect.network import DetectorNetwork


@dataclass(frozen=True)
class Told:
    """Of each step of a stretch, (T, C) in scaled units: what was foretold one step before, and −log p of the value by that.

    errors: how far the value is from all that was foretold of it (`joined`), NaN where there is none, or nothing came before.
    squares, counts: over the steps, the sum of the squared errors of each lead and how many they are, (A, C).
    """

    location: np.ndarray
    surprise: np.ndarray
    errors: np.ndarray
    squares: np.ndarray
    counts: np.ndarray


def told(network: nn.Module, stretches: Sequence[Stretch], *, exactly: bool = True) -> list[Told]:
    """Foretell each step of stretches from those before it, all read in one go; exactly: as a stream gives it, bit for bit."""
    detector = cast(DetectorNetwork, network)
    unit = cast(Tensor, detector.unit).cpu().numpy()

    pieces = [_pieces(one) for one in stretches]
    every = [(one, *piece) for one, some in zip(stretches, pieces, strict=True) for piece in some]

    def ask(indices: np.ndarray, device: torch.device) -> list[tuple[np.ndarray, ...]]:
        chosen = [every[index] for index in indices]
        batch = collate([(one.encoded, first, last) for one, first, last in chosen], detector.ahead)
        state = detector.zero_state(len(chosen))
        foretold, _ = detector(batch.features.to(device), batch.before.to(device), state, batch.lengths)
        surprise = detector.surprise(foretold, batch.values.to(device), batch.there.to(device))[:, :, 0]
        parts = [part.cpu().numpy() for part in (*foretold, surprise)]
        return [tuple(part[: last - first, row] for part in parts) for row, (_, first, last) in enumerate(chosen)]

    answers = iter(in_batches(network, [last - first for _, first, last in every], ask, exactly=exactly))
    made = []
    for one, some in zip(stretches, pieces, strict=True):
        parts = zip(*islice(answers, len(some)), strict=True)
        made.append(_told(one, unit, *(np.concatenate(part) for part in parts)))
    return made


def _pieces(one: Stretch) -> list[tuple[int, int]]:
    """Give first and last step of what is read in one go: each fresh step begins with a state of zeros."""
    cuts = one.begin + 1 + np.flatnonzero(one.encoded.fresh[one.begin + 1 : one.last])
    return list(pairwise([one.begin, *cuts.tolist(), one.last]))


def _told(one: Stretch, unit: np.ndarray, location: np.ndarray, spread: np.ndarray, surprise: np.ndarray) -> Told:
    """Compare what was foretold, (T', A, C), with the values of the steps from `one.begin` on."""
    values, skipped = one.encoded.values[one.begin : one.last], one.first - one.begin
    fresh, leads = one.encoded.fresh[one.begin : one.last], []
    for lead in range(len(unit)):
        errors = np.full_like(values, np.nan)
        if lead < len(values):
            made = slice(0, len(values) - lead)
            told = error(values[lead:], location[made, lead], spread[made, lead], unit[lead])
            errors[lead:] = np.where(foretellable(fresh, lead)[:, None], told, np.nan)
        leads.append(errors[skipped:])
    there = np.stack([~np.isnan(errors).T for errors in leads])  # (A, C, T)
    squares = np.stack([(np.where(np.isnan(errors), 0.0, errors).astype(np.float64) ** 2).sum(0) for errors in leads])
    return Told(
        location[skipped:, 0],
        surprise[skipped : len(values)],
        joined(leads),
        squares * unit.astype(np.float64) ** 2,
        there.sum(2),
    )


def error(values: np.ndarray, location: np.ndarray, spread: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Give |value − location| / (spread · unit), (…, C); NaN where there is no value."""
    return np.abs(values - location) / (spread * unit)


def joined(leads: Sequence[np.ndarray]) -> np.ndarray:
    """Give the root mean square of the errors of a value by all that was foretold of it, A of (…, C); NaN where there is none.

    Plain sums in one order, so that step by step gives the bits of all at once.

    >>> joined([np.array([3.0, np.nan]), np.array([4.0, np.nan])]).round(3).tolist()
    [3.536, nan]
    """
    total, count = np.zeros(leads[0].shape), np.zeros(leads[0].shape)
    for errors in leads:
        there = ~np.isnan(errors)
        known = np.where(there, errors, 0.0).astype(np.float64)
        total, count = total + known * known, count + there
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1.0)), np.nan)


def mean_surprise(parts: Sequence[Told]) -> float:
    """Give the mean of −log p over all values that are there, in nats, each foretold one step before."""
    there = [~np.isnan(one.errors) for one in parts]
    total = sum(float(one.surprise[known].astype(np.float64).sum()) for one, known in zip(parts, there, strict=True))
    return total / max(1, sum(int(known.sum()) for known in there))
