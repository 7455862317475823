"""The signals that a report shows: with what was written of each, drawn, and of sounds to be heard."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.audio import EXCERPT_RATE, mu_law_wav
from recurra.images import encode_png
from recurra.metrics import Edits
from recurra.tasks.base.inference import spread_and_worst
from recurra.tasks.transcribe.data import Split
from recurra.tasks.transcribe.predict import Transcriber

MAX_SHOWN = 8
MAX_DRAWN_WIDTH, SPIKES_HEIGHT = 800, 10
MAX_HEARD_BYTES = 750_000
"""Of all sounds of an evaluation together, some 94 seconds: in base64 a megabyte."""


def shown_examples(
    transcriber: Transcriber,
    split: Split,
    edits: Edits,
    results: Sequence[dict[str, Any]],
    references: Sequence[str],
    log_probs: Sequence[np.ndarray],
) -> list[dict[str, Any]]:
    """Show some signals spread over all, and of the others those furthest off, each with what the network says of its steps."""
    rates = edits.characters / np.maximum(1, edits.character_count)
    kinds = spread_and_worst(rates, MAX_SHOWN)
    sounds = _heard(split, [row for _, row in kinds], transcriber.preprocessor.signals.seconds)
    return [
        {
            "kind": kind,
            "text": results[row]["text"],
            "reference": references[row],
            "place": split.places[row],
            "confidence": results[row]["confidence"],
            "character_error_rate": float(rates[row]),
            "picture": drawn(transcriber, split.frames[row], log_probs[row]),
            **sounds.get(row, {}),
        }
        for kind, row in kinds
    ]


def _heard(split: Split, rows: Sequence[int], frame_seconds: float | None) -> dict[int, dict[str, Any]]:
    """Give what there is to hear of some rows: a WAV file in base64, how long it is, and how long the whole signal is, in seconds."""
    excerpts = {row: codes for row in rows if split.excerpts and (codes := split.excerpts[row])}
    most = even_limit(list(map(len, excerpts.values())), MAX_HEARD_BYTES)
    return {
        row: {
            "sound": base64.b64encode(mu_law_wav(codes[:most], EXCERPT_RATE)).decode(),
            "heard": min(most, len(codes)) / EXCERPT_RATE,
            "seconds": len(split.kept[row]) * (frame_seconds or 0.0),  # without the quiet that is read behind it
        }
        for row, codes in excerpts.items()
    }


def even_limit(sizes: Sequence[int], total: int) -> int:
    """Give the size at which all are cut, so that they are no more than a total: as large as can be.

    >>> even_limit([2, 9, 9], 12), even_limit([2, 3], 12)
    (5, 12)
    """
    left = total
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return total


def drawn(transcriber: Transcriber, frames: np.ndarray, log_probs: np.ndarray) -> str:
    """Draw a signal, and below it, the darker the likelier, where the network sees a unit: a PNG file in base64."""
    picture = transcriber.preprocessor.signals.picture(frames)
    picture = picture[:, :: max(1, -(-picture.shape[1] // MAX_DRAWN_WIDTH))]
    spikes = 255 * np.exp(log_probs[:, 0].astype(np.float64))
    places = np.minimum(np.arange(picture.shape[1]) * len(spikes) // picture.shape[1], len(spikes) - 1)
    below = np.tile(spikes[places].astype(np.uint8), (SPIKES_HEIGHT, 1))
    return base64.b64encode(encode_png(np.concatenate([picture, below]))).decode()
