"""The loop: what it keeps, when it stops, and what it does when it is stopped."""

from __future__ import annotations

import gc
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.conftest import Events, MakeTrainer, countdown

from recurra.errors import DivergedError, RunError
from recurra.training.checkpoint import last_checkpoint, read_checkpoint


def test_it_learns_and_ends_with_its_plan(line: Any, make_trainer: MakeTrainer, events: Events) -> None:
    trainer = make_trainer(line, lr=0.3)
    assert trainer.run() == "finished"
    assert [event["step"] for event in events("train")] == [*range(5, 41, 5)]
    assert [event["step"] for event in events("valid")] == [*range(5, 41, 5)]
    assert events("valid")[-1]["nll"] < 0.05 * events("valid")[0]["nll"]
    assert events("train")[-1]["epoch"] == 4


def test_the_weights_of_the_best_validation_are_kept(line: Any, make_trainer: MakeTrainer, events: Events) -> None:
    line.script = [5, 3, 4, 2, 6, 2, 9, 9]
    trainer = make_trainer(line)
    assert trainer.run() == "finished"
    assert [event["best"] for event in events("valid")] == [True, True, False, True, False, False, False, False]
    assert (trainer.position.best, trainer.position.best_step) == (2, 20)
    for name, tensor in trainer.best_weights().items():
        assert torch.equal(tensor, line.validated[3][name])
        assert not torch.equal(tensor, line.validated[7][name])


def test_without_validation_the_last_weights_are_kept(
    line: Any, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "validate", lambda predictor: None)
    trainer = make_trainer(line)
    trainer.run()
    assert trainer.position.best is None
    assert all(torch.equal(t, trainer.state.network.state_dict()[n]) for n, t in trainer.best_weights().items())


@pytest.mark.parametrize(("patience", "step"), [(1, 15), (2, 30), (3, 40)])
def test_patience_counts_validations_without_a_better_one(
    line: Any, make_trainer: MakeTrainer, patience: int, step: int
) -> None:
    line.script = [5, 4, 4, 3, 4, 3, 2, 1]
    trainer = make_trainer(line, patience=patience)
    assert trainer.run() == ("patience" if step < 40 else "finished")
    assert trainer.position.step == step


def test_the_average_is_what_is_validated_and_kept(line: Any, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(line, ema=0.9)
    trainer.run()
    last = trainer.state.network.state_dict()
    for name, value in zip(("weight", "bias"), trainer.state.average, strict=True):
        assert torch.equal(line.validated[-1][name], value)
        assert not torch.equal(last[name], value)
    assert all(
        torch.equal(t, line.validated[trainer.position.best_step // 5 - 1][n])
        for n, t in trainer.best_weights().items()
    )


def test_it_goes_on_from_any_checkpoint_to_the_same_bits(line: Any, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    whole = make_trainer(line, ema=0.9)
    whole.run()
    expected = (whole.best_weights(), (tmp_path / "metrics.jsonl").read_text().count("\n"))
    (tmp_path / "metrics.jsonl").unlink()
    for stop in (1, 7, 10, 25, 39):
        trainer = make_trainer(line, ema=0.9)
        trainer.log.truncate(0)
        line.on_loss = countdown(stop, lambda trainer=trainer: setattr(trainer, "interrupted", True))
        assert trainer.run() == "interrupted"
        assert trainer.position.step == stop
        line.on_loss = lambda: None
        again = make_trainer(line, ema=0.9)
        torch.manual_seed(99)
        again.resume(last_checkpoint(tmp_path) or pytest.fail("no checkpoint"))
        assert again.run() == "finished"
        assert all(torch.equal(tensor, again.best_weights()[name]) for name, tensor in expected[0].items())
        assert (tmp_path / "metrics.jsonl").read_text().count("\n") == expected[1]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_it_and_keeps_the_last_checkpoint(
    line: Any, make_trainer: MakeTrainer, tmp_path: Path, number: float
) -> None:
    trainer = make_trainer(line, checkpoint_seconds=0)
    line.on_loss = countdown(13, lambda: setattr(line, "factor", number))
    with pytest.raises(DivergedError, match=r"stopped at step 13 \(epoch 2, batch 3\): the loss is .*lower --lr"):
        trainer.run()
    checkpoint = last_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.facts["step"] == 12
    assert all(tensor.isfinite().all() for tensor in checkpoint.tensors.values() if tensor.is_floating_point())
    assert not {"NaN", "Infinity"} & set((tmp_path / "metrics.jsonl").read_text().replace(",", " ").split())


def test_it_goes_back_to_the_best_or_else_to_the_checkpoint(
    line: Any, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer(line, {"every": 10})
    trainer.save()
    initial = {name: tensor.clone() for name, tensor in trainer.state.weights().items()}
    line.on_loss = countdown(3, lambda: setattr(line, "factor", math.nan))
    with pytest.raises(DivergedError):
        trainer.run()
    assert not torch.equal(trainer.state.weights()["weight"], initial["weight"])
    assert trainer.restore_last_good() == 0
    assert all(torch.equal(tensor, initial[name]) for name, tensor in trainer.best_weights().items())
    line.factor, line.on_loss = 1.0, countdown(13, lambda: setattr(line, "factor", math.nan))
    trainer = make_trainer(line, {"every": 10})
    with pytest.raises(DivergedError):
        trainer.run()
    assert trainer.restore_last_good() == trainer.position.best_step == 10
    assert torch.equal(trainer.best_weights()["weight"], line.validated[-1]["weight"])
    trainer.best["weight"].fill_(math.nan)
    assert trainer.restore_last_good() == 0
    assert torch.equal(trainer.best_weights()["weight"], initial["weight"])


def test_weights_that_are_not_finite_never_reach_a_checkpoint(
    line: Any, make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step of all may ruin the weights, and no loss is computed after it."""
    trainer = make_trainer(line, optimizer="sgd", schedule="constant", warmup=0, lr=1e30, clip=1e12)
    line.factor = 1e10
    trainer.plan.steps, trainer.plan.every = 1, 99
    monkeypatch.setattr(line, "validate", lambda predictor: None)
    with pytest.raises(DivergedError, match=r"stopped at step 1 .*model/weight are not finite"):
        trainer.run()
    assert last_checkpoint(tmp_path) is None


def test_a_figure_that_is_not_finite_never_reaches_the_log(
    line: Any, make_trainer: MakeTrainer, events: Events, tmp_path: Path
) -> None:
    line.script = [5, math.nan]
    with pytest.raises(DivergedError, match=r"stopped at step 10 .*nll on the validation data is nan"):
        make_trainer(line).run()
    assert [event["nll"] for event in events("valid")] == [5]


def test_a_gradient_that_explodes_over_time_is_recorded_not_raised(
    line: Any, make_trainer: MakeTrainer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "gradient_norms_by_lag", lambda network, lags: [1.0, math.inf])
    make_trainer(line, gradient_lags=1).run()
    assert events("gradient_lags")[0]["norms"] == [1.0, None]


def test_a_damaged_or_foreign_past_is_refused(line: Any, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    make_trainer(line).run()
    checkpoint = last_checkpoint(tmp_path)
    assert checkpoint is not None
    log = tmp_path / "metrics.jsonl"
    content = log.read_bytes()
    for damaged in (content[:-1], content.replace(b"loss", b"lost", 1), b""):
        log.write_bytes(damaged)
        with pytest.raises(RunError, match=r"metrics\.jsonl: is damaged or was changed"):
            make_trainer(line).resume(checkpoint)
    log.write_bytes(content)
    checkpoint.facts["fingerprint"] = "other points"
    with pytest.raises(RunError, match="was made from other data than is there now"):
        make_trainer(line).resume(checkpoint)


def test_many_checkpoints_leak_neither_memory_nor_files(line: Any, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer(line, {"steps": 120, "epochs": 12.0, "every": 30}, ema=0.9, checkpoint_seconds=0)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        if trainer.position.step in (30, 115):
            gc.collect()
            seen.append(
                (len(list(Path("/dev/fd").iterdir())), sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects()))
            )

    line.on_loss = look
    line.validated = _Forgetful()
    trainer.run()
    (files, tensors), (files_later, tensors_later) = seen
    assert files_later == files
    assert tensors_later <= tensors + 5
    assert len(list((tmp_path / "checkpoint").iterdir())) == 1
    checkpoint = read_checkpoint(tmp_path / "checkpoint")
    assert checkpoint is not None
    assert checkpoint.facts["step"] == 120


class _Forgetful(list):
    def append(self, _: object) -> None:
        pass
