"""`recurra` where its streams are closed, full, or no streams: one line, and an exit code."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
PROGRAM = shlex.join([sys.executable, "-c", "from recurra.cli import main; main()"])


def run(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", f"{PROGRAM} {arguments}"], capture_output=True, text=True, cwd=folder, timeout=120)  # fmt: skip


@pytest.mark.parametrize("verb", ["--version", "--help", "data list", "info", "data list --json"])
@pytest.mark.parametrize(("where", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")])  # fmt: skip
def test_output_that_cannot_be_written_is_one_line(tmp_path: Path, verb: str, where: str, reason: str) -> None:
    ended = run(f"{verb} {where}", tmp_path)
    assert (ended.returncode, ended.stderr) == (7, f"recurra: standard output: cannot be written: {reason}\n")


def test_input_that_is_closed_is_one_line(tmp_path: Path) -> None:
    ended = run("train lm - -o run -q <&-", tmp_path)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        3,
        "recurra: standard input: is closed; pipe the data in, or name a file",
    )
    assert not (tmp_path / "run").exists()


LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (f"info {LONG}", 4),
        (f"predict {LONG}", 4),
        (f"train --resume {LONG}", 4),
        (f"train lm text.txt -o {LONG}", 2),
        (f"train lm {LONG}", 3),
    ],
)
def test_a_name_that_is_too_long_is_one_line(tmp_path: Path, arguments: str, code: int) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be\n" * 60)
    ended = run(arguments, tmp_path)
    assert ended.returncode == code
    assert ended.stderr.splitlines()[-1].startswith("recurra: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-", "<&- >/dev/full 2>&-", "<&- >&- 2>&-"])
def test_no_training_is_lost_to_the_streams(tmp_path: Path, where: str) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be\n" * 60)
    ended = run(f"train lm text.txt -o run --hidden 4 --layers 1 --epochs 1 --threads 1 {where}", tmp_path)
    assert (tmp_path / "run" / "manifest.json").is_file()
    assert ended.returncode == (7 if ">/dev/full 2" in where or ">&- 2" in where else 0)
