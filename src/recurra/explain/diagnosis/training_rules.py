"""Rules on the course of a training: was it steady, did it go too far, or not far enough."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from recurra.explain.diagnosis.evidence import Evidence
from recurra.explain.diagnosis.finding import Finding
from recurra.formatting import count, decimal, finite, per_cent
from recurra.metrics import Metric, get_metric, metric_keys
from recurra.report.record import Event

MIN_ENTRIES = 8
"""Entries of a log from which on its course says something."""
SPIKE_SHARE = 0.5
"""A rise that undoes this share of all that had been learnt: a scale that every loss has, whatever its unit."""
SPIKE_DEVIATIONS = 5.0
"""By how many standard deviations of the usual change between entries a rise has to be above chance."""
MIN_SPIKES = 3
"""One spike may be one odd batch."""
EXPLODING_RATIO = 10.0
"""Norm of a gradient, as a multiple of the usual one, that each threshold for clipping would cut that Pascanu et al. 2013 recommend: from half to ten times the
average (arXiv:1211.5063v2, section 3.2)."""
GIVEN_BACK = 0.1
"""Share of the whole improvement on held-out data; a tenth is far above what validations differ by chance, and worth a training."""
CARRIED_OVER, CARRIED_OVER_WARNING = 0.75, 0.5
"""Share of what was learnt that has to hold on held-out data too; below half, most of what was learnt is of no use."""
MIN_VALIDATIONS = 4


def learning_rate_too_high(evidence: Evidence) -> Iterator[Finding]:
    """Does the loss rise again, by more than chance, or stay above where it began, while the rate is high?"""
    end, entries = evidence.record.end, _entries(evidence.record.train)
    lower = evidence.lower_rate
    if end.get("reason") == "diverged" and math.isfinite(evidence.training.clip):
        step = count(end.get("step"))
        sentence = f"Training broke off at step {step}: the loss was no number any more. The learning rate of {evidence.lr:g} is too high."
        yield Finding(
            "learning-rate-too-high", "severe", sentence, {"lr": evidence.lr, "step": end.get("step", 0)}, lower
        )
        return
    if len(entries) < MIN_ENTRIES:
        return
    losses = [loss for _, loss, _ in entries]
    peak = max(lr for _, _, lr in entries)
    high = [at for at, (_, _, lr) in enumerate(entries) if lr >= peak / 2]
    spikes, above = [at for at in _spikes(losses) if at <= max(high)], _above_start(losses, high)
    facts = {"lr": evidence.lr, "spikes": len(spikes), "share_above_start": round(above, 4)}
    if len(spikes) >= MIN_SPIKES or above >= SPIKE_SHARE:
        what = (
            f"the loss rose {len(spikes)} times so far that half of what had been learnt was lost again"
            if len(spikes) >= MIN_SPIKES
            else f"in {per_cent(above)} of the entries the loss was above that of the first steps"
        )
        sentence = (
            f"While the learning rate was above half of its highest value, {evidence.lr:g}, {what}: it is too high."
        )
        yield Finding("learning-rate-too-high", "severe", sentence, facts, lower)
    elif spikes:
        step = count(entries[spikes[0]][0])
        sentence = f"At step {step} the loss rose so far that half of what had been learnt was lost for a while; a lower learning rate would be steadier."
        yield Finding("loss-spike", "hint", sentence, facts, lower)


def exploding_gradients(evidence: Evidence) -> Iterator[Finding]:
    """Are there gradients far above the usual, and none is clipped?"""
    entries = [one for one in evidence.record.train if finite(one.get("largest_norm")) is not None]
    clip, diverged = evidence.training.clip, evidence.record.end.get("reason") == "diverged"
    norms = [norm for one in evidence.record.train if (norm := finite(one.get("grad_norm"))) is not None]
    # The usual is not below what random weights began with: at the end of a training gradients may be all but zero.
    usual = max(median(norms), norms[0]) if norms else 0.0
    if clip <= EXPLODING_RATIO * usual:
        return
    # The first steps, from random weights, have large gradients in every training.
    later = entries[len(entries) // 10 :]
    largest = max((one["largest_norm"] for one in later), default=0.0)
    if not diverged and (len(norms) < MIN_ENTRIES or largest < EXPLODING_RATIO * usual):
        return
    facts = {"largest_norm": largest, "usual_norm": usual, **({"clip": clip} if math.isfinite(clip) else {})}
    how = "nothing is clipped" if math.isinf(clip) else f"gradients are clipped above {clip:g} only"
    if diverged:
        what = f"Gradients exploded: training broke off at step {count(evidence.record.end.get('step'))}"
    else:
        what = f"Gradients explode now and then: the largest norm was {decimal(largest)}, {decimal(largest / usual, 0)} times the usual {decimal(usual)}"
    lost = bool(_spikes([loss for _, loss, _ in _entries(evidence.record.train)]))
    sentence = f"{what}, and {how}."
    suggested = f"{usual:.1g}" if usual and not diverged else "1"
    yield Finding(
        "exploding-gradients",
        "severe" if diverged or lost else "warning",
        sentence,
        facts,
        evidence.command(f"--clip {suggested}"),
    )


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """Did held-out data get worse again, or does little of what was learnt hold on them?"""
    losses = None if evidence.probes is None else evidence.probes.losses
    share = None if losses is None or _is_small(evidence) else losses.carried_over
    valid, metric = evidence.record.valid, _criterion(evidence.record.valid)
    if metric is not None and len(valid) >= MIN_VALIDATIONS:
        signed = _signed([one[metric.key] for one in valid], metric)
        best = max(range(len(signed)), key=signed.__getitem__)
        gain, lost = signed[best] - signed[0], signed[best] - signed[-1]
        course = [loss for step, loss, _ in _entries(evidence.record.train) if step >= valid[best]["step"]]
        falls = len(course) > 1 and course[-1] < course[0]
        if falls and len(signed) - best > 2 and gain > 0 and lost >= GIVEN_BACK * gain:
            values = [metric.format(valid[at][metric.key]) for at in (best, -1)]
            sentence = (
                f"It learns the training data by heart: held-out {metric.title} was best at step {count(valid[best]['step'])} ({values[0]}) and "
                f"worse at the end ({values[1]}), while the training loss fell on. The weights of the best step are kept."
            )
            facts = {"best": valid[best][metric.key], "last": valid[-1][metric.key], "best_step": valid[best]["step"]}
            # Since these are kept, little is lost, unless most of what even they know is of the training data alone, or all that was gained was lost.
            is_bad = lost > gain if share is None else share < CARRIED_OVER
            yield Finding("overfitting", "warning" if is_bad else "hint", sentence, facts, _regularise(evidence))
            return
    if losses is None or share is None or losses.held_out is None or share >= CARRIED_OVER:
        return
    sentence = (
        f"It has learnt much that holds for the training data alone: loss {decimal(losses.train)} there, {decimal(losses.held_out)} on {losses.part}; "
        f"of what training has lowered it by, {per_cent(max(0.0, share))} carries over."
    )
    facts = {"train_loss": losses.train, "held_out_loss": losses.held_out, "carried_over": share}
    severity = "warning" if share < CARRIED_OVER_WARNING else "hint"
    yield Finding("overfitting", severity, sentence, facts, _regularise(evidence))


def still_falling(evidence: Evidence) -> Iterator[Finding]:
    """Was training ended, or interrupted, while it still got better?"""
    end, run = evidence.record.end, evidence.run
    if end.get("reason") == "interrupted":
        step, steps = end.get("step", 0), evidence.record.start.get("steps", 0)
        sentence = f"Training was interrupted at step {count(step)} of {count(steps)}."
        yield Finding(
            "interrupted", "warning", sentence, {"step": step}, f"recurra train --resume {shlex.quote(str(run.path))}"
        )
        return
    metric, valid = _criterion(evidence.record.valid), evidence.record.valid
    if end.get("reason") != "finished" or metric is None or len(valid) < MIN_VALIDATIONS:
        return
    signed = _signed([one[metric.key] for one in valid], metric)
    third = signed[-max(2, len(signed) // 4) - 1]
    whole, last = max(signed) - signed[0], max(signed[-2:]) - third
    share = last / whole if whole > 0 else 0.0
    if share < GIVEN_BACK:
        return
    sentence = (
        f"Training ended while it still got better: of all that held-out {metric.title} improved, {per_cent(share)} came in the last quarter. "
        "A longer one would go on."
    )
    flags = (
        f"--epochs {2 * (evidence.training.epochs or 1):.2g}" if evidence.training.within is None else _longer(evidence)
    )
    severity = "warning" if share >= 2 * GIVEN_BACK else "hint"
    yield Finding("still-falling", severity, sentence, {"share_in_last_quarter": share}, evidence.command(flags))


def _longer(evidence: Evidence) -> str:
    return f"--within {math.ceil(2 * (evidence.training.seconds or 60))}s"


def _is_small(evidence: Evidence) -> bool:
    """Whether training has hardly changed the loss: a share of so little says nothing."""
    losses = None if evidence.probes is None else evidence.probes.losses
    return losses is None or losses.learnt < 0.02 * abs(losses.fresh_train)


def _regularise(evidence: Evidence) -> str:
    """Say how to learn less by heart: more dropout, and stop once it does not help."""
    dropout = getattr(getattr(evidence.settings, "model", None), "dropout", None) or 0.0
    return evidence.command(f"--dropout {min(0.7, max(0.3, dropout + 0.2)):.2g} --patience 4")


def _entries(train: Sequence[Event]) -> list[tuple[float, float, float]]:
    """Give (step, loss, learning rate) of all entries that have them."""
    found = [(one.get("step"), finite(one.get("loss")), finite(one.get("lr"))) for one in train]
    return [(float(step or 0), loss, lr) for step, loss, lr in found if loss is not None and lr is not None]


def _noise(losses: Sequence[float]) -> float:
    """Estimate the standard deviation of an entry from the changes between neighbours, whatever the course and its spikes."""
    changes = [abs(after - before) for before, after in pairwise(losses)]
    return 1.4826 * median(changes) / math.sqrt(2) if changes else 0.0


def _spikes(losses: Sequence[float]) -> list[int]:
    """Give the entries at which a rise begins that undoes half of what was learnt till then.

    >>> _spikes([4, 3, 2, 1.5, 1.4, 3.5, 3.6, 1.4, 1.3, 1.2, 1.1, 1.05, 1.0])
    [5]
    """
    if not losses:
        return []
    start, whole, noise = losses[0], losses[0] - min(losses), _noise(losses)
    best, found, risen = start, list[int](), False
    for at, loss in enumerate(losses):
        learnt, lost = start - best, loss - best
        counts = learnt >= 0.2 * whole and learnt > SPIKE_DEVIATIONS * noise
        is_risen = counts and lost >= SPIKE_SHARE * learnt and lost > SPIKE_DEVIATIONS * noise
        if is_risen and not risen:
            found.append(at)
        risen, best = is_risen, min(best, loss)
    return found


def _above_start(losses: Sequence[float], among: Sequence[int]) -> float:
    """Give the share of some entries whose loss is above the first one's by more than chance."""
    if not among:
        return 0.0
    limit = losses[0] + SPIKE_DEVIATIONS * _noise(losses[len(losses) // 2 :])
    return sum(losses[at] > limit for at in among) / len(among)


def _criterion(valid: Sequence[Event]) -> Metric | None:
    """Give the metric that training goes by, where its direction is known."""
    keys = metric_keys(valid[0]) if valid else []
    metric = get_metric(keys[0]) if keys else None
    known = metric is not None and metric.lower_is_better is not None
    return metric if known and all(finite(one.get(keys[0])) is not None for one in valid) else None


def _signed(values: Sequence[float], metric: Metric) -> list[float]:
    """Give values that are better the higher they are."""
    return [-value if metric.lower_is_better else value for value in values]
