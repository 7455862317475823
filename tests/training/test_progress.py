"""The progress display: what is said where, how often, and that it never gets in the way."""

from __future__ import annotations

import io
import math
import time
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from recurra.training import progress as progress_module
from recurra.training.progress import Progress, RateEstimator, sparkline


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


START = {"event": "start", "parameters": 5000, "steps": 1000, "plan": "1000 steps, in about a minute."}


def train(step: int, **others: Any) -> dict[str, Any]:
    return {
        "event": "train",
        "step": step,
        "loss": 2.0,
        "lr": 0.002,
        "units_per_second": 21000.0,
        "seconds": step / 10,
        **others,
    }


def valid(step: int, nll: float, *, best: bool = True) -> dict[str, Any]:
    metrics = {"nll": nll, "perplexity": math.exp(nll)}
    return {"event": "valid", "step": step, **metrics, "seconds": step / 10, "best": best}


def test_plain_lines_come_at_validations_and_else_every_ten_seconds() -> None:
    out, clock = io.StringIO(), Clock()
    with Progress(stream=out, clock=clock) as progress:
        progress.event(START)
        for step in range(1, 301):
            clock.now += 0.125
            progress.event(train(step))
        progress.event(valid(300, 1.5))
    lines = out.getvalue().splitlines()
    assert lines[0] == START["plan"]
    assert [line.split(" of ")[0] for line in lines[1:]] == ["step 80", "step 160", "step 240", "step 300"]
    assert "held-out nll 1.500, perplexity 4.48, the best so far" in lines[-1]
    assert "training loss 2.000, 21,000 units/s" in lines[1]
    assert lines[1].endswith("0:08 passed, 1:55 left")


def test_plain_lines_carry_no_escape_sequences() -> None:
    out = io.StringIO()
    with Progress(stream=out) as progress:
        for event in (
            START,
            valid(10, 1.5),
            {"event": "sample", "step": 10, "text": "\x1b[2J"},
            {"event": "end", "step": 10},
        ):
            progress.event(event)
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().splitlines()[-1].startswith("ended after 10 steps")


def test_a_plan_that_changes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = {"event": "plan", "step": 100, "steps": 400}
    out, clock = io.StringIO(), Clock()
    with Progress(stream=out, clock=clock) as progress:
        for event in (START, train(100), plan, train(200)):
            clock.now += 5
            progress.event(event)
        progress.event(valid(200, 1.5))
    assert "step 200 of 400 (50 %)" in out.getvalue()
    assert out.getvalue().splitlines()[-1].endswith(", 0:20 left")
    frame = shown([START, train(100), plan, train(200)], monkeypatch)
    assert "50 %" in frame and "step 200 of 400" in frame


def test_quiet_says_nothing() -> None:
    out = Terminal()
    with Progress(quiet=True, stream=out) as progress:
        progress.event(START)
        progress.event(valid(10, 1.5))
        progress.note("measuring")
    assert out.getvalue() == ""


def test_everything_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.event(START)
        progress.note("measuring the baseline bigram")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [START["plan"], "measuring the baseline bigram"]


def shown(events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, width: int = 100) -> str:
    """Give the last frame of the live display."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "30")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    with Progress(stream=out) as progress:
        assert progress._live is not None
        for event in events:
            progress.event(event)
        progress._live.refresh()
        frame = io.StringIO()
        Console(file=frame, width=width, color_system=None).print(progress._render())
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1
    return frame.getvalue()


EVERYTHING = [
    START,
    train(100),
    valid(100, 2.0),
    train(200),
    valid(200, 1.5),
    valid(300, 1.6, best=False),
    {"event": "sample", "step": 300, "text": "獨坐幽篁裏，彈琴復長嘯。\n\x1b[31mred\u202e" + "明" * 100},
]


def test_live_display_shows_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = shown(EVERYTHING, monkeypatch)
    for part in (
        "30 %",
        "step 300 of 1,000",
        "loss 2.000",
        "held-out nll 1.600",
        "best nll 1.500 at step 200",
        "lr 0.002",
    ):
        assert part in frame
    assert "2.000 █▁▂ 1.600" in frame
    assert "獨坐幽篁裏，彈琴復長嘯。" in frame
    assert "\x1b" not in frame and "\u202e" not in frame


def test_best_is_marked_when_it_is_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "perplexity 4.48 ★" in shown(EVERYTHING[:5], monkeypatch)
    assert "★" not in shown(EVERYTHING, monkeypatch)


@pytest.mark.parametrize("width", [120, 80, 40, 20, 9])
def test_no_line_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    end = {"event": "end", "reason": "finished", "step": 1000, "seconds": 100.0, "best_step": 200}
    frame = shown([*EVERYTHING, end], monkeypatch, width)
    assert max(cell_len(line) for line in frame.splitlines()) <= width


@pytest.mark.parametrize("count", range(len(EVERYTHING) + 1))
def test_any_beginning_of_a_training_can_be_shown(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "step " in shown(EVERYTHING[:count], monkeypatch)


def test_other_tasks_show_their_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    scored = {"event": "valid", "step": 5, "accuracy": 0.8731, "my_score": 3.0, "seconds": 1.0, "best": True}
    frame = shown([train(5, loss=math.nan, lr=None), scored], monkeypatch)
    assert "held-out accuracy 87.3%" in frame
    assert "held-out my score 3.000 ★" in frame
    assert "nan" not in frame


def test_terminal_is_restored_when_training_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    with pytest.raises(KeyboardInterrupt), Progress(stream=out) as progress:
        progress.event(train(1))
        raise KeyboardInterrupt
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")


def test_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    with Progress(stream=out) as progress:
        progress.event(START)
    assert out.getvalue() == f"{START['plan']}\n"


def test_a_broken_stream_does_not_stop_the_training() -> None:
    out = io.StringIO()
    with Progress(stream=out) as progress:
        progress.event(START)
        out.close()
        progress.event(valid(10, 1.5))
        progress.event(valid(20, 1.4))
    assert progress._quiet


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_events_cost_microseconds(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    with Progress(stream=stream()) as progress:
        progress.event(START)
        began = time.process_time()
        for step in range(20_000):
            progress.event(train(step))
        spent = time.process_time() - began
    # 50 µs each, far above what it takes, for the sake of slow machines; a drawing for each event takes a thousand.
    assert spent < 1.0


def test_time_left_is_steady_under_a_rate_that_shakes() -> None:
    estimator, now, estimates = RateEstimator(), 0.0, []
    for step in range(1, 2001):
        now += 0.01 if step % 2 else 0.19
        now += 2.0 if step % 500 == 0 else 0.0  # a validation
        estimator.add(now, step)
        if step > 500:
            estimates.append(estimator.seconds_per_step())
    assert all(each is not None and 0.095 < each < 0.112 for each in estimates)


def test_the_estimate_forgets_a_slow_beginning_and_stays_small() -> None:
    estimator, now = RateEstimator(), 0.0
    for step in range(20_000):
        now += 1.0 if step < 50 else 0.1
        estimator.add(now, step)
    assert estimator.seconds_per_step() == pytest.approx(0.1)
    assert len(estimator._notes) <= 256


def test_the_estimate_is_unknown_before_the_second_step() -> None:
    estimator = RateEstimator()
    assert estimator.seconds_per_step() is None
    estimator.add(0.0, 10)
    estimator.add(5.0, 10)
    assert estimator.seconds_per_step() is None


def test_sparkline_fits_and_bears_constants() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([3.0], 10) == sparkline([5.0], 10) == "▁"
    assert len(sparkline([float(value) for value in range(1000)], 40)) == 40
    assert sparkline([0.0, 1.0], 2) == "▁█"


def test_what_takes_long_is_shown_again_until_something_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_WAITING_SECONDS", 0.02)
    stream = io.StringIO()
    with Progress(stream=stream) as progress:
        progress.note("reading the data")
        until = time.monotonic() + 20
        while stream.getvalue().count("still at it: 0:00 since the line above\n") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        progress.event({"event": "start", "steps": 100})
        shown = stream.getvalue()
        time.sleep(0.2)
        assert stream.getvalue() == shown
        progress.note("measuring")
    time.sleep(0.1)
    shown = stream.getvalue()
    time.sleep(0.2)
    assert stream.getvalue() == shown
    assert shown.startswith("reading the data\n" + 2 * "still at it: 0:00 since the line above\n")


def test_quiet_is_quiet_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_WAITING_SECONDS", 0.01)
    stream = io.StringIO()
    with Progress(stream=stream, quiet=True) as progress:
        progress.note("reading the data")
        time.sleep(0.1)
    assert stream.getvalue() == ""


def test_a_note_is_one_line_whatever_it_names() -> None:
    stream = io.StringIO()
    with Progress(stream=stream) as progress:
        progress.note("reading a\nb\x1b[31m.csv")
    assert stream.getvalue() == "reading a\\nb\\x1b[31m.csv\n"
    assert progress.notes_shown == {"reading a\nb\x1b[31m.csv"}
