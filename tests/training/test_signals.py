"""Ctrl-C, and a polite kill, while training."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.training.conftest import MakeTrainer, countdown

from recurra.training.checkpoint import last_checkpoint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_step_in_hand(
    line: Any, make_trainer: MakeTrainer, tmp_path: Path, number: signal.Signals
) -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    line.on_loss = countdown(8, lambda: os.kill(os.getpid(), number))
    trainer = make_trainer(line)
    assert trainer.run() == "interrupted"
    assert trainer.position.step == 8
    checkpoint = last_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.facts["step"] == 8
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_a_second_ctrl_c_ends_it_at_once(line: Any, make_trainer: MakeTrainer) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    line.on_loss = countdown(8, twice)
    trainer = make_trainer(line)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.position.step == 7


def test_a_signal_that_the_caller_ignores_stays_ignored(line: Any, make_trainer: MakeTrainer) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup and a shell's background jobs do
    try:
        line.on_loss = countdown(8, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert make_trainer(line).run() == "finished"
    finally:
        signal.signal(signal.SIGINT, before)
