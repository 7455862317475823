"""The score of the Numenta Anomaly Benchmark: anomalies found early earn, false alarms cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recurra.errors import UsageError

PROBATION_SHARE = 0.15
"""The share of a file that a detector may learn from before it is scored."""

MAX_PROBATION_ROWS = 750
"""No file has a longer probation than 15 % of 5000."""


@dataclass(frozen=True)
class NabProfile:
    """What a window that is found, one that is missed, and a false alarm weigh."""

    found: float
    missed: float
    false: float


NAB_PROFILES = {
    "standard": NabProfile(found=1.0, missed=1.0, false=0.11),
    "reward_low_FP_rate": NabProfile(found=1.0, missed=1.0, false=0.22),
    "reward_low_FN_rate": NabProfile(found=1.0, missed=2.0, false=0.11),
}
"""The three profiles of the benchmark (config/profiles.json)."""


@dataclass(frozen=True)
class NabScore:
    """What a detector reached with one profile.

    score: 0 where nothing is ever flagged, 100 where each window is flagged at its first row and nothing else.
    raw: before it is brought to that scale.  threshold: rows at or above it are flagged; infinite where none is.
    windows, found: how many there are, and in how many a row is flagged.  tp, fp, fn, tn: rows, after the probation.
    """

    score: float
    raw: float
    threshold: float
    windows: int
    found: int
    tp: int
    fp: int
    fn: int
    tn: int


def nab_probation(rows: int) -> int:
    """How many rows at the beginning of a file are not scored.

    >>> nab_probation(4032), nab_probation(22695)
    (604, 750)
    """
    return int(min(np.floor(PROBATION_SHARE * rows), MAX_PROBATION_ROWS))


def nab_windows(times: np.ndarray, limits: Sequence[tuple[object, object]]) -> list[tuple[int, int]]:
    """Find the rows of windows that are given by their first and last time: (first, behind the last), in order.

    Args:
        times: of the rows, (T,), as datetime64; of a time that occurs twice the first row counts.
        limits: first and last time of each window, anything that numpy reads as a time.

    Raises:
        UsageError: a limit that is no row's time, or a window that ends before it begins.

    >>> nab_windows(np.array(["2014-01-01", "2014-01-02", "2014-01-03"], "M8[s]"), [("2014-01-02", "2014-01-03")])
    [(1, 3)]
    """
    stamps = np.asarray(times).astype("datetime64[us]")
    windows = []
    for first, last in limits:
        rows = []
        for limit in (first, last):
            places = np.flatnonzero(stamps == np.datetime64(limit, "us"))  # type: ignore[call-overload]
            if not len(places):
                raise UsageError(f"limits: expected times of rows, got {limit}, which is none of {len(stamps)}")
            rows.append(int(places[0]))
        if rows[1] < rows[0]:
            raise UsageError(f"limits: expected windows that end after they begin, got {first} to {last}")
        windows.append((rows[0], rows[1] + 1))
    return sorted(windows)


def nab_weights(rows: int, windows: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Say for each row of a file what flagging it adds to the score, and in which window it lies.

        σ(y) = 2 / (1 + e^{5y}) − 1,   −1 where y > 3
        in a window of w rows of which r are still to come, this one included:   σ(−r / w) / σ(−1), 1 at its first row
        d rows behind the last row of the window before:   σ(d / (w − 1));   before the first window: −1

    Returns:
        Weight, float64 (T,), before those of a profile; the number of the window, int64 (T,), −1 outside.

    Raises:
        UsageError: windows that overlap, or lie outside the rows.

    Source: Lavin and Ahmad 2015, arXiv:1510.03336, and numenta/NAB, nab/sweeper.py, of version 1.1.

    >>> weights, window = nab_weights(6, [(1, 3)])
    >>> weights.round(3).tolist(), window.tolist()
    ([-1.0, 1.0, 0.86, -0.987, -1.0, -1.0], [-1, 0, 0, -1, -1, -1])
    """
    weights, numbers = np.full(rows, -1.0), np.full(rows, -1, np.int64)
    before = 0
    ordered = sorted(windows)
    for number, (start, stop) in enumerate(ordered):
        if not before <= start < stop <= rows:
            raise UsageError(f"windows: expected rows from {before} to {rows - 1} in order, got {start} to {stop - 1}")
        before = stop
        width = stop - start
        left = np.arange(width, 0, -1)
        weights[start:stop] = _sigmoid(-left / width) / _sigmoid(np.array(-1.0))
        numbers[start:stop] = number
        next_start = ordered[number + 1][0] if number + 1 < len(ordered) else rows
        weights[stop:next_start] = _sigmoid(np.arange(1, next_start - stop + 1) / max(width - 1, 1e-9))
    return weights, numbers


def nab_sweep(
    scores: Mapping[str, np.ndarray], windows: Mapping[str, Sequence[tuple[int, int]]]
) -> dict[str, NabScore]:
    """Score a detector over a whole corpus, each profile with the threshold that suits it best.

    As the benchmark prescribes, the threshold is one for all files, and is chosen by the same windows that it is scored
    by: the score says how well the anomalies could be told from the rest, not how well a threshold was predicted. With a
    threshold that was chosen elsewhere: `nab_score`.

    Args:
        scores: of each file, (T,): the higher, the less normal.
        windows: rows (first, behind the last) of the windows of each file; none for files without.

    Returns:
        The result for each of `NAB_PROFILES`.

    Raises:
        UsageError: other files in `windows` than in `scores`, no window at all, or scores that are not finite.

    >>> result = nab_sweep({"a": np.array([0.0, 0.1, 0.9, 0.2, 0.0])}, {"a": [(2, 4)]})["standard"]
    >>> result.score, result.threshold, result.found
    (100.0, 0.9, 1)
    """
    corpus = _Corpus.build(scores, windows)
    return {name: corpus.best_score(profile) for name, profile in NAB_PROFILES.items()}


def nab_score(
    scores: Mapping[str, np.ndarray],
    windows: Mapping[str, Sequence[tuple[int, int]]],
    threshold: float,
) -> dict[str, NabScore]:
    """Score a detector over a whole corpus with a threshold that is given: rows at or above it are flagged.

    Of flags instead of scores, give 1 for flagged rows, 0 for others, and the threshold 1. Arguments, returns and raises:
    see `nab_sweep`.

    >>> nab_score({"a": np.array([0.0, 0.0, 0.0, 1.0])}, {"a": [(1, 3)]}, 1.0)["standard"].score
    -5.42637...
    """
    corpus = _Corpus.build(scores, windows)
    return {name: corpus.score_at(profile, threshold) for name, profile in NAB_PROFILES.items()}


def _sigmoid(place: np.ndarray) -> np.ndarray:
    return np.where(place > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(place, 3))) - 1)


@dataclass(frozen=True)
class _Corpus:
    """The scored rows of all files, the highest score first: (N,) each; windows are numbered over all files."""

    scores: np.ndarray
    weights: np.ndarray
    window: np.ndarray
    windows: int

    @classmethod
    def build(cls, scores: Mapping[str, np.ndarray], windows: Mapping[str, Sequence[tuple[int, int]]]) -> _Corpus:
        if set(scores) != set(windows):
            odd = sorted(set(scores) ^ set(windows))[0]
            raise UsageError(f"windows: expected the files of the scores, got {odd} in one of them only")
        parts, total = [], 0
        for name, each in scores.items():
            values = np.asarray(each, np.float64)
            if values.ndim != 1 or not np.isfinite(values).all():
                raise UsageError(
                    f"scores: expected a finite number for each row of {name}, got {values.shape} with others"
                )
            weights, window = nab_weights(len(values), windows[name])
            first = nab_probation(len(values))
            window = np.where(window < 0, -1, window + total)
            total += len(windows[name])
            parts.append((values[first:], weights[first:], window[first:]))
        if not total:
            raise UsageError("windows: expected at least one in the corpus, got none: nothing could be found")
        columns = [np.concatenate([part[number] for part in parts]) for number in range(3)]
        order = np.argsort(-columns[0], kind="stable")
        return cls(columns[0][order], columns[1][order], columns[2][order], total)

    def gains(self, profile: NabProfile) -> np.ndarray:
        """What lowering the threshold to each row's score adds to the raw score, (N,)."""
        gains = np.where(self.window < 0, self.weights * profile.false, 0.0)
        rows = np.flatnonzero(self.window >= 0)
        rows = rows[np.argsort(self.window[rows], kind="stable")]  # window by window, the highest score first
        bounds = np.searchsorted(self.window[rows], np.arange(self.windows + 1))
        for start, stop in pairwise(bounds.tolist()):
            own = rows[start:stop]
            best = np.maximum.accumulate(self.weights[own] * profile.found)
            gains[own] = np.diff(best, prepend=-profile.missed)
        return gains

    def last_rows(self) -> np.ndarray:
        """The last row of each threshold, in front of them −1 for a threshold above all scores."""
        return np.concatenate([[-1], np.flatnonzero(np.diff(self.scores, append=-np.inf))])

    def best_score(self, profile: NabProfile) -> NabScore:
        ends = self.last_rows()
        gains = np.concatenate([[0.0], self.gains(profile).cumsum()])
        return self._result(profile, int(ends[gains[ends + 1].argmax()]), gains)

    def score_at(self, profile: NabProfile, threshold: float) -> NabScore:
        last = int(np.searchsorted(-self.scores, -threshold, side="right")) - 1
        return self._result(profile, last, np.concatenate([[0.0], self.gains(profile).cumsum()]), threshold)

    def _result(self, profile: NabProfile, last: int, gains: np.ndarray, threshold: float | None = None) -> NabScore:
        scored = len(np.unique(self.window[self.window >= 0]))  # not those that lie in the probation
        nothing = -profile.missed * scored
        raw = nothing + float(gains[last + 1])
        flagged, inside = self.window[: last + 1], int((self.window >= 0).sum())
        tp = int((flagged >= 0).sum())
        fp = len(flagged) - tp
        if threshold is None:
            threshold = float(self.scores[last]) if last >= 0 else float("inf")
        return NabScore(
            score=100 * (raw - nothing) / (self.windows * profile.found - nothing),
            raw=raw,
            threshold=threshold,
            windows=scored,
            found=len(np.unique(flagged[flagged >= 0])),
            tp=tp,
            fp=fp,
            fn=inside - tp,
            tn=len(self.window) - inside - fp,
        )
