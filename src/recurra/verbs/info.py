"""`recurra info [RUN]`."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Annotated, Any

import typer

from recurra.verbs.base.options import Json, print_json, print_line
from recurra.version import __version__

POSITION = 60


def info(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run folder.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Say what a run is, or without one, what this installation can do."""
    from recurra.kernels import native

    facts = _installation() if run is None else _run(run)
    facts["engine"] = native.describe()  # of this machine, whichever a run was trained on
    if json:
        print_json(facts)
        return
    evaluation = facts.pop("evaluation", None) or {"data": "", "metrics": {}}
    facts |= {f"{evaluation['data']} {name}": value for name, value in evaluation["metrics"].items()}
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print_line(f"{name:<{width}}  {value}")


def _run(path: Path) -> dict[str, Any]:
    from recurra.runs.run import Run

    return Run.load(path).info()


def _installation() -> dict[str, Any]:
    import torch

    return {
        "recurra": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "cpu features": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def register(root: typer.Typer) -> None:
    root.command("info")(info)
