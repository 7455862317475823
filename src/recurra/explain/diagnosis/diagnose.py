"""The diagnosis itself: every rule, in an order, over one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from recurra.explain.diagnosis import data_rules, network_rules, training_rules
from recurra.explain.diagnosis.evidence import Evidence, gather
from recurra.explain.diagnosis.finding import Finding, by_severity
from recurra.explain.diagnosis.training_rules import CARRIED_OVER
from recurra.runs.run import Run

Rule = Callable[[Evidence], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    training_rules.learning_rate_too_high,
    training_rules.exploding_gradients,
    data_rules.no_better_than_chance,
    data_rules.baseline_is_better,
    data_rules.nothing_learnt,
    data_rules.leakage,
    network_rules.dead_units,
    network_rules.saturated_units,
    network_rules.forget_bias_too_low,
    network_rules.window_too_short,
    network_rules.vanishing_gradient,
    training_rules.overfitting,
    training_rules.still_falling,
    data_rules.too_few_data,
    data_rules.imbalance,
    data_rules.untrained_classes,
)
"""What is looked for; of findings that are equally severe, the earlier comes first."""


def diagnose(run: Run) -> list[Finding]:
    """Say what is wrong with a run, the worst first, from its record, its weights and, where they are still there, its data.

    The network is asked again on some of its own data: on one core it takes seconds. Where the data cannot be read again, that is a finding too
    (`not-probed`), and only the record is looked at. Where nothing is above a hint, the first finding is `healthy`.

    >>> import recurra, tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "verse.txt").write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, hidden=32, layers=1, epochs=20)
    >>> "leakage" in [finding.name for finding in diagnose(run)]
    True
    """
    evidence = gather(run)
    found = [finding for rule in RULES for finding in rule(evidence)]
    if evidence.probes is None:
        sentence = (
            f"Only the record was looked at, not the network: its data cannot be read again ({evidence.why_not})."
        )
        found.append(Finding("not-probed", "hint", sentence))
    if all(finding.severity == "hint" for finding in found):
        found.append(_healthy(evidence))
        return [found[-1], *found[:-1]]
    return by_severity(found)


def _healthy(evidence: Evidence) -> Finding:
    """Say that nothing is wrong, and what speaks for it."""
    losses = None if evidence.probes is None else evidence.probes.losses
    share = None if losses is None else losses.carried_over
    facts = {"rules": len(RULES)} | ({} if share is None else {"carried_over": share})
    holds = ", and what was learnt holds on held-out data" if share is not None and share >= CARRIED_OVER else ""
    return Finding("healthy", "good", f"Nothing is wrong that could be seen: the training was steady{holds}.", facts)
