"""Plain models of pictures: pixels by their frequencies, counts of what surrounds them, and the nearest known picture's half."""

from __future__ import annotations

import numpy as np

from recurra.baselines import register_baseline

NEIGHBOURS = ((-2, -1), (-2, 0), (-2, 1), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (0, -2), (0, -1))
"""Rows and columns from a pixel to those that JBIG's template of three lines (ITU-T T.82) reads for it."""
_CHUNK = 2_000
"""Pictures that are looked at together."""


def _frequencies(counts: np.ndarray) -> np.ndarray:
    """Turn counts (…, K) into probabilities as if each level had come half a time more (Krichevsky and Trofimov 1981)."""
    return (counts + 0.5) / (counts.sum(-1, keepdims=True) + 0.5 * counts.shape[-1])


@register_baseline
class IndependentPixels:
    """Each pixel by how often it has each level, whatever the others have."""

    name, title = "independent", "pixels by their frequencies"
    ignores_input = True

    def fit(self, pictures: np.ndarray, levels: int) -> IndependentPixels:
        """Learn from levels, uint8 (N, H, W)."""
        counts = np.stack([(pictures == level).sum(0) for level in range(levels)], -1)
        self._probabilities = _frequencies(counts)
        return self

    def log_probs(self, pictures: np.ndarray) -> np.ndarray:
        """Give log p of each picture, nats (N,)."""
        logs = np.log(self._probabilities)
        rows, columns = np.indices(pictures.shape[1:])
        return np.array([logs[rows, columns, picture].sum() for picture in pictures])

    def complete(self, pictures: np.ndarray, rows: int) -> np.ndarray:
        """Give pictures (N, H, W) with the rows from `rows` on as they most often are."""
        made = pictures.copy()
        made[:, rows:] = self._probabilities.argmax(-1)[rows:]
        return made


@register_baseline
class CountedNeighbours:
    """Each pixel by what came, in training, where ten pixels above and left of it were as bright or dark as here, at any place."""

    name, title = "neighbours", "counts of ten neighbours (JBIG's)"

    def fit(self, pictures: np.ndarray, levels: int) -> CountedNeighbours:
        """Learn from levels, uint8 (N, H, W)."""
        self._levels = levels
        counts = np.zeros(levels << len(NEIGHBOURS), np.int64)
        for start in range(0, len(pictures), _CHUNK):
            some = pictures[start : start + _CHUNK]
            counts += np.bincount((self._contexts(some) * levels + some).ravel(), minlength=len(counts))
        self._logs = np.log(_frequencies(counts.reshape(-1, levels))).ravel()
        return self

    def _contexts(self, pictures: np.ndarray) -> np.ndarray:
        """Number what surrounds each pixel, (N, H, W): a bit for each neighbour, dark beyond the edge."""
        count, height, width = pictures.shape
        padded = np.zeros((count, height + 2, width + 4), np.int64)
        padded[:, 2:, 2:-2] = 2 * pictures.astype(np.int64) >= self._levels
        found = np.zeros(pictures.shape, np.int64)
        for down, right in NEIGHBOURS:
            found = 2 * found + padded[:, 2 + down : 2 + down + height, 2 + right : 2 + right + width]
        return found

    def log_probs(self, pictures: np.ndarray) -> np.ndarray:
        """Give log p of each picture, nats (N,)."""
        found = [
            self._logs[self._contexts(some) * self._levels + some].sum((1, 2))
            for start in range(0, len(pictures), _CHUNK)
            for some in [pictures[start : start + _CHUNK]]
        ]
        return np.concatenate(found) if found else np.zeros(0)


@register_baseline
class NearestHalf:
    """The lower rows of the known picture whose upper rows are nearest, by the squares of the differences."""

    name, title = "nearest-half", "the nearest picture's lower half"

    def fit(self, pictures: np.ndarray, levels: int) -> NearestHalf:
        """Keep the levels, uint8 (N, H, W)."""
        self._pictures, self._levels = pictures, levels
        return self

    def complete(self, pictures: np.ndarray, rows: int) -> np.ndarray:
        """Give pictures (N, H, W) with the rows from `rows` on of the nearest known one; of several as near, the first."""
        made = pictures.copy()
        wanted = self._upper(pictures, rows)
        best, nearest = np.full(len(pictures), np.inf), np.zeros(len(pictures), np.int64)
        for start in range(0, len(self._pictures), _CHUNK):
            known = self._upper(self._pictures[start : start + _CHUNK], rows)
            distances = (known**2).sum(1) - 2 * wanted @ known.T
            place = distances.argmin(1)
            least = distances[np.arange(len(pictures)), place]
            closer = least < best
            best[closer], nearest[closer] = least[closer], start + place[closer]
        made[:, rows:] = self._pictures[nearest, rows:]
        return made

    @staticmethod
    def _upper(pictures: np.ndarray, rows: int) -> np.ndarray:
        return pictures[:, :rows].reshape(len(pictures), -1).astype(np.float32)


def agreement(made: np.ndarray, pictures: np.ndarray, rows: int) -> float:
    """Give the share of the pixels from row `rows` on that are as in the pictures (N, H, W)."""
    return float((made[:, rows:] == pictures[:, rows:]).mean())
