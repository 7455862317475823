"""`recurra` as a program: exit codes, one line for an error, and signals."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import recurra
from recurra import cli
from recurra.errors import DataError, DivergedError, MissingExtraError, RecurraError, RunError, UsageError
from recurra.verbs.base import options

TEXT = "".join(f"{i} 白日依山盡，黃河入海流。 the rain in spain {i * i % 101}\n" for i in range(200))
FLAGS = ["--hidden", "8", "--layers", "1", "--epochs", "40", "--bptt", "16", "--batch", "4", "--threads", "1",
         "--precision", "float32", "--checkpoint-seconds", "3600"]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "code"),
    [(RecurraError, 1), (UsageError, 2), (DataError, 3), (RunError, 4), (MissingExtraError, 5), (DivergedError, 6)],
)
def test_each_kind_of_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: type[RecurraError], code: int
) -> None:
    def fail(**options: object) -> None:
        raise kind("expected this, got that")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr() == ("", "recurra: expected this, got that\n")


def program(*arguments: object) -> list[str]:
    return [sys.executable, "-c", "from recurra.cli import main; main()", *map(str, arguments)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_after_the_step_in_hand_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    command = program("train", "lm", tmp_path / "text.txt", "-o", tmp_path / "run", *FLAGS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: b'"train"' in content(tmp_path / "run" / "metrics.jsonl"), process)
        os.kill(process.pid, number)
        out, messages = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    found = re.search(
        r"^stopped after step (\d+); .*gone on with: recurra train --resume (.*)$", messages, re.MULTILINE
    )
    assert found is not None, messages
    assert Path(found[2]) == tmp_path / "run"
    run = recurra.load(tmp_path / "run")
    assert run.events("end")[0]["step"] == int(found[1]) < run.events("start")[0]["steps"]
    assert len(run.generate("the", length=10)) > 3


def content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("arguments", [["data", "list"], ["data", "list", "--json"], ["--help"], ["reproduce"]])
def test_a_reader_that_has_gone_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        done = subprocess.run(program(*arguments), stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_exit_that_is_no_broken_pipe_stays_what_it_is() -> None:
    done = subprocess.run(program("no-such-verb"), capture_output=True, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize("verb", ["print_line", "note"])
def test_what_a_stream_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    written = io.BytesIO()
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(written, encoding="ascii"))
    monkeypatch.setattr(cli, "app", lambda **_: getattr(options, verb)("月 \udcff"))
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert written.getvalue() == b"\\u6708 \\udcff\n"


def test_an_ascii_terminal_gets_tables_too() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(program("reproduce"), capture_output=True, env=environment, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2264" in done.stdout  # ≤
