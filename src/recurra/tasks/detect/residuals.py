"""What a network predicts of segments of series, and how far the values lie from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.tasks.base.inference import run_in_batches
from recurra.tasks.detect.batches import collate, predictable
from recurra.tasks.detect.data import Segment
from recurra.tasks.detect.network import DetectorNetwork


@dataclass(frozen=True)
class Predictions:
    """Of each step of a segment, (T, C) in scaled units: location, as predicted one step before, and nll, −log p by that.

    errors: how far the value is from all predictions of it (`combine_horizons`), NaN where there is none, or nothing came before.
    squares, counts: over the steps, the sum of the squared errors of each lead and how many they are, (A, C).
    """

    location: np.ndarray
    nll: np.ndarray
    errors: np.ndarray
    squares: np.ndarray
    counts: np.ndarray


def predict_errors(network: nn.Module, segments: Sequence[Segment], *, exact: bool = True) -> list[Predictions]:
    """Predict each step of segments from those before it, all read in one go; exact: as a stream gives it, bit for bit."""
    detector = cast(DetectorNetwork, network)
    unit = cast(Tensor, detector.unit).cpu().numpy()
    pieces = [_pieces(one) for one in segments]
    every = [(one, *piece) for one, own in zip(segments, pieces, strict=True) for piece in own]

    def run(indices: np.ndarray, device: torch.device) -> list[tuple[np.ndarray, ...]]:
        chosen = [every[index] for index in indices]
        batch = collate([(one.encoded, first, last) for one, first, last in chosen], detector.horizon)
        state = detector.zero_state(len(chosen))
        prediction, _ = detector(batch.features.to(device), batch.previous.to(device), state, batch.lengths)
        nll = detector.nll(prediction, batch.targets.to(device), batch.present.to(device))[:, :, 0]
        parts = [part.cpu().numpy() for part in (*prediction, nll)]
        return [tuple(part[: last - first, row] for part in parts) for row, (_, first, last) in enumerate(chosen)]

    outputs = iter(run_in_batches(network, [last - first for _, first, last in every], run, exact=exact))
    made = []
    for one, own in zip(segments, pieces, strict=True):
        parts = zip(*islice(outputs, len(own)), strict=True)
        made.append(_compare(one, unit, *(np.concatenate(part) for part in parts)))
    return made


def _pieces(one: Segment) -> list[tuple[int, int]]:
    """Give first step and step behind the last of what is read in one go: each start begins with a state of zeros."""
    start = one.warmup_start
    cuts = start + 1 + np.flatnonzero(one.encoded.starts[start + 1 : one.last])
    return list(pairwise([start, *cuts.tolist(), one.last]))


def _compare(one: Segment, unit: np.ndarray, location: np.ndarray, scale: np.ndarray, nll: np.ndarray) -> Predictions:
    """Compare predictions, (T', A, C), with the values of the steps from the warm-up on."""
    start = one.warmup_start
    values, starts = one.encoded.values[start : one.last], one.encoded.starts[start : one.last]
    warmup, leads = one.first - start, []
    for lead in range(len(unit)):
        errors = np.full_like(values, np.nan)
        if lead < len(values):
            made = slice(0, len(values) - lead)
            found = scaled_error(values[lead:], location[made, lead], scale[made, lead], unit[lead])
            errors[lead:] = np.where(predictable(starts, lead)[:, None], found, np.nan)
        leads.append(errors[warmup:])
    present = np.stack([~np.isnan(errors).T for errors in leads])  # (A, C, T)
    squares = np.stack([(np.where(np.isnan(errors), 0.0, errors).astype(np.float64) ** 2).sum(0) for errors in leads])
    return Predictions(
        location[warmup:, 0],
        nll[warmup : len(values)],
        combine_horizons(leads),
        squares * unit.astype(np.float64) ** 2,
        present.sum(2),
    )


def scaled_error(values: np.ndarray, location: np.ndarray, scale: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Give |value − location| / (scale · unit), (…, C); NaN where there is no value."""
    return np.abs(values - location) / (scale * unit)


def combine_horizons(leads: Sequence[np.ndarray]) -> np.ndarray:
    """Give the root mean square of the errors of a value by all predictions of it, A of (…, C); NaN where there is none.

    Plain sums in one order, so that step by step gives the bits of all at once.

    >>> combine_horizons([np.array([3.0, np.nan]), np.array([4.0, np.nan])]).round(3).tolist()
    [3.536, nan]
    """
    total, count = np.zeros(leads[0].shape), np.zeros(leads[0].shape)
    for errors in leads:
        present = ~np.isnan(errors)
        known = np.where(present, errors, 0.0).astype(np.float64)
        total, count = total + known * known, count + present
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1.0)), np.nan)


def mean_nll(parts: Sequence[Predictions]) -> float:
    """Give the mean of −log p over all values that are there, in nats, each predicted one step before."""
    present = [~np.isnan(one.errors) for one in parts]
    total = sum(float(one.nll[known].astype(np.float64).sum()) for one, known in zip(parts, present, strict=True))
    return total / max(1, sum(int(known.sum()) for known in present))
