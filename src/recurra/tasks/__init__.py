"""The tasks: each module is one thing that a user can ask for."""

from recurra.tasks import classify, detect, embed, forecast, lm, tag
from recurra.tasks.base.settings import Files, Settings, names_files, unknown
from recurra.tasks.base.task import Facts, Task, get_task, register_task, task_names

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
