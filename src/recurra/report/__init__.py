"""The report of a run: its configuration and its metrics in, one self-contained page of HTML out."""

from recurra.report.page import write_report

__all__ = ["write_report"]
