"""Rules on the data: whether they say anything, whether there are enough, and whether the test is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from recurra.baselines import baseline_title, ignores_input
from recurra.explain.diagnosis.evidence import Evidence
from recurra.explain.diagnosis.finding import Finding, Severity
from recurra.explain.diagnosis.losses import MIN_ELEMENTS
from recurra.formatting import count, decimal, finite, per_cent
from recurra.metrics import Metric, headline_metric
from recurra.tasks.base.dataset import MIN_EXAMPLES_TO_VALIDATE

LEAKAGE = re.compile(r"leakage: ([\d,]+) of ([\d,]+) (.+)")
"""How the notes of all tasks say that held-out examples stand in the training data."""
LEAKAGE_SEVERE, LEAKAGE_WARNING = 0.1, 0.01
"""Shares of examples that are known: a score of shares can be too good by as much, ten points or one."""
FEW_EXAMPLES, FEW_OF_A_CLASS = 50, 10
"""Below which hardly anything is learnt: with ten examples a share is known to about ±30 points (1.96·√(0.25/10)), with fifty to ±14."""
FEW_UNITS, FEW_STEPS = 1000, 100
"""Units of a text, and steps of series, of which every pattern comes but a few times: a page, and eight years of months."""
LITTLE_LEARNT = 0.02
"""Share of the loss before training: less is within what a loss differs by from one part of the data to another."""
RARE = 0.1
"""A class with less than a tenth of the examples of the commonest."""
MAX_NAMED = 5


def no_better_than_chance(evidence: Evidence) -> Iterator[Finding]:
    """Is the network no better on held-out data than one that does not look at its input?"""
    evaluation = evidence.evaluation
    metric = None if evaluation is None else headline_metric(evaluation["metrics"])
    if evaluation is None or metric is None:
        return
    value = float(evaluation["metrics"][metric.key])
    blind = {name: own for name, own in _values(evaluation["baselines"], metric).items() if ignores_input(name)}
    seeing = {name: own for name, own in _values(evaluation["baselines"], metric).items() if not ignores_input(name)}
    if not blind:
        return
    name, chance = max(blind.items(), key=lambda item: -item[1] if metric.lower_is_better else item[1])
    if metric.key == "accuracy":
        chance = max(chance, _commonest_share(evaluation))
    if _is_better(metric, value, chance, evaluation):
        return  # see `baseline_is_better` for those that do
    facts = {"model": value, "chance": chance}
    beaten = f"on {evaluation['data']} it reaches {metric.title} {metric.format(value)}, and {baseline_title(name)}, which looks at no input, {metric.format(chance)}"
    losses = None if evidence.probes is None else evidence.probes.losses
    others_fail = bool(seeing) and not any(_is_better(metric, own, chance, evaluation) for own in seeing.values())
    by_heart = losses is not None and losses.carried_over is not None and losses.carried_over <= 0
    measured = evaluation["count"] >= MIN_ELEMENTS and "per_class" in evaluation.get("details", {})
    if measured and (others_fail or (by_heart and not seeing)):
        why = (
            "no baseline that reads the input does better either"
            if others_fail
            else "what it learnt holds for the training data alone"
        )
        sentence = f"The labels say nothing about the inputs: {beaten}; {why}. Look whether labels and inputs belong together, row by row."
        yield Finding("labels-say-nothing", "severe", sentence, facts)
        return
    if metric.compare(value, chance)[1]:
        sentence = f"It cannot be told from chance: {beaten}, and it is measured on {count(evaluation['count'])} {evidence.run.task.element[1]} only. Hold out more."
        yield Finding("may-be-chance", "warning", sentence, facts | {"count": evaluation["count"]})
        return
    best = max(seeing.items(), key=lambda item: -item[1] if metric.lower_is_better else item[1], default=None)
    more = (
        ""
        if best is None
        else f"; {baseline_title(best[0])} reaches {metric.format(best[1])}, so there is something to learn"
    )
    sentence = f"The network has learnt nothing of use: {beaten}{more}."
    yield Finding("nothing-learnt", "severe", sentence, facts, evidence.command(_defaults(evidence)))


def baseline_is_better(evidence: Evidence) -> Iterator[Finding]:
    """Does a plain baseline do better, by more than chance?"""
    evaluation = evidence.evaluation
    metric = None if evaluation is None else headline_metric(evaluation["metrics"])
    if evaluation is None or metric is None or any(no_better_than_chance(evidence)):
        return
    value, others = float(evaluation["metrics"][metric.key]), _values(evaluation["baselines"], metric)
    if not others:
        return
    name, best = max(others.items(), key=lambda item: -item[1] if metric.lower_is_better else item[1])
    if not _is_better(metric, best, value, evaluation):
        return
    words, _ = metric.compare(value, best)
    sentence = (
        f"A plain baseline is better: {baseline_title(name)} reaches {metric.title} {metric.format(best)} on {evaluation['data']}, the model {metric.format(value)}, "
        f"{words} it. Train longer, or use the baseline."
    )
    facts = {"model": value, "baseline": best}
    yield Finding("baseline-is-better", "warning", sentence, facts, evidence.command(_defaults(evidence)))


def nothing_learnt(evidence: Evidence) -> Iterator[Finding]:
    """Has training hardly changed the loss, where it began with no more than how often things come?"""
    if evidence.probes is None or evidence.probes.begins_with is not None or any(no_better_than_chance(evidence)):
        return
    if evidence.record.end.get("reason") == "diverged":
        return  # the weights are those of the first steps, which another rule says
    losses = evidence.probes.losses
    if losses.learnt >= LITTLE_LEARNT * abs(losses.fresh_train):
        return
    sentence = f"Training has hardly changed the loss: it is {decimal(losses.train)} on what was learnt from, and was {decimal(losses.fresh_train)} before."
    facts = {"loss": losses.train, "loss_before": losses.fresh_train}
    # These begin with how often things come, and nothing else; others may begin with a line that is hard to beat.
    begins_with_shares = evidence.probes.classes is not None or evidence.run.configuration.task == "lm"
    severity = "warning" if begins_with_shares else "hint"
    yield Finding("nothing-learnt", severity, sentence, facts, evidence.command(_defaults(evidence)))


def leakage(evidence: Evidence) -> Iterator[Finding]:
    """Does what is held out stand in the training data too?"""
    for note in evidence.notes:
        if match := LEAKAGE.fullmatch(note):
            known, whole = (int(number.replace(",", "")) for number in match.group(1, 2))
            if known:
                sentence = f"The test is none: {match[1]} of {match[2]} {match[3]}, so its figures are too good. Take them out of one of both."
                yield Finding(
                    "leakage", _leak_severity(known / max(1, whole)), sentence, {"known": known, "held_out": whole}
                )
    repeats = None if evidence.probes is None else evidence.probes.repeats
    if repeats is not None and repeats.share >= LEAKAGE_WARNING:
        sentence = (
            f"Of the {repeats.part} text, {per_cent(repeats.share)} of {count(repeats.passages)} passages stand in the training text word for word, so the figures "
            "are too good. Take them out of one of both."
        )
        facts = {"share": repeats.share, "passages": repeats.passages}
        yield Finding("leakage", _leak_severity(repeats.share), sentence, facts)


def _leak_severity(share: float) -> Severity:
    return "severe" if share >= LEAKAGE_SEVERE else "warning" if share >= LEAKAGE_WARNING else "hint"


def too_few_data(evidence: Evidence) -> Iterator[Finding]:
    """Are there too few examples to learn from, or to measure on?"""
    start = evidence.record.start
    kinds = ("examples", "captions", "signals", "pictures", "pairs", "units", "rows", "steps")
    kind = next((each for each in kinds if finite(start.get(f"train_{each}")) is not None), None)
    if kind is None:
        return
    train = start[f"train_{kind}"]
    whole = kind not in ("units", "rows", "steps")
    classes = {} if evidence.probes is None else evidence.probes.classes or {}
    scarce = [name for name, number in classes.items() if 0 < number < FEW_OF_A_CLASS]
    if train < (FEW_EXAMPLES if whole else FEW_UNITS if kind == "units" else FEW_STEPS):
        sentence = (
            f"There are {count(train)} {kind} to learn from: too few to learn much more than these by heart. Give more."
        )
        yield Finding("too-few-data", "warning", sentence, {"train": train})
    elif whole and train < MIN_EXAMPLES_TO_VALIDATE:
        sentence = f"There are {count(train)} {kind} to learn from; with more the figures would be better, and surer."
        yield Finding("few-data", "hint", sentence, {"train": train})
    elif scarce and len(scarce) > len(classes) / 2:
        sentence = f"{len(scarce)} of {len(classes)} classes have less than {FEW_OF_A_CLASS} training examples each. Give more of them, or put some together (--rename)."
        yield Finding("few-of-a-class", "hint", sentence, {"classes": len(scarce)})


def imbalance(evidence: Evidence) -> Iterator[Finding]:
    """Is a rare class never found, or are classes far from equally common?"""
    classes = {} if evidence.probes is None else dict(evidence.probes.classes or {})
    if len(classes) < 2 or not max(classes.values()):
        return
    most = max(classes.values())
    rare = {name: number for name, number in classes.items() if 0 < number < RARE * most}
    if not rare:
        return
    found = {} if evidence.evaluation is None else evidence.evaluation.get("details", {}).get("per_class", {})
    missed = [name for name in rare if found.get(name, {}).get("support", 0) >= 5 and found[name]["recall"] == 0]
    balance = "class_weights" in getattr(type(getattr(evidence.settings, "model", None)), "model_fields", ())
    facts = {"rare_classes": len(rare), "commonest": most, "rarest": min(rare.values()), "never_found": len(missed)}
    if missed:
        sentence = f"Rare classes are never found: {_named(missed)}. The commonest has {count(most)} training examples, these {count(min(rare[name] for name in missed))} or more."
        already = balance and evidence.settings.model.class_weights == "balanced"
        remedy = evidence.command("--class-weights balanced") if balance and not already else None
        yield Finding("imbalance", "warning", sentence, facts, remedy)
    else:
        sentence = f"Classes are far from equally common: the commonest has {count(most)} training examples, {_named(list(rare))} {count(min(rare.values()))} or more. Look at the recall of each."
        yield Finding("imbalance", "hint", sentence, facts)


def untrained_classes(evidence: Evidence) -> Iterator[Finding]:
    """Has the network an output for classes that training never saw?"""
    classes = {} if evidence.probes is None else evidence.probes.classes or {}
    never = [name for name, number in classes.items() if not number]
    if never:
        sentence = (
            f"The network has outputs for classes without one training example, which it cannot know: {_named(never)}."
        )
        yield Finding("untrained-classes", "warning", sentence, {"classes": len(never)})


def _values(baselines: Mapping[str, Mapping[str, float]], metric: Metric) -> dict[str, float]:
    return {name: own[metric.key] for name, own in baselines.items() if finite(own.get(metric.key)) is not None}


def _is_better(metric: Metric, value: float, chance: float, evaluation: Mapping[str, object]) -> bool:
    """Whether a value is better than chance by more than the interval of such a value is wide, where that is known."""
    details = evaluation.get("details")
    interval = (
        details.get("intervals", {}).get(metric.key)
        if isinstance(details, Mapping) and details.get("intervals")
        else None
    )
    ends = [finite(end) for end in interval] if isinstance(interval, list | tuple) else []
    half = (ends[1] - ends[0]) / 2 if len(ends) == 2 and ends[0] is not None and ends[1] is not None else 0.0
    return metric.compare(value, chance)[1] is True and abs(value - chance) > half


def _commonest_share(evaluation: Mapping[str, Any]) -> float:
    """Give the share of what is measured on that one class has: more than a majority learnt elsewhere can be right by chance."""
    supports = [
        finite(one.get("support")) or 0.0 for one in evaluation.get("details", {}).get("per_class", {}).values()
    ]
    return max(supports) / sum(supports) if sum(supports) else 0.0


def _named(names: list[str]) -> str:
    return ", ".join(names[:MAX_NAMED]) + (f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else "")


def _defaults(evidence: Evidence) -> str:
    """Say how to train longer: what is not learnt at all is either not learnt yet, or was lost by the settings."""
    return f"--epochs {4 * (evidence.training.epochs or 1):.2g}"
