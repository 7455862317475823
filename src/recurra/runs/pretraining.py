"""What a training begins with: the weights of another run, and a language model that is trained first in a folder of its own."""

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
from recurra.runs.run import Run
from recurra.tasks import Task
from recurra.tasks.base.capabilities import BeginsOthers
from recurra.tasks.base.predictor import WEIGHTS
from recurra.tasks.base.task import Phase
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.training.checkpoint import Checkpoint, drop_older, last_checkpoint
from recurra.training.config import Training, duration
from recurra.training.folder import LOG, remove_partial_files
from recurra.training.log import MetricsLog, read_events
from recurra.training.loop import Trainer
from recurra.training.plan import Plan, apply_threads, make_plan
from recurra.training.progress import Progress

FOLDER = "pretraining"
"""Of a run folder, where the language model of texts without labels is trained."""


@dataclass(frozen=True)
class Pretrained:
    """What a first training has led to: weights, the seconds that it took, and its perplexity where some texts were held out."""

    weights: dict[str, Tensor]
    seconds: float
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
    if phase.epochs is None and training.within is not None:
        within = f"{phase.share * duration(training.within):.3f}s"
    return Training(
        **{name: getattr(training, name) for name in kept},
        batch=phase.task.default_batch_size(None),
        lr=phase.task.default_learning_rate(),
        epochs=phase.epochs,
        within=within,
    )


def pretrain(task: Task, training: Training, folder: Path, *, progress: Progress, started: float) -> Pretrained:
    """Train `task` in a run folder's own folder for it, go on with it, or read what it has led to.

    training: how, with its limit of time.  folder: the run's, whose config.toml must not change meanwhile.
    started: `time.monotonic()` when the user's clock began. Raises `KeyboardInterrupt` where the user stops it, and `RunError`
    where it was begun with other data or settings, or something is damaged.
    """
    own = folder / FOLDER
    fingerprint = task.prepare().fingerprint
    if not (own / MANIFEST).is_file():
        own.mkdir(exist_ok=True)
        remove_partial_files(own)
        with contextlib.closing(MetricsLog(own / LOG)) as log:
            if (checkpoint := last_checkpoint(own)) is None:
                trainer = _first(task, training, folder, fingerprint, progress, log, started)
            else:
                trainer = _resumed(task, training, folder, fingerprint, progress, log, checkpoint)
            _run(trainer, own, progress)
    shutil.rmtree(own / "checkpoint", ignore_errors=True)  # nothing goes on from there any more
    return _read(own, fingerprint)


def _first(
    task: Task, training: Training, folder: Path, fingerprint: str, progress: Progress, log: MetricsLog, started: float
) -> Trainer:
    torch.manual_seed(training.seed)
    plan = make_plan(task, training, training.batch or task.default_batch_size(None), started)
    torch.manual_seed(training.seed)
    files = sums(folder, ["config.toml"])
    trainer = Trainer(
        task, training, plan, folder / FOLDER, fingerprint=fingerprint, files=files, watch=progress.event, log=log
    )
    trainer.log.truncate(0)
    if (sentence := trainer.state.initialize()) is not None:
        progress.note(sentence)
    parameters = sum(p.numel() for p in trainer.state.network.parameters())
    counts = task.count_dataset(task.dataset)
    trainer.emit(
        {
            "event": "start",
            "parameters": parameters,
            **counts,
            "steps": plan.steps,
            "plan": plan.sentence,
            "fingerprint": fingerprint,
        }
    )
    trainer.save()
    return trainer


def _resumed(
    task: Task,
    training: Training,
    folder: Path,
    fingerprint: str,
    progress: Progress,
    log: MetricsLog,
    checkpoint: Checkpoint,
) -> Trainer:
    try:
        files, plan = dict(checkpoint.facts["files"]), Plan(**checkpoint.facts["plan"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder / FOLDER}: its checkpoint is of another version of Recurra ({error})") from None
    check_sums(folder, files)
    drop_older(folder / FOLDER / "checkpoint")
    apply_threads(plan.threads)
    trainer = Trainer(
        task, training, plan, folder / FOLDER, fingerprint=fingerprint, files=files, watch=progress.event, log=log
    )
    trainer.resume(checkpoint)
    for event in read_events(folder / FOLDER / LOG):
        if event.get("event") in ("start", "plan"):
            progress.event(event)
    return trainer


def _run(trainer: Trainer, own: Path, progress: Progress) -> None:
    """Train to the end, and write what came of it; the manifest says that it is whole."""
    try:
        reason = trainer.run()
    except DivergedError as error:
        step = trainer.restore_last_good()
        progress.note(f"the language model: {error}; it is used as it was at step {step}")
        reason = "diverged"
    if reason == "interrupted":
        progress.note(f"stopped before there is a run; go on with: recurra train --resume {own.parent}")
        raise KeyboardInterrupt
    weights = {name: tensor.cpu().contiguous() for name, tensor in trainer.best_weights().items()}
    write_whole(own / WEIGHTS, save(weights))
    position = trainer.position
    trainer.emit({"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)})
    write_manifest(own, [LOG, WEIGHTS])


def _read(own: Path, fingerprint: str) -> Pretrained:
    """Read the weights of a first training that has ended; raises `RunError` where they are of other data, or damaged."""
    check_manifest(own)
    events = list(read_events(own / LOG))
    if events[0].get("fingerprint") != fingerprint:
        raise RunError(f"{own}: was made from other data than is there now; put it back, or train again into another folder")
    valid = [event for event in events if event.get("event") == "valid" and event.get("best")]
    try:
        weights = load_tensors((own / WEIGHTS).read_bytes())
    except (OSError, SafetensorError) as error:
        raise RunError(f"{own / WEIGHTS}: cannot be read: {error}") from None
    return Pretrained(weights, float(events[-1]["seconds"]), valid[-1]["perplexity"] if valid else None)
