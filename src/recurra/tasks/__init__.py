"""The tasks: each module is one thing that a user can ask for."""

from recurra.tasks import classify, detect, embed, forecast, lm, tag
from recurra.tasks.base import Facts, Task, get_task, register_task, task_names
from recurra.tasks.settings import Files, Settings, names_files, unknown

__all__ = [
    "Facts",
    "Files",
    "Settings",
    "Task",
    "classify",
    "detect",
    "embed",
    "forecast",
    "get_task",
    "lm",
    "names_files",
    "register_task",
    "tag",
    "task_names",
    "unknown",
]
