"""Music as people read it, and as JSON holds it."""

from __future__ import annotations

import numpy as np

from recurra.music.piece import DRUMS, LOWEST, Kind, Piece

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def decode_frame(kind: Kind, frame: np.ndarray) -> list[int]:
    """Give what sounds at a step as pitches, of voices -1 where one is silent, of drums their numbers.

    >>> decode_frame("voices", np.array([52, 0])), decode_frame("drums", np.array([1, 0, 1]))
    ([72, -1], [0, 2])
    """
    if kind == "voices":
        return [int(key) + LOWEST - 1 if key else -1 for key in frame]
    found = np.flatnonzero(frame)
    return (found + (LOWEST if kind == "notes" else 0)).tolist()


def pitch_name(pitch: int) -> str:
    """Name a pitch of MIDI, of which 60 is C4.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'A#4')
    """
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def step_text(kind: str, step: list[int]) -> str:
    """Write what sounds at a step.

    >>> step_text("notes", [60, 64]), step_text("drums", [0, 2]), step_text("notes", [])
    ('C4 E4', 'kick, closed hi-hat', '–')
    """
    if kind == "drums":
        return ", ".join(DRUMS[drum] for drum in step) or "–"
    return " ".join("–" if pitch < 0 else pitch_name(pitch) for pitch in step) or "–"


def to_steps(piece: Piece) -> list[list[int]]:
    """Give what sounds at each step, as `parse` reads it again."""
    return [decode_frame(piece.kind, frame) for frame in piece.frames]


def to_lines(piece: Piece) -> str:
    """Draw a piece for a terminal: a line for each key or drum that sounds, the highest first, a letter for each step."""
    if piece.kind == "drums":
        rows = [(DRUMS[drum], piece.frames[:, drum] > 0) for drum in range(len(DRUMS) - 1, -1, -1)]
    else:
        lowest, highest = piece.range
        rows = [(pitch_name(key + LOWEST), piece.sounding[:, key]) for key in range(highest, lowest - 1, -1)]
    width = max((len(name) for name, held in rows if held.any()), default=0)
    marks = [("|" if at % piece.bar == 0 else "·") for at in range(len(piece))]
    lines = [
        f"{name:>{width}} " + "".join("█" if on else mark for on, mark in zip(held, marks, strict=True))
        for name, held in rows
        if held.any() or piece.kind != "drums"
    ]
    return "\n".join(lines) or "(silence)"
