"""Dynamic time warping between many series at once."""

from __future__ import annotations

import numpy as np

CHUNK = 2**18  # numbers of one diagonal over all pairs, so that they stay in a core's cache


def dtw(ours: np.ndarray, theirs: np.ndarray, band: int) -> np.ndarray:
    """Give the cost of the cheapest alignment of each of our series with each of theirs.

        D[i, j] = |x_i − y_j|² + min(D[i − 1, j], D[i, j − 1], D[i − 1, j − 1])      where |i − j| ≤ band

    All channels warp together (Sakoe and Chiba 1978; "dependent" in Shokoohi-Yekta et al. 2017). The table is filled along
    its diagonals i + j, whose cells do not need each other, for many pairs at a time.

    Args:
        ours: (N, T, C).
        theirs: (M, T, C).
        band: steps; 0 is the squared Euclidean distance, T − 1 or more no limit.

    Returns:
        Costs, float32 (N, M).

    >>> dtw(np.array([[[0.0], [0], [1], [0]]]), np.array([[[0.0], [1], [0], [0]]]), band=1).tolist()
    [[0.0]]
    """
    length = ours.shape[1]
    found = np.zeros((len(ours), len(theirs)), np.float32)
    # Steps come first and pairs last: what is computed at once lies side by side in memory.
    x, y = (np.ascontiguousarray(each.transpose(1, 2, 0), np.float32) for each in (ours, theirs))
    width = min(band + 1, length)  # cells of a diagonal
    across = max(1, min(len(theirs), CHUNK // width))
    down = max(1, CHUNK // (width * across))
    for first in range(0, len(ours), down):
        for start in range(0, len(theirs), across):
            part = np.s_[first : first + down, start : start + across]
            found[part] = _costs(x[:, :, part[0]], y[:, :, part[1]], band)
    return found


def _costs(x: np.ndarray, y: np.ndarray, band: int) -> np.ndarray:
    """Fill the tables of all pairs of x (T, C, n) and y (T, C, m); gives their last cells, (n, m)."""
    length, channels = x.shape[:2]
    # Diagonals by the row i, one place on: what is outside the band or the table costs infinity.
    shape = (length + 2, x.shape[2], y.shape[2])
    before, last, now = (np.full(shape, np.inf, np.float32) for _ in range(3))
    before[0] = 0  # D[−1, −1]: each alignment begins there
    for diagonal in range(2 * length - 1):
        low = max(0, diagonal - length + 1, (diagonal - band + 1) // 2)
        high = min(diagonal, length - 1, (diagonal + band) // 2)
        now[low] = now[high + 2] = np.inf
        if low <= high:
            # Columns run against rows: j = diagonal − i.
            columns = slice(diagonal - high, diagonal - low + 1)
            cost = np.zeros((high - low + 1, *shape[1:]), np.float32)
            for channel in range(channels):
                step = x[low : high + 1, channel, :, None] - y[columns, channel][::-1, None, :]
                step *= step
                cost += step
            cells = now[low + 1 : high + 2]
            np.minimum(last[low + 1 : high + 2], last[low : high + 1], out=cells)
            np.minimum(cells, before[low : high + 1], out=cells)
            cells += cost
        before, last, now = last, now, before
        if diagonal == 0:
            now[0] = np.inf
    return last[length]
