"""Adaptive thresholds: against known tails, scipy and slow ones by the papers' rules; cut anywhere and gone on with."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.decoding import AnomalyLikelihood, DynamicThreshold, PeaksOverThreshold, decide, events, fit_tail
from recurra.errors import UsageError

MAKERS = {
    "peaks": lambda: PeaksOverThreshold(risk=1e-2, level=0.9, warmup=30, max_peaks=12),
    "peaks with drift": lambda: PeaksOverThreshold(risk=1e-2, level=0.9, warmup=20, drift=7),
    "peaks in runs": lambda: PeaksOverThreshold(risk=1e-2, level=0.9, warmup=30, merge_gap=4, prior=10),
    "peaks, all learnt": lambda: PeaksOverThreshold(risk=1e-2, level=0.9, warmup=30, forget=False),
    "dynamic": lambda: DynamicThreshold(batch=5, windows=6, buffer=2, history=10, min_error=0.0),
    "dynamic, one step": lambda: DynamicThreshold(
        batch=1, windows=1, buffer=0, history=0, min_error=0.0, smoothing=1.0
    ),
    "likelihood": lambda: AnomalyLikelihood(long=17, short=3, warmup=8, risk=1e-2),
    "likelihood of means": lambda: AnomalyLikelihood(long=17, short=1, warmup=40, risk=1e-2, averaged=True),
}


def stream(seed: int, size: int) -> np.ndarray:
    """Scores with a few that are unusual, missing or infinite."""
    chance = np.random.default_rng(seed)
    scores = chance.gamma(2.0, size=size)
    for value, share in ((20.0, 0.04), (np.nan, 0.05), (np.inf, 0.02), (-np.inf, 0.01)):
        scores[chance.uniform(size=size) < share] = value
    return scores


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(0, 150), cuts=st.lists(st.integers(0, 150), max_size=3))
def test_a_stream_that_is_cut_anywhere_goes_on_as_if_it_were_not(name, seed, size, cuts):
    scores = stream(seed, size)
    whole = decide(MAKERS[name](), scores)
    parts, threshold = [], MAKERS[name]()
    for part in np.split(scores, sorted(min(cut, size) for cut in cuts)):
        parts.append(decide(threshold, part))
        saved = {key: (array.dtype.str, array.tolist()) for key, array in threshold.state().items()}
        saved = json.loads(json.dumps(saved))  # nothing but numbers, and all of their digits
        state = {key: np.array(numbers, dtype) for key, (dtype, numbers) in saved.items()}
        threshold = MAKERS[name]().resume(state)
    for number in range(3):
        np.testing.assert_array_equal(np.concatenate([part[number] for part in parts]), whole[number])


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_missing_or_infinite_changes_nothing(name):
    scores = np.random.default_rng(1).gamma(2.0, size=120)
    clean, odd = MAKERS[name](), MAKERS[name]()
    for number, score in enumerate(scores.tolist()):
        assert not odd.step(math.nan).unusual
        assert not odd.step(-math.inf).unusual
        assert odd.step(math.inf).unusual == (odd.threshold < math.inf)
        assert odd.step(score) == clean.step(score), number
    assert clean.threshold < math.inf


@pytest.mark.parametrize("name", MAKERS)
def test_no_stream_breaks_a_threshold(name):
    for scores in (np.zeros(200), np.full(200, 1e300), np.full(200, 0.1), np.arange(200.0), -np.arange(200.0) * 1e-300):
        compared, thresholds, _ = decide(MAKERS[name](), scores)
        assert not np.isnan(compared).any()
        assert not np.isnan(thresholds).any()
    assert not decide(MAKERS[name](), np.full(200, 0.1))[2].any()


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2, 0.6])
def test_a_tail_is_fitted_as_well_as_by_the_greatest_likelihood(shape):
    genpareto = pytest.importorskip("scipy.stats").genpareto
    errors, peers = [], []
    for seed in range(20):
        sample = genpareto.rvs(shape, scale=3.0, size=300, random_state=seed)
        errors.append([found - true for found, true in zip(fit_tail(sample), (shape, 3.0), strict=True)])
        peer_shape, _, peer_scale = genpareto.fit(sample, floc=0)
        peers.append([peer_shape - shape, peer_scale - 3.0])
    ours, theirs = (np.sqrt(np.square(each).mean(0)) for each in (errors, peers))
    assert (ours < 1.15 * theirs).all(), (ours, theirs)
    assert np.abs(np.mean(errors, 0)).max() < 0.25  # a bias of less than a standard error of the scale


def test_a_tail_that_is_cut_off_is_fitted_by_what_is_known():
    genpareto = pytest.importorskip("scipy.stats").genpareto
    found = []
    for seed in range(20):
        sample = genpareto.rvs(0.1, scale=2.0, size=1000, random_state=seed)
        found.append(fit_tail(np.minimum(sample, 5.0), sample < 5.0))
    assert np.mean(found, 0) == pytest.approx((0.1, 2.0), abs=0.05)
    assert fit_tail(np.minimum(sample, 5.0))[0] < -0.05  # what forgetting that it was cut makes of it


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60), st.floats(1e-200, 1e200))
def test_a_tail_always_exists_and_grows_with_its_unit(excesses, unit):
    shape, scale = fit_tail(np.array(excesses))
    assert math.isfinite(shape)
    assert scale > 0
    other, larger = fit_tail(np.array(excesses) * unit)
    assert other == pytest.approx(shape, abs=1e-6, rel=1e-6)
    assert larger == pytest.approx(scale * unit, rel=1e-6)


@pytest.mark.parametrize(
    ("risk", "drift", "forget"), [(1e-2, 0, False), (1e-3, 0, False), (1e-3, 50, False), (1e-2, 0, True)]
)
def test_usual_scores_are_flagged_as_often_as_the_risk(risk, drift, forget):
    chance = np.random.default_rng(5)
    scores = chance.normal(size=30_000) ** 2
    if drift:
        scores += np.linspace(0, 100, len(scores))  # without drift nearly all would be flagged
    flags = decide(PeaksOverThreshold(risk=risk, level=0.96, drift=drift, warmup=2000, forget=forget), scores)[2]
    share = flags.sum() / (len(scores) - 2000) / risk
    if forget:
        assert 2 < share < 6
    else:
        assert abs(share - 1) < 4 / math.sqrt(risk * len(scores))


def test_peaks_by_hand():
    """t = 0.9; two peaks, so the tail is exponential with their mean: z = 0.9 − σ·log(risk·n / N)."""
    threshold = PeaksOverThreshold(risk=1e-3, level=0.9, warmup=21)
    scores = np.arange(21) / 20
    _, thresholds, _ = decide(threshold, scores)
    assert np.isinf(thresholds).all()
    assert threshold.threshold == pytest.approx(0.9 - 0.075 * math.log(1e-3 * 21 / 2))
    assert not threshold.step(1.2).unusual
    assert threshold.threshold == pytest.approx(0.9 - (0.05 + 0.1 + 0.3) / 3 * math.log(1e-3 * 22 / 3))
    before = threshold.threshold
    assert threshold.step(9.0).unusual
    assert threshold.threshold == before
    assert PeaksOverThreshold(risk=1e-3, level=0.9).fit(scores).step(1.2) == (
        1.2,
        pytest.approx(1.2415, abs=1e-3),
        False,
    )


def test_a_run_of_peaks_counts_once_when_it_is_over_and_not_at_all_where_one_is_unusual():
    """t = 0.9 and the peaks 0.05 and 0.1 of one run, which counts as 0.1; risk·n / N is 10⁻³·21 / 1."""
    threshold = PeaksOverThreshold(risk=1e-3, level=0.9, merge_gap=2).fit(np.arange(21) / 20)
    initial = 0.9 - 0.1 * math.log(1e-3 * 21)
    assert threshold.threshold == pytest.approx(initial)
    for score in (1.0, 1.1, 0.0, 1.0, 0.0):
        assert not threshold.step(score).unusual
        assert threshold.threshold == pytest.approx(initial)
    threshold.step(0.0)
    assert threshold.threshold == pytest.approx(0.9 - (0.1 + 0.2) / 2 * math.log(1e-3 * 27 / 2))
    before = threshold.threshold
    flags = [threshold.step(score).unusual for score in (1.2, 1.5, 9.0, 1.5, 0.0, 0.0)]
    assert flags == [False, False, True, False, False, False] and threshold.threshold == before


def test_a_prior_draws_the_shape_to_that_of_an_exponential_tail():
    scores = np.random.default_rng(1).pareto(2.0, 700)
    alone, drawn = (PeaksOverThreshold(risk=1e-3, prior=prior).fit(scores) for prior in (0.0, 1e9))
    base = np.quantile(scores, 0.98)
    _, scale = fit_tail(scores[scores > base] - base)
    assert drawn.threshold == pytest.approx(base - scale * math.log(1e-3 * 700 / 14), rel=1e-6)
    assert alone.threshold > drawn.threshold


def test_a_fault_that_begins_beneath_the_threshold_hides_neither_itself_nor_the_next():
    chance = np.random.default_rng(3)
    usual = chance.exponential(0.4, 3000)
    usual[1000:1024] = np.linspace(3.0, 9.0, 24)
    usual[2000:2012] = 18.0

    def flagged(**settings):
        flags = decide(PeaksOverThreshold(risk=1e-4, **settings).fit(chance.exponential(0.4, 680)), usual)[2]
        return flags[1000:1024].any(), flags[2000:2012].all()

    assert flagged(merge_gap=10, prior=10.0) == (True, True)
    assert flagged() != (True, True)


def test_likelihood_is_that_of_the_paper():
    norm = pytest.importorskip("scipy.stats").norm
    scores = np.random.default_rng(2).gamma(2.0, size=300) + 1e6
    for averaged in (False, True):
        short = np.array([scores[max(0, t - 4) : t + 1].mean() for t in range(300)])
        known = short if averaged else scores
        found, thresholds, _ = decide(AnomalyLikelihood(long=60, short=5, warmup=20, averaged=averaged), scores)
        assert (np.isinf(thresholds) == (np.arange(300) < 19)).all()
        for t in range(19, 300):
            window = known[max(0, t - 59) : t + 1]
            expected = -norm.logsf((short[t] - window.mean()) / window.std()) / math.log(10)
            assert found[t] == pytest.approx(expected, rel=1e-6)


def test_a_score_that_was_huge_leaves_nothing_behind():
    scores = np.random.default_rng(2).gamma(2.0, size=400)
    odd = np.concatenate([[1e9, -1e12], scores])
    ours, plain = (decide(AnomalyLikelihood(long=50, short=3, warmup=20), each)[0] for each in (odd, scores))
    np.testing.assert_allclose(ours[60:], plain[58:], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PeaksOverThreshold(risk=0.05), "risk: expected a probability from 0 to 1 − level = 0.02, got 0.05"),
        (lambda: PeaksOverThreshold(warmup=1), "warmup, drift and max_peaks"),
        (lambda: PeaksOverThreshold(merge_gap=-1), "merge_gap and prior: expected numbers from 0, got -1 and 0.0"),
        (lambda: PeaksOverThreshold(drift=5).fit(np.zeros(6)), "expected 7 finite ones or more to begin with, got 6"),
        (lambda: fit_tail(np.array([0.0, 1.0])), "expected finite numbers above 0, got 2"),
        (lambda: fit_tail(np.zeros(0)), "above 0, got 0"),
        (lambda: AnomalyLikelihood(short=10, long=10), "the second longer, got 10, 10"),
        (lambda: AnomalyLikelihood(risk=0), "risk and min_std"),
        (lambda: AnomalyLikelihood(warmup=1), "warmup: expected 2"),
        (lambda: DynamicThreshold(batch=0), "batch, windows, buffer and history"),
        (lambda: DynamicThreshold(prune=1), "smoothing, prune and min_error"),
        (lambda: DynamicThreshold().events(np.array([1.0, np.nan])), "errors: expected finite numbers"),
        (lambda: DynamicThreshold().events(np.zeros(3), np.zeros(2)), "expected one for each of 3 errors, got 2"),
        (lambda: events(np.zeros((2, 2))), "scores: expected"),
        (lambda: events(np.zeros(2), np.zeros(3)), "scores: expected"),
        (lambda: events(np.zeros(2), merge=-1), "merge and shortest"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
