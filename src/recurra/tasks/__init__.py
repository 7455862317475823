"""The tasks: each package or module is one thing that a user can ask for. They are found, not listed, and loaded when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recurra.tasks.base.config import DataFiles, RecurrentModel
    from recurra.tasks.base.inference import eval_mode
    from recurra.tasks.base.network import build_stack
    from recurra.tasks.base.predictor import Predictor
    from recurra.tasks.base.registry import get_task, register_task, task_names
    from recurra.tasks.base.settings import Files, Settings, is_file_setting, unknown_choice_message
    from recurra.tasks.base.task import DatasetSummary, Task

__all__ = [
    "DataFiles",
    "DatasetSummary",
    "Files",
    "Predictor",
    "RecurrentModel",
    "Settings",
    "Task",
    "build_stack",
    "eval_mode",
    "get_task",
    "is_file_setting",
    "register_task",
    "task_names",
    "unknown_choice_message",
]

_HOMES = {
    "config": ("DataFiles", "RecurrentModel"),
    "inference": ("eval_mode",),
    "network": ("build_stack",),
    "predictor": ("Predictor",),
    "registry": ("get_task", "register_task", "task_names"),
    "settings": ("Files", "Settings", "is_file_setting", "unknown_choice_message"),
    "task": ("DatasetSummary", "Task"),
}


def __getattr__(name: str) -> Any:
    # Tasks bring torch, which takes seconds to import: settings and options, which help is made of, must not wait for it.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"recurra.tasks.base.{home}"), name)
    raise AttributeError(f"module 'recurra.tasks' has no attribute {name!r}")
