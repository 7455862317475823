"""Music as JSON and people get to see and hear it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from recurra.audio import EXCERPT_RATE, Sound, excerpt, mu_law_wav
from recurra.images import encode_png
from recurra.music import HIGHEST, Piece, render, to_song

MAX_DRAWN_STEPS = 192
_KEY_HEIGHT, _ROLL_WIDTH, _STEP_WIDTHS = 4, 480, (3, 16)
_WHITE, _BAR_LINE, _OCTAVE, _DARK = 255, 205, 235, 40


def score_to_json(name: str, log_probs: np.ndarray) -> dict[str, Any]:
    """Give the log-probability of a piece by that of its steps from the second on (T − 1,), nats; its units are its steps."""
    total = float(log_probs.sum())
    units = [[f"step {number}", float(each)] for number, each in enumerate(log_probs, 2)]
    return {"text": name, "log_prob": total, "log_prob_per_unit": total / max(1, len(units)), "units": units}


def roll_of(piece: Piece) -> np.ndarray:
    """Give what sounds as a picture, the highest on top: bool (rows, T), rows from a little above to a little below what there is."""
    if piece.kind == "drums":
        return piece.frames.T[::-1] > 0
    lowest, highest = piece.range
    held = piece.sounding[:, max(0, lowest - 2) : highest + 3]
    return held.T[::-1]


def draw_roll(piece: Piece) -> str:
    """Draw a piano roll as a PNG file in base64: time to the right, a row for each key or drum, a line where a bar begins."""
    held = roll_of(piece.part(0, MAX_DRAWN_STEPS))
    picture = np.full(held.shape, _WHITE, np.uint8)
    if piece.kind != "drums":
        top = min(HIGHEST, piece.range[1] + 23)
        picture[[row for row in range(len(held)) if (top - row) % 12 == 0]] = _OCTAVE
    picture[held] = _DARK
    wide = min(max(_ROLL_WIDTH // picture.shape[1], _STEP_WIDTHS[0]), _STEP_WIDTHS[1])
    drawn = picture.repeat(_KEY_HEIGHT, 0).repeat(wide, 1)
    lines = drawn[:, :: piece.bar * wide]
    lines[lines != _DARK] = _BAR_LINE
    return base64.b64encode(encode_png(drawn)).decode("ascii")


def sound_of(piece: Piece) -> str:
    """Give the first seconds of a piece as a small WAV file in base64."""
    sound = Sound(render(to_song(piece), EXCERPT_RATE), EXCERPT_RATE)
    return base64.b64encode(mu_law_wav(excerpt(sound), EXCERPT_RATE)).decode("ascii")
