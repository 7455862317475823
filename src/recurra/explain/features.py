"""What can be said of each step of a text by itself, so that units can be held against it: counts, positions and kinds of characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

COUNTS = ("step", "bracket depth", "position in word", "position in line")
"""The features that a unit counts by following."""
_OPENING, _CLOSING = "([{<", ")]}>"


def text_features(steps: Sequence[str], starts: Sequence[int] = (0,)) -> dict[str, np.ndarray]:
    """Give the features of the steps that are not the same throughout, (T) float64 each.

    steps: what was read at each, a character, a word or a mark.  starts: the steps at which a text begins, where counts begin again.
    A depth, or whether a step is inside quotes, is that after the step; positions count from 1, and are 0 outside words.

    >>> features = text_features(list("a (b(C))"))
    >>> features["bracket depth"].astype(int).tolist(), features["upper case"].astype(int).tolist()
    ([0, 0, 1, 1, 2, 2, 1, 0], [0, 0, 0, 0, 0, 1, 0, 0])
    """
    texts = ["" if _is_mark(step) else step for step in steps]
    ends = [*[start for start in starts if start], len(steps)]
    found: dict[str, np.ndarray] = {}
    for name, feature in _FEATURES.items():
        parts, first = [], 0
        for end in ends:
            parts += feature(texts[first:end])
            first = end
        values = np.array(parts, np.float64)
        if len(values) and np.ptp(values) > 0:
            found[name] = values
    return found


def series_features(
    inputs: np.ndarray, starts: Sequence[int] = (0,), names: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Give the number of each step since its sequence began, and what was read there, inputs (T, I) by their names, or numbers from 0."""
    step = np.arange(len(inputs), dtype=np.float64)
    for start in starts:
        step[start:] = np.arange(1, len(inputs) - start + 1)
    columns = {names[place] if names else f"input {place}": inputs[:, place] for place in range(inputs.shape[1])}
    return {name: each.astype(np.float64) for name, each in {"step": step, **columns}.items() if np.ptp(each) > 0}


def _is_mark(step: str) -> bool:
    return len(step) > 2 and step.startswith("<") and step.endswith(">")


def _kind(test: Callable[[str], bool]) -> Callable[[Sequence[str]], list[float]]:
    return lambda texts: [float(any(map(test, text))) for text in texts]


def _depths(texts: Sequence[str]) -> list[float]:
    depth, found = 0, []
    for text in texts:
        for letter in text:
            depth = max(0, depth + (letter in _OPENING) - (letter in _CLOSING))
        found.append(float(depth))
    return found


def _in_quotes(texts: Sequence[str]) -> list[float]:
    inside, found = False, []
    for text in texts:
        for letter in text:
            inside = not inside if letter == '"' else letter in "“«「" or (inside and letter not in "”»」")
        found.append(float(inside))
    return found


def _positions(
    ends: Callable[[str], bool], *, counted: Callable[[str], bool]
) -> Callable[[Sequence[str]], list[float]]:
    def positions(texts: Sequence[str]) -> list[float]:
        place, found = 0, []
        for text in texts:
            place = place + 1 if text and not any(map(ends, text)) else 0
            found.append(float(place) if counted(text) else 0.0)
        return found

    return positions


_FEATURES: Mapping[str, Callable[[Sequence[str]], list[float]]] = {
    "step": lambda texts: [float(number) for number in range(1, len(texts) + 1)],
    "bracket depth": _depths,
    "inside quotes": _in_quotes,
    "position in word": _positions(lambda letter: not (letter.isalnum() or letter in "'’"), counted=bool),
    "position in line": _positions(lambda letter: letter == "\n", counted=lambda _: True),
    "upper case": _kind(str.isupper),
    "digit": _kind(str.isdigit),
    "blank": _kind(str.isspace),
    "punctuation": _kind(lambda letter: not letter.isalnum() and not letter.isspace()),
}
