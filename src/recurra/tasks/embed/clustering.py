"""How vectors lie to each other: clusters, nearest neighbours, and a map of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from recurra.errors import MissingExtraError, UsageError, require

KMEANS_RESTARTS = 10
MIN_CLUSTER_SIZE = 5
"""Sequences that make a cluster of their own where their number is left open, at least."""
DISTANCES_PER_BLOCK = 2**22
"""Distances that are held at a time."""


def cluster(vectors: np.ndarray, wanted: int | Literal["auto"]) -> list[int | None]:
    """Group vectors (N, D): into so many clusters by k-means, or by HDBSCAN into as many as stand out.

    Clusters are numbered from 1, the largest first. With auto one that belongs to none has None. The same vectors always
    give the same clusters. Raises `UsageError` for more clusters than vectors.
    """
    if not len(vectors):
        return []
    if wanted == "auto":
        if len(vectors) < MIN_CLUSTER_SIZE:
            return [None] * len(vectors)
        found = _hdbscan(vectors)
    elif wanted > len(vectors):
        raise UsageError(f"cluster: expected at most one for each of {len(vectors)} sequences, got {wanted}")
    else:
        found = k_means(vectors, wanted)
    return number_by_size(found)


def k_means(points: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Group points (N, …) into clusters by k-means, the best of ten starts: the number of each one's, (N).

    Points that are alike are in one cluster, so there are no more of them than there are different points.
    """
    kind = require("sklearn.cluster", "learn", "clusters").KMeans
    flat = points.reshape(len(points), -1).astype(np.float64)
    count = min(count, len(np.unique(flat, axis=0)))
    return kind(count, n_init=KMEANS_RESTARTS, random_state=seed).fit_predict(flat)


def _hdbscan(vectors: np.ndarray) -> np.ndarray:
    kind = require("sklearn.cluster", "learn", "clusters").HDBSCAN
    if (vectors == vectors[0]).all():  # HDBSCAN knows no single cluster
        return np.zeros(len(vectors), np.int64)
    smallest = max(MIN_CLUSTER_SIZE, round(len(vectors) ** 0.5 / 2))
    return kind(min_cluster_size=smallest, copy=True).fit_predict(vectors.astype(np.float64))


def number_by_size(found: np.ndarray) -> list[int | None]:
    """Number clusters from 1, the largest first, of equals the one that comes first; below 0 is none.

    >>> number_by_size(np.array([4, 0, 0, -1]))
    [2, 1, 1, None]
    """
    names, first, sizes = np.unique(found[found >= 0], return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda place: (-sizes[place], first[place]))
    numbers = {int(names[place]): number for number, place in enumerate(order, 1)}
    return [numbers.get(int(name)) for name in found]


def nearest_neighbours(vectors: np.ndarray, count: int) -> list[list[tuple[int, float]]]:
    """Give the nearest others of each vector (N, D), the nearest first, of equals the first: (its place, the Euclidean distance)."""
    found: list[list[tuple[int, float]]] = []
    exact = vectors.astype(np.float64)
    count = min(count, len(vectors) - 1)
    if count < 1:
        return [[] for _ in vectors]
    squares = (exact**2).sum(1)
    each = max(1, DISTANCES_PER_BLOCK // len(exact))
    for start in range(0, len(exact), each):
        rows = slice(start, start + each)
        far = squares[rows, None] + squares - 2 * exact[rows] @ exact.T
        far[np.arange(len(far)), np.arange(start, start + len(far))] = np.inf
        farthest = np.partition(far, count - 1, axis=1)[:, count - 1]  # sorting whole rows takes several times as long
        for row, (distances, most) in enumerate(zip(far, farthest, strict=True), start):
            places = np.flatnonzero(distances <= most)
            chosen = places[np.argsort(distances[places], kind="stable")[:count]]
            # Again from the vectors themselves: the difference of large squares rounds small distances.
            distances = np.sqrt(((exact[chosen] - exact[row]) ** 2).sum(1))
            found.append(sorted(zip(chosen.tolist(), distances.tolist(), strict=True), key=lambda pair: pair[1]))
    return found


def project_to_plane(vectors: np.ndarray) -> tuple[np.ndarray, str]:
    """Place vectors (N, D) on a plane, (N, 2), so that near ones stay near, and say how.

    By t-SNE where scikit-learn is installed and there are enough of them, else by their principal components.
    """
    exact = vectors.astype(np.float64)
    flat = _principal(exact)
    kind = _tsne() if len(exact) >= 4 * MIN_CLUSTER_SIZE and np.ptp(flat[:, 0]) > 0 else None
    if kind is None:
        return flat, "principal components"
    made = kind(2, perplexity=min(30.0, len(exact) / 4), init=1e-4 * flat / flat[:, 0].std(), random_state=0)
    return _principal(made.fit_transform(exact).astype(np.float64)), "t-SNE"  # turned so that it is wider than high


def _principal(points: np.ndarray) -> np.ndarray:
    """Give the first two principal components of points (N, D), (N, 2)."""
    flat = np.zeros((len(points), 2))
    if len(points):
        left, sizes, _ = np.linalg.svd(points - points.mean(0), full_matrices=False)
        kept = min(2, len(sizes))
        flat[:, :kept] = left[:, :kept] * sizes[:kept]
    return flat


def _tsne() -> Any:
    try:
        return require("sklearn.manifold", "learn", "a map").TSNE
    except MissingExtraError:
        return None
