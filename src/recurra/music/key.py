"""Keys of music: their names, and which one a piece is in by how long each pitch class sounds."""

from __future__ import annotations

import re

import numpy as np

from recurra.errors import UsageError
from recurra.formatting import abbreviate

KEYS = 24
"""Twelve major keys by their tonics, from C, and then twelve minor ones."""
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1, "-sharp": 1, " sharp": 1, "-flat": -1, " flat": -1}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_PATTERN = re.compile(r"([a-h])(#|♯|b|♭|[- ]sharp|[- ]flat)?\s*(major|maj|minor|min|m)?", re.IGNORECASE)
# Krumhansl and Kessler 1982: how well listeners find each pitch class to fit a key, from its tonic.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def parse_key(text: str) -> int:
    """Read the name of a key as its number; a letter alone is major. Raises `UsageError`.

    >>> parse_key("C"), parse_key("D minor"), parse_key("Bb major"), parse_key("f#m")
    (0, 14, 10, 18)
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"key: expected one such as C, Eb major or D minor, got {abbreviate(text, 40)}")
    letter, accidental, mode = found.groups()
    tonic = (_LETTERS[letter.lower()] + _ACCIDENTALS[(accidental or "").lower()]) % 12
    return tonic + 12 * ((mode or "major").lower() in ("minor", "min", "m"))


def key_name(key: int) -> str:
    """Name a key.

    >>> key_name(0), key_name(14)
    ('C major', 'D minor')
    """
    return f"{_NAMES[key % 12]} {'minor' if key >= 12 else 'major'}"


def key_of_signature(sharps: int, *, minor: bool) -> int:
    """Give the key of so many sharps, or of flats where the number is below zero.

    >>> key_name(key_of_signature(-1, minor=True)), key_name(key_of_signature(2, minor=False))
    ('D minor', 'D major')
    """
    return (7 * sharps + 9 * minor) % 12 + 12 * minor


def estimate_key(weights: np.ndarray) -> int | None:
    """Give the key whose profile goes best with how long each pitch class sounds, (12,) from C; None where nothing does.

    The correlation with the profiles of Krumhansl and Kessler (Krumhansl 1990, chapter 4).

    >>> key_name(estimate_key(np.array([3, 0, 2, 0, 2, 1, 0, 3, 0, 1, 0, 1])))
    'C major'
    """
    if weights.std() == 0:
        return None
    profiles = np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    profiles = (profiles - profiles.mean(1, keepdims=True)) / profiles.std(1, keepdims=True)
    return int((profiles @ (weights - weights.mean())).argmax())


def transpose_key(key: int, semitones: int) -> int:
    """Give a key so many semitones higher.

    >>> key_name(transpose_key(23, 2))
    'C# minor'
    """
    return (key + semitones) % 12 + 12 * (key >= 12)
