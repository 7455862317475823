"""Each rule over records made up for it: what it finds, and what it leaves alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.explain.trainings import reviews, write_csv

import recurra
from recurra.explain.diagnosis import data_rules, network_rules, training_rules
from recurra.explain.diagnosis.activity import LayerActivity
from recurra.explain.diagnosis.context import ContextGain, Dependence
from recurra.explain.diagnosis.diagnose import diagnose
from recurra.explain.diagnosis.evidence import Evidence, Repeats, gather
from recurra.explain.diagnosis.finding import Finding
from recurra.explain.diagnosis.lags import LagCurve
from recurra.explain.diagnosis.losses import Losses
from recurra.explain.diagnosis.repeats import repeated_share
from recurra.nn import Stack
from recurra.runs.run import Run

Rule = Callable[[Evidence], Iterator[Finding]]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("rules")
    small = {
        "hidden": 4,
        "layers": 1,
        "epochs": 1,
        "linear": "none",
        "threads": 1,
        "precision": "float32",
        "quiet": True,
    }
    return gather(recurra.train("classify", write_csv(folder / "rows.csv", reviews(60)), folder / "run", **small))


def recorded(evidence: Evidence, **changed: Any) -> Evidence:
    return replace(evidence, record=replace(evidence.record, **changed))


def probed(evidence: Evidence, **changed: Any) -> Evidence:
    assert evidence.probes is not None
    return replace(evidence, probes=replace(evidence.probes, **changed))


def entries(losses: list[float], norms: list[float] | None = None) -> list[dict[str, Any]]:
    """A training log with a constant rate; norms: the largest of each entry."""
    found = [
        {"event": "train", "step": 10 * at, "loss": loss, "lr": 0.1, "grad_norm": 0.5} for at, loss in enumerate(losses)
    ]
    return [one | {"largest_norm": norm} for one, norm in zip(found, norms or [0.5] * len(losses), strict=True)]


def validations(values: list[float]) -> list[dict[str, Any]]:
    return [{"event": "valid", "step": 10 * at, "nll": value} for at, value in enumerate(values)]


def names(rule: Rule, evidence: Evidence) -> dict[str, str]:
    return {finding.name: finding.severity for finding in rule(evidence)}


FALLING = [4.0 * 0.8**at + 1 for at in range(24)]
FINISHED = {"event": "end", "reason": "finished", "step": 240}


def test_a_loss_that_rises_again_and_again_is_a_rate_too_high(evidence: Evidence) -> None:
    spiked = list(FALLING)
    for at in (6, 11, 16):
        spiked[at] = 4.5
    rule = training_rules.learning_rate_too_high
    assert names(rule, recorded(evidence, train=entries(spiked), end=FINISHED)) == {"learning-rate-too-high": "severe"}
    once = [*FALLING[:6], 4.5, *FALLING[7:]]
    assert names(rule, recorded(evidence, train=entries(once), end=FINISHED)) == {"loss-spike": "hint"}
    assert names(rule, recorded(evidence, train=entries(FALLING), end=FINISHED)) == {}


def test_a_loss_above_that_of_the_first_steps_is_a_rate_too_high(evidence: Evidence) -> None:
    above = [3.0, *[5.0 + 0.01 * (at % 3) for at in range(20)]]
    rule = training_rules.learning_rate_too_high
    assert names(rule, recorded(evidence, train=entries(above), end=FINISHED)) == {"learning-rate-too-high": "severe"}


def test_the_noise_of_small_batches_is_no_spike(evidence: Evidence) -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, size=200)
    losses = [2.0 * math.exp(-at / 10) + 1 + float(noise[at]) for at in range(200)]
    assert names(training_rules.learning_rate_too_high, recorded(evidence, train=entries(losses), end=FINISHED)) == {}


def test_what_diverged_with_clipping_had_too_high_a_rate(evidence: Evidence) -> None:
    diverged = recorded(evidence, end={"event": "end", "reason": "diverged", "step": 7})
    assert names(training_rules.learning_rate_too_high, diverged) == {"learning-rate-too-high": "severe"}


def test_large_gradients_that_nothing_clips_are_found(evidence: Evidence) -> None:
    norms = [0.6] * 24
    norms[12] = 60.0
    unclipped = recorded(evidence, train=entries(FALLING, norms), end=FINISHED)
    assert names(training_rules.exploding_gradients, unclipped) == {}  # 60 is clipped to 1
    unclipped.training.clip, before = math.inf, unclipped.training.clip
    try:
        assert names(training_rules.exploding_gradients, unclipped) == {"exploding-gradients": "warning"}
        steady = recorded(evidence, train=entries(FALLING), end=FINISHED)
        assert names(training_rules.exploding_gradients, steady) == {}
    finally:
        unclipped.training.clip = before


def test_held_out_data_that_get_worse_again_are_overfitting(evidence: Evidence) -> None:
    train = entries([2 - 0.05 * at for at in range(24)])
    slightly, much = [2.0, 1.5, 1.0, 1.0, 1.1, 1.2], [2.0, 1.5, 1.0, 1.2, 1.5, 2.2]
    rule = training_rules.overfitting
    none = probed(evidence, losses=Losses(None, 1.0, 2.0, None, None))
    assert names(rule, recorded(none, train=train, valid=validations(slightly))) == {"overfitting": "hint"}
    assert names(rule, recorded(none, train=train, valid=validations(much))) == {"overfitting": "warning"}
    by_heart = probed(evidence, losses=Losses("test", 0.5, 1.0, 0.8, 1.0, elements=200))
    assert names(rule, recorded(by_heart, train=train, valid=validations(slightly))) == {"overfitting": "warning"}
    assert names(rule, recorded(none, train=train, valid=validations([2.0, 1.5, 1.2, 1.1, 1.0, 1.0]))) == {}


@pytest.mark.parametrize(
    ("held_out", "fresh", "found"),
    [(0.55, 1.0, {}), (0.8, 1.0, {"overfitting": "warning"}), (0.7, 1.0, {"overfitting": "hint"}), (0.8, 1.3, {})],
)
def test_what_does_not_carry_over_is_overfitting(
    evidence: Evidence, held_out: float, fresh: float, found: dict[str, str]
) -> None:
    losses = Losses("test", 0.5, 1.0, held_out, fresh, elements=200)
    assert names(training_rules.overfitting, recorded(probed(evidence, losses=losses), valid=[])) == found


def test_a_part_of_a_few_examples_says_nothing_of_overfitting(evidence: Evidence) -> None:
    losses = Losses("test", 0.5, 1.0, 0.9, 1.0, elements=5)
    assert names(training_rules.overfitting, recorded(probed(evidence, losses=losses), valid=[])) == {}


def test_a_training_that_ended_too_early_is_found(evidence: Evidence) -> None:
    rule = training_rules.still_falling
    steep = recorded(evidence, valid=validations([2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6]), end=FINISHED)
    assert names(rule, steep) == {"still-falling": "warning"}
    flat = recorded(evidence, valid=validations([2.0, 1.2, 1.0, 0.9, 0.85, 0.84, 0.84, 0.83]), end=FINISHED)
    assert names(rule, flat) == {}
    interrupted = list(rule(recorded(evidence, end={"event": "end", "reason": "interrupted", "step": 3})))
    assert [(finding.name, finding.remedy) for finding in interrupted] == [
        ("interrupted", f"recurra train --resume {evidence.run.path}")
    ]


def test_rare_classes_are_an_imbalance_and_unseen_ones_untrained(evidence: Evidence) -> None:
    rare = probed(evidence, classes={"good": 500, "bad": 20, "never": 0})
    assert names(data_rules.imbalance, rare) == {"imbalance": "hint"}
    assert names(data_rules.untrained_classes, rare) == {"untrained-classes": "warning"}
    missed = {"event": "evaluation", "data": "test", "count": 60, "metrics": {}, "baselines": {}}
    missed["details"] = {"per_class": {"bad": {"support": 6, "recall": 0.0}}}
    (found,) = data_rules.imbalance(recorded(rare, evaluations=[missed]))
    assert found.severity == "warning"
    assert "--class-weights balanced" in (found.remedy or "")
    even = probed(evidence, classes={"good": 50, "bad": 40})
    assert names(data_rules.imbalance, even) == names(data_rules.untrained_classes, even) == {}


def test_a_baseline_that_is_better_is_named(evidence: Evidence) -> None:
    def measured(model: float) -> Evidence:
        baselines = {"majority": {"accuracy": 0.5}, "tfidf-logistic": {"accuracy": 0.9}}
        event = {"event": "evaluation", "data": "test", "count": 500, "metrics": {"accuracy": model}}
        details = {"per_class": {}, "intervals": {"accuracy": [model - 0.03, model + 0.03]}}
        return recorded(evidence, evaluations=[event | {"baselines": baselines, "details": details}])

    assert names(data_rules.baseline_is_better, measured(0.8)) == {"baseline-is-better": "warning"}
    assert names(data_rules.baseline_is_better, measured(0.88)) == {}
    assert names(data_rules.no_better_than_chance, measured(0.5)) == {"nothing-learnt": "severe"}
    assert names(data_rules.no_better_than_chance, measured(0.52)) == {"may-be-chance": "warning"}


def test_a_gradient_that_ends_before_the_data_need_it_has_vanished(evidence: Evidence) -> None:
    short = LagCurve("stack.layers.0", [0.5**at for at in range(101)])
    rule = network_rules.vanishing_gradient
    near, far = (Dependence(1.0, 1, 0.1, 40, 9.0), Dependence(1.0, 20, 0.1, 140, 9.0))
    assert names(rule, probed(evidence, lags=[short], dependence=near)) == {}  # a cell with gates, and nothing is lost
    assert names(rule, probed(evidence, lags=[short], dependence=far)) == {"vanishing-gradient": "warning"}
    (found,) = rule(probed(evidence, lags=[short], dependence=far))
    assert (found.remedy or "").endswith("--forget-bias 3")
    update = LayerActivity.of("stack.layers.0", Stack("gru", 2, [3]).layers[0])  # which has no forget gate
    (found,) = rule(probed(evidence, lags=[short], dependence=far, layers=[update]))
    assert (found.remedy or "").endswith("--cell lstm --forget-bias 3")
    long = LagCurve("stack.layers.1", [0.99**at for at in range(101)])
    assert names(rule, probed(evidence, lags=[short, long], dependence=far)) == {}


def test_a_text_that_was_copied_is_leakage(evidence: Evidence) -> None:
    assert names(data_rules.leakage, probed(evidence, repeats=Repeats(0.5, 40, "test"))) == {"leakage": "severe"}
    assert names(data_rules.leakage, probed(evidence, repeats=Repeats(0.001, 4000, "test"))) == {}
    rng = np.random.default_rng(0)
    train, test = rng.integers(60, size=20_000).astype(np.uint16), rng.integers(60, size=2000).astype(np.uint16)
    assert repeated_share([train], [test], 50) == (0.0, 40)
    assert repeated_share([train], [np.concatenate([test[:1000], train[7:1007]])], 50) == (0.5, 40)


def test_a_network_that_remembers_beyond_its_window_needs_a_longer_one(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sections:
        class data:
            bptt = 4

    monkeypatch.setattr(Evidence, "settings", property(lambda _: Sections))
    rule = network_rules.window_too_short
    near = ContextGain(any_before=0.5, further=0.001, error=0.0001, windows=50)
    far = ContextGain(any_before=0.5, further=0.2, error=0.01, windows=50)
    by_chance = ContextGain(any_before=0.01, further=0.005, error=0.004, windows=50)
    assert names(rule, probed(evidence, context=near)) == names(rule, probed(evidence, context=by_chance)) == {}
    (found,) = rule(probed(evidence, context=far))
    assert (found.name, (found.remedy or "").split()[-2:]) == ("window-too-short", ["--bptt", "16"])


def test_a_number_that_is_not_finite_is_null_in_json() -> None:
    assert Finding("nothing-learnt", "hint", "It.", {"loss": math.nan, "rows": 3}).to_json()["evidence"] == {
        "loss": None,
        "rows": 3,
    }


def test_asking_a_network_changes_nothing(evidence: Evidence) -> None:
    run = evidence.run
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    state = torch.get_rng_state()
    first = diagnose(run)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in run.network.state_dict().items())
    assert not any(module._forward_hooks for module in run.network.modules())
    assert diagnose(run) == first


def test_without_its_data_a_run_is_judged_by_its_record(evidence: Evidence, tmp_path: Path) -> None:
    rows = write_csv(tmp_path / "rows.csv", reviews(60, seed=5))
    small = {
        "hidden": 4,
        "layers": 1,
        "epochs": 1,
        "linear": "none",
        "threads": 1,
        "precision": "float32",
        "quiet": True,
    }
    recurra.train("classify", rows, tmp_path / "run", **small)
    rows.unlink()
    found = {finding.name: finding for finding in diagnose(Run.load(tmp_path / "run"))}
    assert "rows.csv" in found["not-probed"].sentence
