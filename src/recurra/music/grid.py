"""From notes in time to a grid of steps, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.errors import DataError
from recurra.music.key import key_of_signature
from recurra.music.midi import DRUM_CHANNEL, Song
from recurra.music.piece import DRUM_PITCHES, DRUMS, HIGHEST, LOWEST, PITCHES, Piece

MAX_STEPS = 500_000
"""Steps of a piece."""
TICKS = 480
"""Ticks of a beat in files that are written."""
USUAL_VELOCITY = 80
USUAL_TEMPO = 100.0
_USUAL_DRUM_TICKS = TICKS // 8
_DRUM_OF = {
    **{22: 2, 26: 3, 35: 0, 36: 0, 37: 1, 38: 1, 39: 1, 40: 1, 41: 4, 42: 2, 43: 4, 44: 2, 45: 5, 46: 3, 47: 5, 48: 6},
    **{49: 7, 50: 6, 51: 8, 52: 7, 53: 8, 54: 2, 55: 7, 56: 8, 57: 7, 58: 4, 59: 8},
}
"""The drum, by its number, that a pitch of General MIDI or of Roland's TD-11 is."""


def has_drums_alone(song: Song) -> bool:
    """Tell whether all notes are on channel 10."""
    return bool((song.notes[:, 4] == DRUM_CHANNEL).all())


def to_piece(song: Song, name: str, steps: int, bar: int | None) -> Piece:
    """Bring the notes that are no drums to a grid of so many steps a beat; what is beyond the piano's keys moves by octaves.

    bar: steps of a bar, where the file states no metre; None: four beats.
    """
    notes = song.notes[song.notes[:, 4] != DRUM_CHANNEL]
    if not len(notes):
        raise DataError("holds drums alone", source=name, hint="leave it out, or learn from drums alone")
    bar = _bar(song, steps, bar)
    begins, ends = (np.rint(notes[:, column] * steps / song.ticks).astype(np.int64) for column in (0, 1))
    first = begins.min() // bar * bar
    begins, ends = begins - first, np.maximum(ends, begins + 1) - first
    _check_length(int(ends.max()), name)
    frames = np.zeros((int(ends.max()), PITCHES), np.uint8)
    pitches = _fold(notes[:, 2], song)
    for start, end, pitch in zip(begins.tolist(), ends.tolist(), pitches.tolist(), strict=True):
        frames[start:end, pitch] = 1
    left_out = len(song.notes) - len(notes)
    if left_out:
        song.faults["hits of drums beside notes, left out"] += left_out
    key = None if song.signature is None else key_of_signature(song.signature[0], minor=song.signature[1])
    return Piece("notes", frames, name, steps, bar, song.tempo, key)


def to_drums(song: Song, name: str, steps: int, bar: int | None) -> Piece:
    """Bring the hits of channel 10 to a grid; of two on one place the louder is kept."""
    notes = song.notes[song.notes[:, 4] == DRUM_CHANNEL]
    drums = np.array([_DRUM_OF.get(pitch, -1) for pitch in notes[:, 2].tolist()], np.int64)
    if unknown := int((drums < 0).sum()):
        song.faults["hits of what is no drum of the kit"] += unknown
    notes, drums = notes[drums >= 0], drums[drums >= 0]
    if not len(notes):
        raise DataError("holds no drums (channel 10)", source=name, hint="leave it out, or learn from notes")
    exact = notes[:, 0] * steps / song.ticks
    places = np.rint(exact).astype(np.int64)
    bar = _bar(song, steps, bar)
    first = places.min() // bar * bar
    count = int(places.max() - first) + 1
    _check_length(count, name)
    velocities, offsets = np.zeros((count, len(DRUMS)), np.float32), np.zeros((count, len(DRUMS)), np.float32)
    order = np.argsort(notes[:, 3], kind="stable")  # the loudest is written last
    rows, columns = places[order] - first, drums[order]
    velocities[rows, columns] = notes[order, 3] / 127
    offsets[rows, columns] = (exact - places)[order]
    if lost := len(notes) - int((velocities > 0).sum()):
        song.faults["hits on a place of the grid that another has"] += lost
    frames = (velocities > 0).astype(np.uint8)
    return Piece("drums", frames, name, steps, bar, song.tempo, velocities=velocities, offsets=offsets)


def _bar(song: Song, steps: int, bar: int | None) -> int:
    if song.metre is not None:
        return max(1, round(song.metre * steps))
    return 4 * steps if bar is None else bar


def _check_length(count: int, name: str) -> None:
    if count > MAX_STEPS:
        raise DataError(f"has {count:,} steps, more than {MAX_STEPS:,}", source=name, hint="take fewer --steps")


def _fold(pitches: np.ndarray, song: Song) -> np.ndarray:
    """Give keys from A0, of pitches that are brought within the piano's by octaves."""
    outside = (pitches < LOWEST) | (pitches > HIGHEST)
    if outside.any():
        song.faults["notes beyond the keys of a piano, moved by octaves"] += int(outside.sum())
        low = np.where(pitches < LOWEST, pitches + 12 * -((pitches - LOWEST) // 12), pitches)
        pitches = np.where(low > HIGHEST, low - 12 * -((HIGHEST - low) // 12), low)
    return pitches - LOWEST


def to_song(piece: Piece, tempo: float | None = None) -> Song:
    """Turn a piece into notes: a key that sounds at steps in a row is one note, of voices that of each voice."""
    tempo = tempo or piece.tempo or USUAL_TEMPO
    notes = _hits(piece) if piece.kind == "drums" else _held(piece)
    order = np.lexsort((notes[:, 2], notes[:, 0]))
    return Song(notes[order], TICKS, tempo, piece.bar / piece.steps)


def _hits(piece: Piece) -> np.ndarray:
    rows, drums = np.nonzero(piece.frames)
    offsets = 0.0 if piece.offsets is None else piece.offsets[rows, drums]
    begins = np.maximum(0, np.rint((rows + offsets) * TICKS / piece.steps)).astype(np.int64)
    loud = np.full(len(rows), USUAL_VELOCITY)
    if piece.velocities is not None:
        loud = np.clip(np.rint(piece.velocities[rows, drums] * 127), 1, 127).astype(np.int64)
    pitches, channel = np.array(DRUM_PITCHES, np.int64)[drums], np.full(len(rows), DRUM_CHANNEL)
    return np.stack([begins, begins + _USUAL_DRUM_TICKS, pitches, loud, channel], 1).reshape(-1, 5)


def _held(piece: Piece) -> np.ndarray:
    if piece.kind == "voices":
        parts = []
        for voice in range(piece.frames.shape[1]):
            alone = replace(piece, frames=piece.frames[:, voice : voice + 1])
            parts.append(_runs(alone.sounding, piece.steps, voice))
        return np.concatenate(parts)
    return _runs(piece.sounding, piece.steps, 0)


def _runs(roll: np.ndarray, steps: int, channel: int) -> np.ndarray:
    edges = np.diff(np.pad(roll.astype(np.int8), ((1, 1), (0, 0))), axis=0).T
    pitches, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    same = np.ones(len(pitches), np.int64)
    columns = [begins * TICKS // steps, ends * TICKS // steps, pitches + LOWEST, USUAL_VELOCITY * same, channel * same]
    return np.stack(columns, 1)
