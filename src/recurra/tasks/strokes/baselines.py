"""A plain model of drawings: the next step by what the pen did before it."""

from __future__ import annotations

import numpy as np

from recurra.baselines import register_baseline
from recurra.ink import DOWN, PENS

_MIN_POINTS = 3
_SMALLEST = 1e-6


@register_baseline
class GaussianByPen:
    """A normal distribution of two numbers for steps within a stroke, and one for those to the next stroke; pen states by how often they follow each other."""

    name, title = "gaussian", "normal distribution by pen state"
    ignores_input = True

    def fit(self, steps: list[np.ndarray], pens: list[np.ndarray]) -> GaussianByPen:
        """Learn from the steps (N, 2) and pen states (N) of drawings."""
        points, after = np.concatenate(steps).astype(np.float64), np.concatenate(pens)
        before = np.concatenate([_before(each) for each in pens])
        self._normals = []
        for lifted in (0, 1):
            some = points[before == lifted]
            if len(some) < _MIN_POINTS:
                some = points
            covariance = np.cov(some.T) + _SMALLEST * np.eye(2)
            self._normals.append((some.mean(0), np.linalg.inv(covariance), float(np.linalg.slogdet(covariance)[1])))
        counts = np.stack([np.bincount(after[before == lifted], minlength=PENS) for lifted in (0, 1)]) + 0.5
        self._pens = np.log(counts / counts.sum(1, keepdims=True))
        return self

    def log_probs(self, steps: np.ndarray, pens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give log p of the steps (N, 2) and of the pen states (N) of a drawing, nats."""
        before = _before(pens)
        found = np.zeros(len(pens))
        for lifted, (mean, inverse, log_det) in enumerate(self._normals):
            some = before == lifted
            away = steps[some] - mean
            found[some] = -0.5 * (np.einsum("ni,ij,nj->n", away, inverse, away) + log_det) - np.log(2 * np.pi)
        return found, self._pens[before, pens]


def _before(pens: np.ndarray) -> np.ndarray:
    """Tell of each step whether the pen was lifted before it, 0 or 1; at the beginning it was not."""
    return np.concatenate([[0], (pens[:-1] != DOWN).astype(np.int64)])
