"""Training from end to end: data and settings in, a whole run folder out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from recurra.configuration import Configuration, configure, load_configuration, read_settings
from recurra.data import locate, names
from recurra.errors import RunError, UsageError
from recurra.files import write_whole
from recurra.manifest import NAME, check_manifest, drop_manifest, write_manifest
from recurra.report import write_report
from recurra.run import Run
from recurra.tasks import Facts, get_task
from recurra.training.log import read_events
from recurra.training.loop import Loop, last_checkpoint
from recurra.training.plan import Plan, apply_threads, make_plan
from recurra.training.progress import Progress

Source = str | Path


def train(
    task: str,
    data: Source | Sequence[Source] = (),
    out: Source | None = None,
    *,
    config: Source | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Run:
    """Train a model of a task on data, measure it on what was held out, and give the run.

    data: files, folders, globs, or the name of a data set.  out: the run folder to make; a new one under runs/ by default.
    config: a TOML file.  settings: any setting of the task by its name, as in `hidden=256`; they outrank the file.
    Raises `UsageError`, `DataError`, `RunError` or `DivergedError`; nothing half-written is left behind.

    >>> import recurra, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> text = Path(folder, "verse.txt")
    >>> _ = text.write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", text, Path(folder, "run"), quiet=True, hidden=16, layers=1, epochs=2)
    >>> round(run.evaluation["metrics"]["nll"]) < 4
    True
    """
    arguments = [data] if isinstance(data, str | Path) else list(data)
    layers: list[Mapping[str, Any]] = [read_settings(Path(config), task)] if config is not None else []
    if arguments:
        named, located = _locate([str(argument) for argument in arguments])
        layers = [named, *layers, located]
    configuration = configure(task, *layers, settings)
    folder = _new_folder(Path(out)) if out is not None else _next_folder(task)
    return _Training(configuration, folder, quiet).begin()


def resume(folder: Source, *, quiet: bool = False, **settings: Any) -> Run:
    """Go on with a training that was interrupted or killed; it ends with the very weights it would have had.

    Raises `RunError` when there is nothing to go on from, the data have changed, or a file is damaged.
    """
    path = Path(folder)
    if not (path / "config.toml").is_file():
        raise RunError(f"{path}: expected a run folder to go on with; it has no config.toml")
    if settings:
        raise UsageError(f"{next(iter(settings))}: a training is resumed with the settings it began with")
    configuration = load_configuration(path / "config.toml")
    return _Training(configuration, path, quiet).go_on()


def _locate(arguments: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn the name of a data set into its settings and its files; other arguments stay as they are."""
    if len(arguments) == 1 and not Path(arguments[0]).exists() and arguments[0] in names():
        found = locate(arguments[0])
        files = {"data": found.train, "valid": found.valid, "test": found.test}
        located = {name: [str(path) for path in paths] for name, paths in files.items() if paths}
        return {**found.settings, "name": arguments[0]}, located
    return {}, {"data": [a if a == "-" else _absolute(a) for a in arguments]}


def _absolute(argument: str) -> str:
    """A run folder can be used from anywhere, so it remembers where its data are; a glob stays one."""
    return str(Path(argument).absolute())


def _new_folder(folder: Path) -> Path:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        hint = f"go on with it: recurra train --resume {folder}" if (folder / "checkpoint").is_dir() else "name another"
        raise UsageError(f"out: expected a new folder, but {folder} is there already; {hint}")
    _check_writable(folder)
    return folder


def _next_folder(task: str) -> Path:
    number = 1
    while (folder := Path("runs") / f"{task}-{number}").exists():
        number += 1
    _check_writable(folder)
    return folder


def _check_writable(folder: Path) -> None:
    """Find out now, not after an hour of training, whether the folder can be made; leaves nothing behind."""
    missing = [path for path in [folder, *folder.parents] if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
        for path in missing:
            path.rmdir()
    except OSError as error:
        raise UsageError(f"out: {folder} cannot be written: {error.strerror}; name another folder with -o") from None


class _Training:
    """One training in one folder."""

    def __init__(self, configuration: Configuration, folder: Path, quiet: bool) -> None:
        self.configuration, self.folder, self.quiet = configuration, folder, quiet
        self.training = configuration.training
        self.task = get_task(configuration.task)(configuration.settings)
        self.started = time.monotonic()

    def begin(self) -> Run:
        with Progress(quiet=self.quiet) as progress:
            return self._from_the_start(progress)

    def go_on(self) -> Run:
        if (self.folder / NAME).is_file():
            check_manifest(self.folder)
        checkpoint = last_checkpoint(self.folder)
        if checkpoint and checkpoint.facts["position"]["done"] and (self.folder / NAME).is_file():
            raise UsageError(f"{self.folder}: its training has ended; there is nothing to resume")
        for left in self.folder.glob(".*.tmp-*"):  # of a file that was being written when the training was killed
            left.unlink()
        with Progress(quiet=self.quiet) as progress:
            if checkpoint is None:  # killed before the first one: the beginning is where to go on from
                return self._from_the_start(progress)
            apply_threads(self.training)
            progress.note("reading the data")
            facts = self.task.prepare(self.folder)
            loop = self._loop(Plan(**checkpoint.facts["plan"]), facts, progress)
            loop.resume(checkpoint)
            drop_manifest(self.folder)
            progress.event(next(read_events(self.folder / "metrics.jsonl")))
            return self._run(loop, progress)

    def _from_the_start(self, progress: Progress) -> Run:
        threads = apply_threads(self.training)
        progress.note("reading the data")
        facts = self.task.prepare()
        for note in facts.notes:
            progress.note(note)
        self.training.batch = self.training.batch or self.task.batch
        progress.note("measuring this machine")
        torch.manual_seed(self.training.seed)
        plan = make_plan(self.task, self.training, self.training.batch, self.started)
        progress.note(plan.sentence)
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write_configuration(plan)
            torch.manual_seed(self.training.seed)
            loop = self._loop(plan, facts, progress)
            loop.log.cut(0)
            loop.emit(self._start_event(facts.counts, loop, threads))
            loop.save()
        except BaseException:
            if made:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self._run(loop, progress)

    def _loop(self, plan: Plan, facts: Facts, progress: Progress) -> Loop:
        return Loop(
            self.task,
            self.training,
            plan,
            self.folder,
            batch=self.training.batch or self.task.batch,
            fingerprint=facts.fingerprint,
            watch=progress.event,
        )

    def _write_configuration(self, plan: Plan) -> None:
        """Write down what was chosen, so that the same training can be made again without choosing."""
        chosen = {"precision": plan.precision, "epochs": plan.epochs, "within": None}
        self.configuration.training = self.training.model_copy(update=chosen)
        self.task.save(self.folder)
        write_whole(self.folder / "config.toml", self.configuration.to_toml())

    def _start_event(self, counts: dict[str, int], loop: Loop, threads: int) -> dict[str, Any]:
        return {
            "event": "start",
            "parameters": sum(p.numel() for p in loop.trainer.network.parameters()),
            **counts,
            "steps": loop.plan.steps,
            "precision": loop.plan.precision,
            "threads": threads,
            "device": self.training.device,
            "plan": loop.plan.sentence,
            "began": time.strftime("%Y-%m-%d %H:%M:%S"),
        }

    def _run(self, loop: Loop, progress: Progress) -> Run:
        reason = loop.run()
        weights = loop.outcome()
        names = [*self.task.save(self.folder), "config.toml", "metrics.jsonl", "model.safetensors", "report.html"]
        write_whole(self.folder / "model.safetensors", save({n: w.cpu().contiguous() for n, w in weights.items()}))
        position = loop.position
        end = {"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)}
        loop.emit({**end, "best_step": position.best_step} if loop.best else end)
        loop.trainer.network.load_state_dict(weights)
        if reason != "interrupted" and self.task.held_out:
            loop.emit({"event": "evaluation", **self.task.evaluate(loop.trainer.network, None, progress.note)})
        loop.log.close()
        write_report(self.folder)
        write_manifest(self.folder, names)
        return Run.load(self.folder)
