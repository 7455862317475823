"""The number of threads: chosen before a training, again where its rate falls, and recorded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.conftest import Events, MakeTrainer
from tests.training.test_time import Clock

import recurra
from recurra.training import plan as planning
from recurra.training import threads as choosing
from recurra.training.checkpoint import last_checkpoint
from recurra.training.config import Training
from recurra.training.plan import make_plan
from recurra.training.threads import Choice, apply_recorded_threads, choose_threads, most_threads


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """Seconds that a step takes on each number of threads, as if measured."""
    step_seconds = {1: 0.3, 2: 1.0}

    def measure(*_: Any) -> Any:
        return lambda counts: {count: step_seconds[count] for count in counts}

    monkeypatch.setattr(choosing, "measure_threads", measure)
    monkeypatch.setattr(planning, "measure_threads", measure)
    return step_seconds


@pytest.mark.parametrize(
    ("seconds", "now", "expected"),
    [
        ({2: 1.0, 1: 0.5}, 2, Choice(1, 0.5)),
        ({2: 1.0, 1: 0.9}, 2, Choice(2)),  # by chance, as likely as not
        ({2: 0.9, 1: 1.0}, 1, Choice(1)),
        ({2: 0.5, 1: 1.0}, 1, Choice(2, 0.5)),
        ({8: 1.0, 7: 0.5, 4: 0.9}, 8, Choice(7, 0.5)),  # one core is taken
        ({8: 8.0, 7: 7.0, 4: 4.0, 2: 2.0, 1: 1.0}, 8, Choice(1, 1 / 8)),
        ({8: 1.0, 7: 1.1, 4: 1.9, 2: 3.6}, 2, Choice(8, 1 / 3.6)),
    ],
)
def test_the_fastest_number_is_chosen_where_it_is_clearly_so(
    seconds: dict[int, float], now: int, expected: Choice
) -> None:
    def measure(counts: Sequence[int]) -> dict[int, float]:
        return {count: seconds[count] for count in counts}

    chosen = choose_threads(measure, max(seconds), now)
    assert (chosen.threads, chosen.share) == (expected.threads, pytest.approx(expected.share))


def test_a_plan_takes_the_faster_number_and_says_so(
    line: Any, seconds: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "measure_steps", lambda *_: {"float32": 0.02})
    plan = make_plan(line, Training(precision="float32"), 8, time.monotonic())
    assert (plan.threads, plan.most_threads, torch.get_num_threads()) == (1, 2, 1)
    assert "in float32, on 1 thread (2 take 3.3 times as long); about 0 s at the measured 167 steps/s" in plan.sentence


def test_a_number_that_is_asked_for_is_not_measured(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(planning, "measure_steps")
    plan = make_plan(line, Training(precision="float32", threads=2), 8, time.monotonic())
    assert (plan.threads, plan.most_threads) == (2, 0)
    torch.set_num_threads(1)
    assert most_threads(Training()) == 0  # where torch takes one thread, there is nothing to choose


def test_real_steps_are_measured_on_each_number(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "TURN_SECONDS", 0.001)
    counts: list[int] = []
    line.on_loss = lambda: counts.append(torch.get_num_threads())
    measure = choosing.measure_threads(line, Training(), "float32", choosing.first_batches(line, Training(), 8))
    assert all(0 < value < 5 for value in measure([1, 2]).values())
    assert [number for number, before in zip(counts, [0, *counts], strict=False) if number != before] == [2, 1, 2, 1]


def test_a_rate_that_falls_is_measured_again_and_later_for_its_rise(
    line: Any,
    make_trainer: MakeTrainer,
    events: Events,
    seconds: dict[int, float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clock = Clock(monkeypatch)

    def compute() -> None:
        if trainer.position.step == 170:
            seconds.update({1: 1.0, 2: 0.6})  # the machine is quiet again
        clock.passes(4.0 if trainer.position.step >= 100 and torch.get_num_threads() == 2 else 1.0)

    line.on_loss = compute
    plan = {"steps": 400, "epochs": 40.0, "every": 500, "log": 50, "threads": 2, "most_threads": 2}
    trainer, saved = make_trainer(line, plan), list[int]()
    monkeypatch.setattr(trainer, "save", lambda save=trainer.save: (saved.append(trainer.position.step), save()))
    assert trainer.run() == "finished"
    first, second = events("threads")[:2]
    assert 105 <= first["step"] <= 110 and 170 <= second["step"] <= 240
    assert first | {"step": 0} == {"event": "threads", "step": 0, "threads": 1, "before": 2, "time_share": 0.3}
    assert (second["threads"], second["before"], second["time_share"]) == (2, 1, 0.6)
    assert saved == [*(event["step"] for event in events("threads")), 400]


def test_a_resumed_training_keeps_the_number_and_the_rate_that_it_fell_from(
    line: Any, make_trainer: MakeTrainer, seconds: dict[int, float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch)
    plan = {"steps": 400, "epochs": 40.0, "every": 500, "threads": 2, "most_threads": 2}
    trainer = make_trainer(line, plan)
    line.on_loss = lambda: (clock.passes(1.0), setattr(trainer, "interrupted", trainer.position.step == 149))
    assert trainer.run() == "interrupted"
    checkpoint = last_checkpoint(tmp_path)
    assert checkpoint is not None
    assert (checkpoint.facts["plan"]["threads"], checkpoint.facts["position"]["rate"]) == (2, 8.0)
    line.on_loss = lambda: (clock.passes(4.0), setattr(again, "interrupted", again.position.step == 179))
    again = make_trainer(line, plan)
    again.resume(checkpoint)
    assert again.run() == "interrupted"
    assert again.plan.threads == torch.get_num_threads() == 1


def test_where_the_number_stays_no_bit_depends_on_its_being_measured(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WINDOW_SECONDS": 0.0, "FALLEN_RATE_SHARE": 1e9, "MEASURING_SHARE_FALLEN": 1e9}.items():
        monkeypatch.setattr(choosing, name, value)
    monkeypatch.setattr(choosing, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(choosing, "WORTHWHILE_TIME_SHARE", 0.0)
    calls: list[int] = []
    # Each loss depends on a number drawn, as with dropout.
    line.on_loss = lambda: (calls.append(0), setattr(line, "factor", float(torch.rand(()))))
    ends = []
    for most in (0, 2):
        calls.clear()
        trainer = make_trainer(line, {"threads": 2, "most_threads": most})
        trainer.run()
        ends.append((trainer.best_weights(), torch.get_rng_state(), len(calls)))
    (plain, state, few), (measured, same_state, many) = ends
    assert many > few == 40
    assert all(torch.equal(tensor, measured[name]) for name, tensor in plain.items())
    assert torch.equal(state, same_state)


def test_a_run_records_its_number_and_torch_gets_its_own_back(tmp_path: Path, seconds: dict[int, float]) -> None:
    (tmp_path / "text.txt").write_text("the rain in spain stays mainly in the plain\n" * 60)
    run = recurra.train("lm", tmp_path / "text.txt", tmp_path / "run", hidden=4, epochs=1, batch=4, bptt=16, quiet=True)
    assert torch.get_num_threads() == 2
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text())["training"]["threads"] == 1
    assert run.events("start")[0]["threads"] == 1


@pytest.mark.parametrize("name", ["", *choosing.BLAS_VARIABLES])
def test_products_of_numpy_are_on_one_thread_unless_the_user_has_set_it(name: str) -> None:
    code = """
from recurra.training.threads import _openblas, training_threads
get, put = _openblas()
put(2)
with training_threads():
    print(get())
print(get())
"""
    if choosing._openblas() is None:
        pytest.skip("numpy has another library than OpenBLAS")
    found = in_a_new_process(code, **({name: "2"} if name else {}))
    assert found.split() == ["2" if name else "1", "2"]


def test_more_threads_than_torch_takes_here_are_kept_and_noted() -> None:
    notes: list[str] = []
    apply_recorded_threads(1, notes.append)
    assert (torch.get_num_threads(), notes) == (1, [])
    apply_recorded_threads(2, notes.append)
    assert torch.get_num_threads() == 2
    assert notes == [
        "this training was on 2 threads, and torch takes 1 here: it goes on with 2, slower, and perhaps not to the same bits"
    ]


WAITS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def in_a_new_process(code: str, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in {*WAITS, *choosing.BLAS_VARIABLES}}
    command = [sys.executable, "-c", "import os, time, recurra\n" + code]
    return subprocess.run(command, env=kept | variables, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["", *WAITS])
def test_how_threads_wait_is_set_where_the_user_has_not(name: str) -> None:
    found = in_a_new_process(f"print(*(os.environ.get(name) for name in {WAITS}))", **({name: "3"} if name else {}))
    expected = {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "1"} if not name else {name: "3"}
    assert found.split() == [expected.get(each, "None") for each in WAITS]


def test_threads_that_wait_leave_the_core_to_others() -> None:
    code = """
import torch
torch.set_num_threads(2)
numbers, seconds = torch.ones(1 << 18), []
for _ in range(12):
    begin = time.process_time()
    numbers.add_(1)
    time.sleep(0.04)
    seconds.append(time.process_time() - begin)
print(sorted(seconds)[len(seconds) // 2])
"""
    assert float(in_a_new_process(code)) < 0.004  # 11 ms as OpenMP has it, 0.3 ms now
