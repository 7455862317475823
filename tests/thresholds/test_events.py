"""Events of flags, and telemanom's events against its rules applied step by step."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.decoding import DynamicThreshold, decide, events


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 4), st.integers(0, 3))
def test_events_are_the_runs_of_flags(flags, merge, shortest):
    steps, found = [step for step, flag in enumerate(flags) if flag], []
    for step in steps:
        if found and step - found[-1][1] <= merge:
            found[-1] = (found[-1][0], step + 1)
        else:
            found.append((step, step + 1))
    ours = events(np.array(flags, bool), merge=merge, shortest=shortest)
    assert ours == [(start, stop) for start, stop in found if stop - start >= shortest]
    scores = np.where(flags, 2.0, 1.0)
    assert events(scores, 1.0, merge=merge, shortest=shortest) == ours
    assert events(scores, np.full(len(flags), 1.5), merge=merge, shortest=shortest) == ours


def runs_of(steps):
    """(first, last) of consecutive steps, of two or more."""
    runs = [[step for _, step in run] for _, run in groupby(enumerate(sorted(steps)), lambda pair: pair[1] - pair[0])]
    return [(run[0], run[-1]) for run in runs if len(run) > 1]


def slow_z(errors, middle, spread, buffer):
    best, chosen = -1e7, 12.0
    for z in np.arange(2.5, 12.0, 0.5):
        over = [step for step, error in enumerate(errors) if error >= middle + z * spread]
        rest = [error for error in errors if error < middle + z * spread]
        around = {step + by for step in over for by in range(-buffer + 1, buffer) if 0 <= step + by < len(errors)}
        if not around:
            continue
        count = len(runs_of(around))
        gain = (middle - np.mean(rest)) / middle + (spread - np.std(rest)) / spread
        score = gain / (count**2 + len(around))
        if score >= best and count <= 5 and len(around) < len(errors) * 0.5:
            best, chosen = score, z
    return chosen


def slow_events(errors, values, how):
    """Section 3.2 and 3.3 and errors.py, step by step, with sets."""
    smoothed, total = [], len(errors)
    for step in range(total):
        weights = how.decay ** np.arange(step, -1, -1.0)
        smoothed.append(float(weights @ errors[: step + 1] / weights.sum()))
    smoothed = np.array(smoothed)
    if how.history:
        smoothed[: how.history] = smoothed[: 2 * how.history].mean()
    ignored = how.history * (0 if total < 1800 else 1 if total < 2500 else 2)
    size, found, judged = how.batch * how.windows, set(), ignored
    last = max(0, (total - size) // how.batch)
    for number in range(last + 1):
        start = number * how.batch
        stop = total if number == last else start + size
        part, held = smoothed[start:stop], values[start:stop]
        middle, spread = part.mean(), part.std()
        reach = np.percentile(held, 95) - np.percentile(held, 5)
        new = set()
        if (spread > 0.05 * held.std() or part.max() > 0.05 * reach) and part.max() > how.min_error:
            for e in (part, 2 * middle - part):
                line = middle + slow_z(e, middle, spread, how.buffer) * spread
                over = [step for step in range(len(e)) if e[step] >= line and e[step] > 0.05 * reach]
                around = {step + by for step in over for by in range(-how.buffer, how.buffer + 1)}
                around = {step for step in around if 0 <= step < len(e) and step + start >= judged}
                new |= slow_pruned(e, around, {step - start for step in found}, how.prune)
        found |= {step + start for step in new}
        judged = max(judged, stop)
    return [(first, end + 1) for first, end in runs_of(found)]


def slow_pruned(e, around, before, prune):
    runs = runs_of(around)
    tops = sorted((max(e[first : end + 1]) for first, end in runs), reverse=True)
    usual = [e[step] for step in range(len(e)) if step not in around and step not in before]
    below = [*tops, max(usual)] if usual and max(usual) > 0 else tops
    removed = set()
    for high, low in pairwise(below):
        removed = set() if (high - low) / high >= prune else removed | {high}
    kept = [run for run in runs if max(e[run[0] : run[1] + 1]) not in removed]
    return {step for first, end in kept for step in range(first, end + 1)}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 260), st.integers(0, 5))
def test_dynamic_events_are_those_of_the_rules(seed, size, bumps):
    chance = np.random.default_rng(seed)
    errors = np.abs(chance.normal(0, 0.1, size))
    for _ in range(bumps):
        start = int(chance.integers(size))
        errors[start : start + int(chance.integers(1, 20))] += chance.uniform(0.2, 3)
    values = chance.uniform(-1, 1, size)
    how = DynamicThreshold(batch=10, windows=8, buffer=6, history=int(chance.integers(0, 12)))
    assert how.events(errors, values) == slow_events(errors, values, how)


def test_smoothing_is_that_of_pandas():
    pandas = pytest.importorskip("pandas")
    errors = np.random.default_rng(0).uniform(size=400)
    theirs = pandas.Series(errors).ewm(span=105).mean().to_numpy()  # telemanom's 70 · 30 · 0.05
    np.testing.assert_allclose(DynamicThreshold().smooth(errors), theirs, rtol=1e-12)


def test_each_error_is_judged_at_once():
    chance = np.random.default_rng(3)
    errors = np.abs(chance.normal(0, 0.1, 4000))
    errors[3000:3040] += 2
    compared, thresholds, flags = decide(DynamicThreshold(), errors)
    assert np.isinf(thresholds[:279]).all()  # the first full batch that leaves the history behind
    found = np.flatnonzero(flags)
    assert 3000 <= found[0] < 3010
    assert found[-1] < 3200
    np.testing.assert_allclose(compared, DynamicThreshold().smooth(errors))


def test_without_anything_unusual_nothing_is_found():
    how = DynamicThreshold()
    assert how.events(np.zeros(3000)) == []
    assert how.events(np.full(3000, 0.3)) == []
    assert how.events(np.zeros(0)) == how.events(np.zeros(1)) == []
    small = np.abs(np.random.default_rng(0).normal(0, 1e-3, 3000))
    small[2000:2050] += 0.04
    assert how.events(small) == []  # below `min_error`
    assert len(DynamicThreshold(min_error=0.0).events(small)) == 1
    assert DynamicThreshold(min_error=0.0).events(small, np.linspace(-30, 30, 3000)) == []  # small beside the values
