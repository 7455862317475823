"""What other packages add: it is found, and one that is broken takes nothing else down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TASK = """
from recurra.tasks import Settings, Task, register_task
class Mine(Task):
    name, title, Config = "mine", "Mine", Settings
register_task(Mine)
"""
VERB = """
POSITION = 25
def register(app):
    @app.command("{name}")
    def command() -> None:
        print("here I am")
"""


def run(folder: Path, group: str, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a command where another package has one module, which an entry point of the group names."""
    (folder / "theirs.py").write_text(source)
    about = folder / "their_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\nnew = theirs\n")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


COMMAND = ("-c", "from recurra.cli import main; main()")
LIST = ("-c", "from recurra.tasks import task_names; print(*task_names()); print(*task_names())")


def test_a_verb_of_another_package_is_found(tmp_path: Path) -> None:
    done = run(tmp_path, "recurra.verbs", VERB.format(name="mine"), *COMMAND, "mine")
    assert (done.returncode, done.stdout, done.stderr) == (0, "here I am\n", "")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("x = 1", "AttributeError: module 'theirs' has no attribute 'register'"),
        (VERB.format(name="info"), "ValueError: there is a command named info already"),
        (VERB.format(name="train"), "ValueError: there is a command named train already"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
    ],
)
def test_a_verb_that_cannot_be_added_is_one_line(tmp_path: Path, source: str, reason: str) -> None:
    done = run(tmp_path, "recurra.verbs", source, *COMMAND, "info", "--json")
    assert done.returncode == 0 and "torch" in done.stdout
    where = "recurra: recurra.verbs, new of their-package: is left out, for it cannot be loaded: "
    assert done.stderr == f"{where}{reason}\n"


def test_a_task_of_another_package_is_found(tmp_path: Path) -> None:
    done = run(tmp_path, "recurra.tasks", TASK, *LIST)
    assert "mine" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("source", ["1 / 0", TASK + "1 / 0", TASK + "Mine.name = 'lm'; register_task(Mine); 1 / 0"])
def test_a_task_that_cannot_be_imported_is_one_line_and_is_no_task(tmp_path: Path, source: str) -> None:
    done = run(tmp_path, "recurra.tasks", source, *LIST)
    assert done.returncode == 0 and "lm" in done.stdout and "mine" not in done.stdout
    assert done.stderr.count("\n") == 1 and "new of their-package: is left out" in done.stderr
