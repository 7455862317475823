"""The record of a training can be cut back, is checked, and belongs to one process at a time."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from recurra.errors import RunError
from recurra.training.log import MetricsLog, finite, read_events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    events = [
        {"event": "start", "plan": "中\n\u2028"},
        {"event": "train", "loss": 0.1 + 0.2, "none": None},
        {"data": "\udcff.csv"},
    ]
    log = MetricsLog(path)
    for event in events:
        log.write(event)
    log.close()
    log.close()
    assert list(read_events(path)) == events


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_never_reaches_the_file(path: Path, number: float) -> None:
    log = MetricsLog(path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        log.write({"loss": number})
    log.close()
    assert path.read_bytes() == b""
    assert finite(number) is None
    assert finite(1.5) == 1.5


def test_it_is_cut_back_and_gone_on_with(path: Path) -> None:
    log = MetricsLog(path)
    log.write({"event": "a"})
    position, sum_ = log.position()
    log.write({"event": "b"})
    log.close()
    log = MetricsLog(path)
    log.truncate(position, sum_)
    log.write({"event": "c"})
    assert log.position()[0] == path.stat().st_size
    end, whole = log.position()
    log.truncate(end, whole)
    log.close()
    assert [event["event"] for event in read_events(path)] == ["a", "c"]


def test_a_past_that_changed_is_not_gone_on_from(path: Path) -> None:
    log = MetricsLog(path)
    log.write({"event": "a"})
    position, sum_ = log.position()
    content = path.read_bytes()
    for damaged in (content.replace(b"a", b"b"), content[:-1], b""):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=r"metrics\.jsonl: is damaged or was changed"):
            log.truncate(position, sum_)
    log.close()


def test_another_process_cannot_train_there(path: Path) -> None:
    code = f"from pathlib import Path; from recurra.training.log import MetricsLog; MetricsLog(Path({str(path)!r}))"
    log = MetricsLog(path)
    with pytest.raises(RunError, match="another process is training there"):
        MetricsLog(path)
    assert b"another process" in subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).stderr
    log.close()
    MetricsLog(path).close()


def test_a_last_line_that_was_being_written_is_left_out(path: Path) -> None:
    path.write_bytes(b'{"event": "a"}\n{"event": "b", "te')
    assert list(read_events(path)) == [{"event": "a"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"event": "a"}\n{"ev\n{"event": "c"}\n', "line 2: expected a JSON object; the file is damaged"),
        (b"\n", "line 1: expected a JSON object"),
        (b"[1]\n", "line 1: expected a JSON object, got list"),
        (b'{"a": "\xff"}\n', "line 1: expected a JSON object"),
        (b"[" * 100_000 + b"\n", "line 1: expected a JSON object"),
    ],
)
def test_any_other_damage_is_said_with_its_line(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(RunError, match=message):
        list(read_events(path))


def test_a_missing_file_is_one_clear_line(path: Path) -> None:
    with pytest.raises(RunError, match=r"metrics\.jsonl: cannot be read"):
        list(read_events(path))
