"""The tasks: each module is one thing that a user can ask for."""

from recurra.tasks import lm
from recurra.tasks.base import Facts, Settings, Task, get_task, register_task, task_names

__all__ = ["Facts", "Settings", "Task", "get_task", "lm", "register_task", "task_names"]
