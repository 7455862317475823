"""A diagnosis as text, as JSON, and as blocks of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recurra.explain.diagnosis.finding import Finding
from recurra.formatting import count
from recurra.report.blocks import Block, Column, Table

_MARKS = {"severe": "✗", "warning": "!", "hint": "·", "good": "✓"}


def describe(findings: Sequence[Finding]) -> str:
    """Write findings for a terminal: each with its name, its sentence, its evidence and the command that would mend it.

    >>> print(describe([Finding("few-data", "hint", "There are 60 examples.", {"train": 60}, "recurra data list")]))
    · few-data (hint)
      There are 60 examples.
      evidence: train 60
      to mend it: recurra data list
    """
    return "\n\n".join("\n".join(_lines(finding)) for finding in findings)


def to_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Give findings as JSON holds them, in their order.

    >>> to_json([Finding("healthy", "good", "Nothing is wrong.")])
    [{'name': 'healthy', 'severity': 'good', 'sentence': 'Nothing is wrong.', 'evidence': {}, 'remedy': None}]
    """
    return [finding.to_json() for finding in findings]


def diagnosis_blocks(findings: Sequence[Finding]) -> list[Block]:
    """Give a table of the findings for a report."""
    columns = [Column("finding", "name"), Column("severity"), Column("what was found", "passage"), Column("to mend it")]
    rows = [
        (finding.name, finding.severity, (finding.sentence, format_evidence(finding.evidence)), finding.remedy or "–")
        for finding in findings
    ]
    return [Table("Diagnosis", columns, rows)] if rows else []


def format_evidence(evidence: Mapping[str, float]) -> str:
    """Write the numbers that a finding rests on, by their names.

    >>> format_evidence({"lr": 0.09, "spikes": 3, "share_above_start": 0.25})
    'lr 0.09, spikes 3, share above start 0.25'
    """
    return ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in evidence.items())


def _number(value: float) -> str:
    return count(value) if isinstance(value, int) else f"{value:.4g}"


def _lines(finding: Finding) -> list[str]:
    lines = [f"{_MARKS[finding.severity]} {finding.name} ({finding.severity})", f"  {finding.sentence}"]
    if finding.evidence:
        lines.append(f"  evidence: {format_evidence(finding.evidence)}")
    if finding.remedy is not None:
        lines.append(f"  to mend it: {finding.remedy}")
    return lines
