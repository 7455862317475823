"""The report of a run: its configuration and its metrics in, one self-contained page of HTML out.

A task describes itself by a `TaskDescription`, and says what there is to see of its evaluations by `recurra.report.blocks`.
"""

from recurra.report.description import TaskDescription
from recurra.report.page import write_report

__all__ = ["TaskDescription", "write_report"]
