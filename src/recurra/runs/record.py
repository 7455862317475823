"""What a training writes down of itself at its start and at its end."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from recurra.errors import RunError
from recurra.report import write_report
from recurra.tasks import DatasetSummary, Task
from recurra.training.loop import Trainer


def start_event(summary: DatasetSummary, trainer: Trainer) -> dict[str, Any]:
    """Give the first event of a training's metrics."""
    return {
        "event": "start",
        "parameters": sum(p.numel() for p in trainer.state.network.parameters()),
        **summary.counts,
        "steps": trainer.plan.steps,
        "precision": trainer.plan.precision,
        "threads": trainer.plan.threads,
        "device": trainer.training.device,
        "plan": trainer.plan.sentence,
        "fingerprint": summary.fingerprint,
        "began": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def write_task_report(folder: Path, task: Task) -> list[str]:
    """Write the report and give its name; where the task's part of it fails there is none, and the run is whole without."""
    try:
        return [write_report(folder, task.description(), task.report_blocks).name]
    except (OSError, RunError):  # the folder's fault, which nothing else could be written to either
        raise
    except Exception as error:  # noqa: BLE001  a task may raise anything, and must not lose a run
        (folder / "report.html").unlink(missing_ok=True)  # that of an earlier part of this training
        print(f"report: it could not be drawn: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return []
