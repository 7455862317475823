"""Rules on what the network does when it reads: units that are dead, memories that are too short, gradients that vanish."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from recurra.explain.diagnosis.activity import FLAT, LayerActivity
from recurra.explain.diagnosis.evidence import Evidence
from recurra.explain.diagnosis.finding import Finding
from recurra.explain.diagnosis.lags import MAX_LAGS
from recurra.explain.memory import OPEN_BIAS
from recurra.formatting import count, decimal, per_cent

DEAD_SEVERE, DEAD_WARNING, DEAD_HINT = 0.9, 0.5, 0.1
"""Share of a layer's units that are the same at every step: nearly all, so that the layer says nothing; most; some."""
FLAT_SHARE = 0.5
"""Share of the candidates in saturation: of most no gradient comes back."""
HIGH_RATE = 10.0
"""A learning rate of another order of magnitude than the one that suits most trainings of the kind."""
UNTRAINED_KEEP = 0.5
"""What a cell keeps from step to step whose forget gate has a bias of zero, as was usual before Jozefowicz et al. 2015 (ICML, section 3.3) found it to be too low.
A layer whose best units keep less forgets faster than one that was never told to remember."""
BEST_UNITS = 0.9
"""The quantile of units that a layer's memory is judged by: a few that remember are enough."""
FURTHER_SHARE = 0.1
"""Share of what is gained by reading on that lies beyond a whole window more: above it, memory does not end near the window."""
DEVIATIONS = 5.0


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """Are there layers whose units are the same at every step, or that nothing can be learnt through any more?"""
    for each in _layers(evidence):
        share = float(each.still.float().mean())
        if share < DEAD_HINT:
            continue
        severity = "severe" if share >= DEAD_SEVERE else "warning" if share >= DEAD_WARNING else "hint"
        number, units = int(each.still.sum()), len(each.still)
        why = "their rectifiers never open, so no gradient reaches them" if not each.bounded else "whatever is read"
        sentence = f"In the layer {each.name}, {number} of {units} units give the same at every step: {why}."
        facts = {"dead": number, "units": units, "share": share}
        yield Finding("dead-units", severity, sentence, facts, _steadier(evidence, each))


def saturated_units(evidence: Evidence) -> Iterator[Finding]:
    """Are candidates so far in saturation that no gradient passes, and was it the learning rate that drove them there?"""
    flat = [each for each in _layers(evidence) if each.flat_share >= FLAT_SHARE]
    if not flat or evidence.probes is None:
        return
    worst, before = max(flat, key=lambda each: each.flat_share), evidence.probes.fresh_flat
    where = f"in {len(flat)} layers, most in {worst.name}" if len(flat) > 1 else f"in the layer {worst.name}"
    facts = {
        "flat_share": worst.flat_share,
        "flat_share_before": before,
        "lr": evidence.lr,
        "usual_lr": evidence.usual_lr,
    }
    what = (
        f"{per_cent(worst.flat_share)} of the candidates are beyond ±{FLAT:g}, where the tanh is flat and hardly any gradient passes ({where}; before training "
        f"{per_cent(before)} were)"
    )
    if evidence.lr >= HIGH_RATE * evidence.usual_lr and before < FLAT_SHARE:
        times = decimal(evidence.lr / evidence.usual_lr, 0)
        sentence = f"The learning rate of {evidence.lr:g} is too high, {times} times the usual: it has driven the cells into saturation. {what}."
        yield Finding("learning-rate-too-high", "warning", sentence, facts, evidence.lower_rate)
    else:
        sentence = f"The cells work as switches: {what}."
        yield Finding(
            "saturated-units", "hint", sentence, facts, _steadier(evidence, worst)
        )  # some tasks are for switches


def forget_bias_too_low(evidence: Evidence) -> Iterator[Finding]:
    """Do even the units that remember best lose half of their memory at each step?"""
    kept_by = {each.name: (each, kept) for each in _layers(evidence) if (kept := _best_kept(each)) is not None}
    if not kept_by or any(kept >= UNTRAINED_KEEP for _, kept in kept_by.values()):
        return  # one layer that remembers is enough
    best, kept = max(kept_by.values(), key=lambda pair: pair[1])
    bias = getattr(getattr(evidence.settings, "model", None), "forget_bias", 1.0)
    has_bias = best.keeping == "forget"
    steps = math.log(0.05) / math.log(max(kept, 1e-12))
    sentence = (
        f"Memory is short: even the tenth of the units that remember longest keep {per_cent(kept)} of it from one step to the "
        f"next (in the layer {best.name}), so that 5\u00a0% are left after {decimal(steps, 1)} steps."
    )
    facts = {"kept": kept, "steps_to_5_percent": steps, "forget_bias": bias}
    if has_bias and bias < 1.0:
        sentence += f" The forget gates began with a bias of {bias:g}."
        yield Finding("forget-bias-too-low", "warning", sentence, facts, evidence.command("--forget-bias 1"))
    else:  # it began as it should, and has learnt to forget: the data may not need more
        yield Finding("short-memory", "hint", sentence, facts)


def vanishing_gradient(evidence: Evidence) -> Iterator[Finding]:
    """Is nothing left of the gradient where the data have most to say, or within what a cell without gates reads?"""
    curves = [] if evidence.probes is None else [each for each in evidence.probes.lags if each.reach is not None]
    if evidence.probes is None or not curves or len(curves) < len(evidence.probes.lags):
        return  # where one layer carries it far enough, it arrives
    best = max(curves, key=lambda each: each.reach or 0)
    reach, lags, needed = best.reach or 0, len(best.norms) - 1, _lag_needed(evidence)
    is_plain = all(each.keeping is None for each in evidence.probes.layers)
    remedy = _longer_memory(evidence)
    sentence = (
        f"The gradient vanishes: {reach} steps back less than 5\u00a0% of it are left, of the {count(lags)}{' or more' if lags == MAX_LAGS else ''} that are read (in the "
        f"layer {best.name})."
    )
    if needed > reach:
        sentence += f" A unit of the text says most of the one {needed} steps later, which is hardly learnt from."
        facts = {"reach": reach, "lags": lags, "lag_needed": needed}
        yield Finding("vanishing-gradient", "warning", sentence, facts, remedy)
    elif is_plain and lags >= 10 and reach <= lags // 10:
        yield Finding("vanishing-gradient", "hint", sentence, {"reach": reach, "lags": lags}, remedy)


def window_too_short(evidence: Evidence) -> Iterator[Finding]:
    """Does the network, or do the data, look back further than the gradient is carried?"""
    if evidence.probes is None:
        return
    data = getattr(evidence.settings, "data", None)
    window = getattr(data, "bptt", None) or getattr(data, "window", None)
    if window is None:
        return
    flag = "--bptt" if hasattr(data, "bptt") else "--window"
    depends, gain = evidence.probes.dependence, evidence.probes.context
    if depends is not None and depends.beyond > depends.within and depends.score > DEVIATIONS:
        sentence = (
            f"The window is shorter than the memory needed: a unit says more of the one {depends.beyond_lag} steps later ({decimal(depends.beyond)} nats) than of any within "
            f"the window of {window} steps ({decimal(depends.within)} nats at most), and the gradient does not reach that far."
        )
        facts = {
            "window": window,
            "lag": depends.beyond_lag,
            "nats_beyond": depends.beyond,
            "nats_within": depends.within,
        }
        longer = evidence.command(f"{flag} {_power_of_two(2 * depends.beyond_lag)}")
        yield Finding("window-too-short", "warning", sentence, facts, longer)
    elif gain is not None and gain.further > max(FURTHER_SHARE * gain.any_before, DEVIATIONS * gain.error, 0.0):
        share = gain.further / gain.any_before
        sentence = (
            f"The network remembers beyond its window of {window} steps: reading on from what came before lowers the held-out loss by {decimal(gain.any_before)}, and "
            f"{per_cent(share)} of that by what lies further back than a whole window more, where no gradient reaches."
        )
        facts = {"window": window, "gain": gain.any_before, "gain_further": gain.further, "error": gain.error}
        yield Finding("window-too-short", "warning", sentence, facts, evidence.command(f"{flag} {4 * window}"))


def _layers(evidence: Evidence) -> list[LayerActivity]:
    return [] if evidence.probes is None else evidence.probes.layers


def _lag_needed(evidence: Evidence) -> int:
    """Give the lag at which the units of a text depend most on each other; 0 where it is not known."""
    depends = None if evidence.probes is None else evidence.probes.dependence
    if depends is None:
        return 0
    return depends.within_lag if depends.within >= depends.beyond else depends.beyond_lag


def _longer_memory(evidence: Evidence) -> str | None:
    """Say how to carry a gradient farther; None where the forget gates began open already. Cells without such a gate take no bias for it."""
    keeping = {each.keeping for each in _layers(evidence)}
    if "forget" not in keeping:
        return evidence.command("--cell lstm" if keeping == {None} else f"--cell lstm --forget-bias {OPEN_BIAS:g}")
    bias = getattr(getattr(evidence.settings, "model", None), "forget_bias", 1.0)
    return evidence.command(f"--forget-bias {OPEN_BIAS:g}") if bias < OPEN_BIAS else None


def _best_kept(activity: LayerActivity) -> float | None:
    kept = activity.kept
    return None if kept is None else float(torch.quantile(kept, BEST_UNITS))


def _steadier(evidence: Evidence, activity: LayerActivity) -> str:
    """Say how to train so that units live: at a lower rate, and with a bounded cell in the place of rectifiers."""
    cell = "" if activity.bounded or evidence.settings.model.cell != "rnn-relu" else " --cell gru"
    return evidence.command(f"--lr {evidence.lr / 3:.2g}{cell}")


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()
