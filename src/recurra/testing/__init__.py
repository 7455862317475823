"""Public suites: what every cell and every task promises, for those of Recurra and for plug-ins alike.

The checks are plain functions that raise `AssertionError` with a message that says what was expected and what came;
they need no test framework.
"""

from recurra.testing.cells import cell_checks, check_cell
from recurra.testing.tasks import check_task, task_checks

__all__ = ["cell_checks", "check_cell", "check_task", "task_checks"]
