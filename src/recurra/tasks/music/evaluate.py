"""The metrics of a model of music and of plain ones on the same held-out pieces, and how what it composes compares with real music."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from recurra.metrics import music_scores, resampled
from recurra.music import Piece, histogram_distances, to_lines
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.music.baselines import KeysByThemselves, LastBar, NoteChain, PlayedByPlace, playing_errors
from recurra.tasks.music.batches import played_of
from recurra.tasks.music.copies import KnownMusic
from recurra.tasks.music.data import Split
from recurra.tasks.music.network import MusicNetwork
from recurra.tasks.music.predict import Composer, GenerateOptions
from recurra.tasks.music.results import draw_roll, sound_of
from recurra.tasks.music.sampling import decide, express

SAMPLES, MAX_SAMPLE_STEPS = 3, 192
_SEED = 0
_MAX_COMPARED_STEPS = 20_000
_EPSILON = 1e-12


class _Counts:
    """Sums over the steps of each piece, from the second on: nats, steps, decisions and those that are right, whole steps that are."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float, float]] = []

    def add(self, log_probs: np.ndarray, count: np.ndarray, right: np.ndarray) -> None:
        """Add a piece; (T − 1,) each."""
        row = (-log_probs.sum(), len(log_probs), count.sum(), right.sum(), (count == right).sum())
        self._rows.append(tuple(map(float, row)))  # type: ignore[arg-type]

    def table(self) -> np.ndarray:
        """Give the sums, (N, 5)."""
        return np.array(self._rows)


def _model_table(model: Composer, split: Split, *, exact: bool = True) -> np.ndarray:
    counts = _Counts()
    network = cast(MusicNetwork, model.network)
    for found in decide(network, model.preprocessor, split.pieces, in_exact_mode=exact):
        counts.add(*(each[1:].numpy() for each in found))
    return counts.table()


def likelihood(model: Composer, split: Split) -> dict[str, float]:
    """Give how likely pieces are, for validation."""
    return music_scores(_model_table(model, split, exact=False))


def evaluate(
    model: Composer,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a model of music on a split: the object that `evaluate` prints.

    train: what the plain ones learn from; None: none are measured.
    """
    progress("measuring the model")
    table = _model_table(model, split)
    metrics = music_scores(table, split.leaks)
    if model.preprocessor.expression and all(piece.velocities is not None for piece in split.pieces):
        played = express(cast(MusicNetwork, model.network), model.preprocessor, split.pieces)
        metrics |= playing_errors([played_of(piece) for piece in played], split.pieces)
    progress("composing")
    samples = _samples(model)
    clean = "" if "clean_nll" not in metrics else f"; clean: without the {int(split.leaks.sum()):,} that {split.leak}"  # type: ignore[union-attr]
    per_piece = table[:, 0], np.maximum(table[:, 1], _EPSILON)
    details: dict[str, Any] = {
        "pieces": len(split),
        "notes": [
            f"{len(split):,} pieces, {int(table[:, 1].sum()):,} steps: the first of each is only read{clean}",
            *notes,
        ],
        "intervals": {}
        if len(split) == 1
        else {"nll": resampled(lambda rows: float(per_piece[0][rows].sum() / per_piece[1][rows].sum()), len(split))},
        "samples": [_shown(piece) for piece in samples],
        "real": [_shown(piece.part(0, MAX_SAMPLE_STEPS)) for piece in _some(split.pieces, 1)],
        "distances": histogram_distances(samples, split.pieces),
    }
    baselines = {}
    if train is not None:
        baselines = _baselines(model, train, split, progress)
        progress("looking for what was copied")
        known = KnownMusic(_within(train.pieces, 10 * _MAX_COMPARED_STEPS))
        details["beside"] = {
            "copies": [{"run": known.longest_run(piece), **_nearest(known, piece)} for piece in samples],
            "held_out_run": [
                known.longest_run(piece.part(0, MAX_SAMPLE_STEPS)) for piece in _some(split.pieces, SAMPLES)
            ],
            "distances": histogram_distances(_within(train.pieces, _MAX_COMPARED_STEPS), split.pieces),
        }
    return {
        "task": model.name,
        "data": name,
        "count": max(1, int(table[:, 1].sum())),
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def _some(pieces: Sequence[Piece], count: int) -> list[Piece]:
    return [pieces[at] for at in evenly_spaced(len(pieces), count)]


def _nearest(known: KnownMusic, piece: Piece) -> dict[str, Any]:
    name, share = known.nearest(piece)
    return {"nearest": name, "share": share}


def _within(pieces: Sequence[Piece], steps: int) -> list[Piece]:
    """Give as many pieces, spread over all, as have about so many steps."""
    total = sum(map(len, pieces))
    return list(pieces) if total <= steps else _some(pieces, max(1, len(pieces) * steps // total))


def _samples(model: Composer) -> list[Piece]:
    bars = max(1, min(16, MAX_SAMPLE_STEPS // model.preprocessor.bar))
    return model.compose(None, GenerateOptions(count=SAMPLES, bars=bars, seed=_SEED))


def _shown(piece: Piece) -> dict[str, Any]:
    return {"name": piece.name, "roll": draw_roll(piece), "sound": sound_of(piece)}


def _baselines(
    model: Composer, train: Split, split: Split, progress: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    progress("measuring the baselines")
    chain = NoteChain().fit(train.pieces, model.config.data.transpositions)
    counts = _Counts()
    for piece in split.pieces:
        counts.add(*chain.decide(piece))
    found = {NoteChain.name: music_scores(counts.table(), split.leaks)}
    if model.preprocessor.kind == "notes":
        keys = KeysByThemselves().fit(train.pieces)
        found[KeysByThemselves.name] = {
            "nll": -float(sum(keys.log_probs(piece).sum() for piece in split.pieces))
            / max(1, sum(len(piece) - 1 for piece in split.pieces))
        }
    if model.preprocessor.expression and all(piece.velocities is not None for piece in split.pieces):
        plain = PlayedByPlace().fit(train.pieces)
        found[PlayedByPlace.name] = playing_errors([plain.predict(piece) for piece in split.pieces], split.pieces)
    right = np.concatenate([LastBar().right(piece) for piece in split.pieces])
    found[LastBar.name] = {"step_accuracy": float(right.mean()) if len(right) else 0.0}
    return found


def preview(model: Composer, seed: int) -> str:
    """Compose four bars, for a person who watches the training."""
    bars = max(1, min(4, 64 // model.preprocessor.bar))
    return to_lines(model.compose(None, GenerateOptions(bars=bars, seed=seed))[0])
