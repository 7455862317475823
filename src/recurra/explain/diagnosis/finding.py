"""What a diagnosis is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["severe", "warning", "hint", "good"]
SEVERITIES: tuple[Severity, ...] = ("severe", "warning", "hint", "good")
"""From the worst to the best. severe: the model is of little use until it is mended.  warning: it would be better for it.
hint: to be known; nothing has to be done."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a training, or that nothing is.

    name: what it is called, the same for every run.  sentence: what was found, for people.  evidence: the numbers that it rests on.
    remedy: a command line that would mend it; None where no command can, and the sentence says what would.

    >>> Finding("too-few-data", "warning", "There are 20 training examples.", {"train": 20}).to_json()["evidence"]
    {'train': 20}
    """

    name: str
    severity: Severity
    sentence: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give all of it as JSON can hold it: null for a number that is not finite."""
        evidence = {name: value if math.isfinite(value) else None for name, value in self.evidence.items()}
        return {**asdict(self), "evidence": evidence}


def by_severity(findings: list[Finding]) -> list[Finding]:
    """Sort findings, the worst first; of equal ones the order stays."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
