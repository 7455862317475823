"""The tasks: each module is one thing that a user can ask for."""

from recurra.tasks import lm
from recurra.tasks.base import Facts, Task, get_task, register_task, task_names
from recurra.tasks.settings import Files, Settings, names_files, unknown

__all__ = [
    "Facts",
    "Files",
    "Settings",
    "Task",
    "get_task",
    "lm",
    "names_files",
    "register_task",
    "task_names",
    "unknown",
]
