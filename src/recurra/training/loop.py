"""The training loop: steps, validation, checkpoints. It knows no task."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from recurra.errors import DivergedError, RunError
from recurra.tasks.base.task import Task
from recurra.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from recurra.training.config import Training, learning_rate
from recurra.training.log import MetricsLog, finite
from recurra.training.plan import Plan
from recurra.training.position import Position
from recurra.training.signals import interruptible
from recurra.training.step import TrainState
from recurra.training.threads import ThreadTuner

VALIDATIONS_PER_SAMPLE = 4
REPLAN_TIME_SHARE = 0.03  # of the time allowed, between looks at whether the plan still fits it
MAX_VALIDATION_TIME_SHARE = 0.1  # most seconds of validation for each second of training, when time is limited


class Trainer:
    """Trains a task's network in a run folder, from the beginning or from its last checkpoint.

    log: where events are kept, which locks the folder.  watch: shown every event as well.  fingerprint: of the data, which a resumed training must share.
    files: of the folder, by name, with their SHA-256 sums; they go into every checkpoint.  `close` has to be called at the end.
    """

    def __init__(
        self,
        task: Task,
        training: Training,
        plan: Plan,
        folder: Path,
        *,
        fingerprint: str,
        files: Mapping[str, str],
        watch: Callable[[dict[str, Any]], None],
        log: MetricsLog | None = None,
    ) -> None:
        self.task, self.training, self.plan = task, training, plan
        self.fingerprint, self.files, self.watch = fingerprint, dict(files), watch
        self.checkpoints = folder / "checkpoint"
        self.state = TrainState(task, training, plan.precision)
        if training.batch is None:
            raise ValueError("batch has to be chosen before the training begins")
        self.batch = training.batch
        self.position = Position()
        self.best: dict[str, Tensor] = {}
        self.log = MetricsLog(folder / "metrics.jsonl") if log is None else log
        self.interrupted = False
        self._since = self._saved = time.monotonic()
        self._rate = (time.monotonic(), 0)
        self._fitted = 0.0
        self._tuner = ThreadTuner(task, training, plan.precision, plan.most_threads)

    def emit(self, event: dict[str, Any]) -> None:
        """Record an event and show it."""
        self.log.write(event)
        self.watch(event)

    def close(self) -> None:
        """Give the folder free for other processes."""
        self.log.close()

    # Checkpoints

    def save(self) -> None:
        """Write a checkpoint of this very moment, between two steps; raises `DivergedError` when it is not worth keeping."""
        self._clock()
        tensors = self.state.tensors() | {f"best/{name}": value for name, value in self.best.items()}
        broken = next((n for n, t in tensors.items() if t.is_floating_point() and not t.isfinite().all()), None)
        if broken is not None:
            raise self._diverged(f"numbers in {broken} are not finite")
        length, sum_ = self.log.position()
        facts = {
            "step": self.position.step,
            "position": asdict(self.position),
            "plan": asdict(self.plan),
            "metrics_bytes": length,
            "metrics_sha256": sum_,
            "files": self.files,
            "fingerprint": self.fingerprint,
        }
        write_checkpoint(self.checkpoints, Checkpoint(tensors, facts))
        self._saved = time.monotonic()

    def restore_last_good(self) -> int:
        """Take back what ruined the weights: `best_weights` then gives the last good ones; gives the step that they are of.

        What was recorded up to here stays: it shows how it came.
        """
        checkpoint = read_checkpoint(self.checkpoints)
        if checkpoint is None:
            raise RunError(f"{self.checkpoints}: is missing or empty; there is nothing to go back to")
        self._restore(checkpoint)
        if not self.best or not all(tensor.isfinite().all() for tensor in self.best.values()):
            kept = Position(**checkpoint.facts["position"])
            self.best, self.position.best_step = checkpoint.part("best"), kept.best_step
        return self.position.best_step if self.best else int(checkpoint.facts["step"])

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint; raises `RunError` when the data are not the same any more."""
        facts = checkpoint.facts
        self.log.truncate(facts["metrics_bytes"], facts["metrics_sha256"])
        if facts["fingerprint"] != self.fingerprint:
            raise RunError(
                f"{self.checkpoints}: was made from other data than is there now; "
                "put the data back as it was, or train again into another folder"
            )
        self.position = Position(**facts["position"])
        self.plan = Plan(**facts["plan"])
        self._restore(checkpoint)
        self.best = checkpoint.part("best")
        self._since = self._saved = time.monotonic()
        self._rate = (self._since, 0)

    def _restore(self, checkpoint: Checkpoint) -> None:
        parts = {name: checkpoint.part(name) for name in ("model", "average", "optimizer", "carry", "random")}
        self.state.restore(parts, int(checkpoint.facts["step"]))

    # Training

    def run(self) -> str:
        """Train to the end of the plan; gives why it ended: finished, patience or interrupted."""
        with interruptible(self._interrupt):
            while self.position.done is None and not self.interrupted:
                self._epoch()
        if self.position.done is None:
            self.save()
            return "interrupted"
        return self.position.done

    def _epoch(self) -> None:
        position = self.position
        count = self.task.batch_count(position.epoch, batch=self.batch, seed=self.training.seed)
        batches = self.task.batches(position.epoch, batch=self.batch, seed=self.training.seed, start=position.index)
        for batch in batches:
            self._step(batch, position.epoch + position.index / count)
            position.index += 1
            self._after_step(position.epoch + position.index / count)
            if position.done is None:
                self._tune_threads(batch)
            if position.done is not None or self.interrupted:
                return
        position.epoch, position.index = position.epoch + 1, 0

    def _step(self, batch: Any, epochs: float) -> None:
        position, began = self.position, time.monotonic()
        self._lr = learning_rate(self.training, epochs, self.plan.epochs)
        try:
            loss, count, norm = self.state.step(batch, self._lr, epochs / self.plan.epochs)
        except DivergedError as error:
            if position.norms:  # what led there is part of the record
                self._log_training(epochs)
            raise self._diverged(str(error), position.step + 1) from None
        self._last_step = count, time.monotonic() - began
        position.step += 1
        position.add(loss, count, norm, self.training.clip)
        self._rate = (self._rate[0], self._rate[1] + count)

    def _diverged(self, what: str, step: int | None = None) -> DivergedError:
        position = self.position
        step, batch = (position.step, position.index) if step is None else (step, position.index + 1)
        return DivergedError(
            f"training stopped at step {step} (epoch {position.epoch + 1}, batch {batch}): {what}; "
            "try a lower --lr or --clip"
        )

    def _after_step(self, epochs: float) -> None:
        position, plan = self.position, self.plan
        self._fit_to_time()
        last = position.step >= plan.steps
        if position.step % plan.log == 0 or last:
            self._log_training(epochs)
        if position.step % plan.every == 0 or last:
            self._validate(last)
        if last:
            position.done = position.done or "finished"
        if position.done or time.monotonic() - self._saved >= self.training.checkpoint_seconds:
            self.save()

    def _log_training(self, epochs: float) -> None:
        position, now = self.position, time.monotonic()
        began, units = self._rate
        self.emit(
            {
                "event": "train",
                "step": position.step,
                "epoch": round(epochs, 6),
                "loss": position.loss / max(1, position.count),
                "lr": self._lr,
                "grad_norm": position.norm,
                **position.gradients(),
                "units_per_second": round(units / max(1e-9, now - began), 1),
                "seconds": self._clock(),
            }
        )
        position.clear()
        self._rate = (now, 0)

    def _validate(self, last: bool) -> None:
        position, began = self.position, self._clock()
        predictor = self.task.predictor(self.state.network)
        with self.state.averaged():
            try:
                metrics = self.task.validate(predictor)
            except DivergedError as error:
                raise self._diverged(f"on the validation data, {error}") from None
            if metrics is not None:
                value = metrics[self.task.criterion]
                if finite(value) is None:
                    raise self._diverged(f"{self.task.criterion} on the validation data is {value}")
                metrics = {name: each for name, each in metrics.items() if finite(each) is not None}
                better = position.best is None or (
                    value > position.best if self.task.maximize else value < position.best
                )
                position.stale = 0 if better else position.stale + 1
                better = better or (self.task.keep_last_of_equals and value == position.best)
                if better:
                    position.best, position.best_step = value, position.step
                    self.best = self.state.weights()
                self.emit(
                    {"event": "valid", "step": position.step, **metrics, "best": better, "seconds": self._clock()}
                )
                if self.training.patience is not None and position.stale >= self.training.patience:
                    position.done = "patience"
            if position.validations % VALIDATIONS_PER_SAMPLE == 0 or last:
                text = self.task.sample(predictor, (self.training.seed + position.step) % 2**63)
                if text is not None:
                    self.emit({"event": "sample", "step": position.step, "text": text})
            if self.training.gradient_lags:
                norms = self.task.gradient_norms_by_lag(self.state.network, self.training.gradient_lags)
                if norms is not None:
                    # A gradient that explodes is a finding here, not a fault: training itself clips it.
                    self.emit(
                        {"event": "gradient_lags", "step": position.step, "norms": [finite(norm) for norm in norms]}
                    )
        position.validations += 1
        position.validating += self._clock() - began
        self._rate = (time.monotonic(), 0)

    def _fit_to_time(self) -> None:
        """With --within: look now and then, and before the end, how fast the machine really is, and plan again, so that the schedule ends with the time.

        Only then: a training without a limit must not depend on the clock.
        """
        plan, position = self.plan, self.position
        if plan.seconds is None:
            return
        seconds = self._clock()
        if seconds < self._fitted + plan.seconds * REPLAN_TIME_SHARE and position.step < plan.steps:
            return
        self._fitted = seconds
        step = (seconds - position.validating) / position.step
        validation = position.validating / max(1, position.validations)
        plan.every = max(plan.every, math.ceil(validation / (MAX_VALIDATION_TIME_SHARE * step)))
        left = plan.seconds - seconds - validation  # the last step is validated too
        steps = min(plan.most, position.step + max(0, int(left / (step + validation / plan.every))))
        if abs(steps - plan.steps) > 0.05 * plan.steps:
            plan.epochs *= steps / plan.steps
            plan.steps = steps
            self.emit({"event": "plan", "step": position.step, "steps": steps})

    def _tune_threads(self, batch: Any) -> None:
        """Take another number of threads where it is faster by now; a checkpoint keeps it at once, so that a resumed training does the same."""
        before, began = self.plan.threads, time.monotonic()
        choice = self._tuner.after_step(self.position, batch, *self._last_step)
        self._rate = (self._rate[0] + time.monotonic() - began, self._rate[1])
        if choice is not None:
            self.plan.threads = choice.threads
            changed = {"threads": choice.threads, "before": before, "time_share": round(choice.share, 3)}
            self.emit({"event": "threads", "step": self.position.step, **changed})
            self.save()

    def _clock(self) -> float:
        now = time.monotonic()
        self.position.seconds += now - self._since
        self._since = now
        return round(self.position.seconds, 3)

    def _interrupt(self) -> None:
        self.interrupted = True

    def best_weights(self) -> dict[str, Tensor]:
        """Give the weights to keep: the best by validation where there was one, else the last."""
        return self.best or self.state.weights()
