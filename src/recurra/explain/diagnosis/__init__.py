"""What is good and what is wrong with a run, in plain sentences, each with its evidence and the command that would mend it.

A rule is a function from `Evidence`, all that is known of a run, to the findings that it has; `diagnose.RULES` lists them. A threshold says in its comment where it
comes from.
"""

from recurra.explain.diagnosis.diagnose import diagnose
from recurra.explain.diagnosis.finding import Finding
from recurra.explain.diagnosis.text import describe, diagnosis_blocks, to_json

__all__ = ["Finding", "describe", "diagnose", "diagnosis_blocks", "to_json"]
