"""What a training begins with: the weights of another run, and what is trained first in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from torch import Tensor

from recurra.errors import DivergedError, RunError, UsageError
from recurra.files import write_whole
from recurra.runs.manifest import MANIFEST, check_manifest, check_sums, sums, write_manifest
from recurra.runs.record import start_event
from recurra.runs.run import Run
from recurra.tasks import Task
from recurra.tasks.base.capabilities import BeginsOthers
from recurra.tasks.base.predictor import WEIGHTS
from recurra.tasks.base.task import Phase
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.training.checkpoint import Checkpoint, drop_older, last_checkpoint
from recurra.training.config import Training
from recurra.training.folder import LOG, remove_partial_files
from recurra.training.log import MetricsLog, read_events
from recurra.training.loop import Trainer
from recurra.training.plan import Plan, make_plan
from recurra.training.progress import Progress
from recurra.training.threads import apply_recorded_threads

FOLDER = "pretraining"
"""Of a run folder, where what comes first is trained."""


@dataclass(frozen=True)
class Pretrained:
    """What a first training has led to: weights, the seconds and passes that it took, and its perplexity where it has one, and something was held out."""

    weights: dict[str, Tensor]
    seconds: float
    epochs: float
    perplexity: float | None


def load_layers(run: str) -> PretrainedLayers:
    """Load what a run can give; raises `RunError` for what is no run, and `UsageError` for one that gives nothing."""
    try:
        loaded = Run.load(run)
    except RunError as error:
        raise RunError(f"from: {error}") from None
    predictor = loaded.predictor
    if not isinstance(predictor, BeginsOthers):
        raise UsageError(
            f"from: {run} is a run of {loaded.configuration.task}, of which nothing can be taken over; "
            "expected one of lm, classify, tag, embed on texts"
        )
    return predictor.pretrained_layers(run)


def begin_with_run(task: Task) -> None:
    """Give a task what the run has that the user names to begin with, where one is named; raises as `load_layers` does."""
    model = getattr(task.config, "model", None)
    if named := getattr(model, "from_run", []):
        task.take_over(load_layers(named[0]))


def phase_training(training: Training, phase: Phase) -> Training:
    """Give how a first training goes: with the seed and the machine of the one that follows, but as suits itself."""
    kept = ("seed", "precision", "threads", "device", "checkpoint_seconds")
    within = None
    if phase.epochs is None and training.seconds is not None:
        within = f"{phase.share * training.seconds:.3f}s"
    return Training(
        **{name: getattr(training, name) for name in kept},
        batch=phase.task.default_batch_size(None),
        lr=phase.task.default_learning_rate(),
        epochs=phase.epochs,
        within=within,
    )


def pretraining_is_there(folder: Path) -> bool:
    """Tell whether there is something in a run folder that a first training can be gone on with."""
    own = folder / FOLDER
    return (own / MANIFEST).is_file() or any((own / "checkpoint").glob("*.safetensors"))


def pretrain(task: Task, phase: Phase, training: Training, folder: Path, progress: Progress, started: float) -> float:
    """Train what comes first in a run folder's own folder for it, go on with it, or read what it has led to; gives its seconds.

    training: of the task.  folder: the run's, whose config.toml must not change meanwhile.  started: `time.monotonic()` when the
    user's clock began. Raises `KeyboardInterrupt` where the user stops it, and `RunError` where it was begun with other data
    or settings, or something is damaged.
    """
    progress.begin_phase(f"first of two: {phase.text}", phase.task.element[1])
    own = folder / FOLDER
    if not (own / MANIFEST).is_file():
        own.mkdir(exist_ok=True)
        remove_partial_files(own)
        with contextlib.closing(MetricsLog(own / LOG)) as log:
            first = _Pretraining(phase, phase_training(training, phase), own, progress, log)
            checkpoint = last_checkpoint(own)
            first.finish(first.start(started) if checkpoint is None else first.resume(checkpoint))
    shutil.rmtree(own / "checkpoint", ignore_errors=True)  # nothing goes on from there any more
    found = _read(own, phase.task.prepare().fingerprint)
    task.take_pretrained(found.weights, found.epochs)
    reached = "" if found.perplexity is None else f", which has come to a perplexity of {found.perplexity:.4g}"
    progress.begin_phase(f"second of two: it begins with that {phase.result}{reached}", task.element[1])
    return found.seconds


class _Pretraining:
    """A first training in a folder of its own, inside of a run's."""

    def __init__(self, phase: Phase, training: Training, folder: Path, progress: Progress, log: MetricsLog) -> None:
        self.phase, self.task, self.training, self.folder = phase, phase.task, training, folder
        self.progress, self.log = progress, log
        self.summary = self.task.prepare()

    def start(self, since: float) -> Trainer:
        """Make a first checkpoint; since: `time.monotonic()` when the user's clock began."""
        torch.manual_seed(self.training.seed)
        plan = make_plan(self.task, self.training, self.training.batch or 1, since)
        torch.manual_seed(self.training.seed)
        trainer = self._trainer(plan, sums(self.folder.parent, ["config.toml"]))
        trainer.log.truncate(0)
        if (sentence := trainer.state.initialize()) is not None:
            self.progress.note(sentence)
        trainer.emit(start_event(self.summary, trainer))
        trainer.save()
        return trainer

    def resume(self, checkpoint: Checkpoint) -> Trainer:
        """Go back to a checkpoint; everything that it rests on has to be as it was."""
        try:
            files, plan = dict(checkpoint.facts["files"]), Plan(**checkpoint.facts["plan"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.folder}: its checkpoint is of another version of Recurra ({error})") from None
        check_sums(self.folder.parent, files)
        drop_older(self.folder / "checkpoint")
        apply_recorded_threads(plan.threads, self.progress.note)
        trainer = self._trainer(plan, files)
        trainer.resume(checkpoint)
        for event in read_events(self.folder / LOG):
            if event.get("event") in ("start", "plan"):
                self.progress.event(event)
        return trainer

    def _trainer(self, plan: Plan, files: dict[str, str]) -> Trainer:
        return Trainer(
            self.task,
            self.training,
            plan,
            self.folder,
            fingerprint=self.summary.fingerprint,
            files=files,
            watch=self.progress.event,
            log=self.log,
        )

    def finish(self, trainer: Trainer) -> None:
        """Train to the end, and write what came of it; the manifest says that it is whole."""
        try:
            reason = trainer.run()
        except DivergedError as error:
            step = trainer.restore_last_good()
            self.progress.note(f"the {self.phase.result}: {error}; it is used as it was at step {step}")
            reason = "diverged"
        if reason == "interrupted":
            self.progress.note(
                f"stopped before there is a run; go on with: recurra train --resume {self.folder.parent}"
            )
            raise KeyboardInterrupt
        weights = {name: tensor.cpu().contiguous() for name, tensor in trainer.best_weights().items()}
        write_whole(self.folder / WEIGHTS, save(weights))
        position = trainer.position
        end = {"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)}
        trainer.emit({**end, "epochs": trainer.plan.epochs})
        write_manifest(self.folder, [LOG, WEIGHTS])


def _read(own: Path, fingerprint: str) -> Pretrained:
    """Read the weights of a first training that has ended; raises `RunError` where they are of other data, or damaged."""
    check_manifest(own)
    events = list(read_events(own / LOG))
    if events[0].get("fingerprint") != fingerprint:
        raise RunError(
            f"{own}: was made from other data than is there now; put it back, or train again into another folder"
        )
    valid = [event for event in events if event.get("event") == "valid" and event.get("best")]
    try:
        weights = load_tensors((own / WEIGHTS).read_bytes())
    except (OSError, SafetensorError) as error:
        raise RunError(f"{own / WEIGHTS}: cannot be read: {error}") from None
    end = events[-1]
    perplexity = valid[-1].get("perplexity") if valid else None
    return Pretrained(weights, float(end["seconds"]), float(end["epochs"]), perplexity)
