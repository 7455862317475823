"""Training from end to end: data and settings in, a whole run folder out."""

from __future__ import annotations

import contextlib
import difflib
import glob
import hashlib
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from recurra.configuration import (
    Configuration,
    configure,
    fields,
    leaf,
    load_configuration,
    read_settings,
    shortened,
    value,
)
from recurra.data import locate, names
from recurra.errors import DataError, DivergedError, RunError, UsageError
from recurra.files import write_whole
from recurra.manifest import NAME, check_manifest, check_sums, drop_manifest, sums, write_manifest
from recurra.report import write_report
from recurra.run import Run
from recurra.tasks import Facts, get_task
from recurra.training.checkpoint import Checkpoint
from recurra.training.config import duration
from recurra.training.folder import LOG, claim, make_folder, new_folder, next_folder, sweep, withdraw, writing
from recurra.training.log import MetricsLog, read_events
from recurra.training.loop import Loop, last_checkpoint
from recurra.training.plan import Plan, apply_threads, make_plan
from recurra.training.progress import Progress

Source = str | Path

FILES = ("data", "valid", "test")
"""Settings that name files: a run folder can be used from anywhere, so it remembers where they are."""


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
    Raises `UsageError`, `DataError`, `RunError` or `DivergedError`; a training that has not begun leaves nothing behind,
    and one that diverges a run with the last good weights.

    >>> import recurra, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> text = Path(folder, "verse.txt")
    >>> _ = text.write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", text, Path(folder, "run"), quiet=True, hidden=16, layers=1, epochs=2)
    >>> round(run.evaluation["metrics"]["nll"]) < 4
    True
    """
    configuration = configure(task, *_layers(task, data, config, settings))
    folder = next_folder(task) if out is None else new_folder(Path(out))
    return _Training(configuration, folder, quiet=quiet, numbered=out is None).begin()


def resume(
    folder: Source,
    data: Source | Sequence[Source] = (),
    *,
    task: str | None = None,
    config: Source | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Run:
    """Go on with a training that was interrupted or killed; it ends with the very weights it would have had.

    data, task, config, settings: as for `train`, for the sake of commands that are repeated; nothing in them can be changed.
    Raises `UsageError` where they say otherwise than what the training began with, and `RunError` when there is nothing
    to go on from, the data have changed, or a file is damaged.
    """
    path = Path(folder)
    if not (path / "config.toml").is_file():
        what = "it has no config.toml" if path.is_dir() else "there is no such folder"
        raise RunError(f"{path}: expected a run folder to go on with; {what}: begin it with `recurra train`")
    configuration = load_configuration(path / "config.toml")
    if task not in (None, configuration.task):
        raise UsageError(f"task: {path} is of {configuration.task!r}, got {task!r}")
    _check_same(configuration, _layers(configuration.task, data, config, settings), path)
    return _Training(configuration, path, quiet=quiet).go_on()


def _layers(
    task: str, data: Source | Sequence[Source], config: Source | None, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Give what a user says as layers for `configure`, the files in it found."""
    file = {} if config is None else read_settings(Path(config), task)
    arguments = [data] if isinstance(data, str | Path) else list(data)
    if not arguments:
        arguments = file.pop("data.data", [])
    named, located = _locate([str(argument) for argument in arguments])
    return [named, _anchored(task, file), located, _anchored(task, settings)]


def _check_same(begun: Configuration, layers: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Raise `UsageError` for a setting that is not the one that a training began with; what was left open was chosen then."""
    known = fields(begun.task)
    said = {leaf(begun.task, name, known) for layer in layers for name, given in layer.items() if given is not None}
    if "within" in said:
        raise UsageError("within: a training is resumed with the time that it was given when it began; leave it out")
    asked = configure(begun.task, *layers)
    for name in sorted(said):
        had, got = (value(configuration, name, known) for configuration in (begun, asked))
        if got not in (had, None, "auto"):
            raise UsageError(
                f"{name}: a training is resumed with the settings it began with, in {folder} {shortened(had)}; "
                f"got {shortened(got)}"
            )


def _locate(arguments: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn the name of a data set into its settings and its files; other arguments stay as they are."""
    if len(arguments) == 1 and not os.path.exists(arguments[0]) and arguments[0] in names():  # noqa: PTH110  no error where a name is too long
        found = locate(arguments[0])
        files = {"data": found.train, "valid": found.valid, "test": found.test}
        located = {name: [str(path) for path in paths] for name, paths in files.items() if paths}
        return {**found.settings, "name": arguments[0]}, located
    for argument in arguments:
        close = difflib.get_close_matches(argument, names(), n=1) if re.fullmatch(r"[\w-]+", argument) else []
        if close and argument != "-" and not os.path.exists(argument):  # noqa: PTH110
            hint = (
                f"name the data set {argument} alone" if argument in close else f"did you mean the data set {close[0]}?"
            )
            raise DataError("is no file here", source=argument, hint=hint)
    return {}, {"data": [_absolute(argument) for argument in arguments]} if arguments else {}


def _anchored(task: str, layer: Mapping[str, Any]) -> dict[str, Any]:
    """Make the files of a layer absolute, as those of `data` are."""
    known = fields(task)

    def anchored(name: str, value: Any) -> Any:
        if value is None or leaf(task, name, known) not in FILES:
            return value
        files = [value] if isinstance(value, str | Path) else value
        return [_absolute(str(file)) for file in files] if isinstance(files, list | tuple) else value

    return {name: anchored(name, value) for name, value in layer.items()}


def _absolute(argument: str) -> str:
    """Make a file, a folder or a glob absolute; what stands before a glob is a name, whatever is in it.

    >>> _absolute("/texts/*.txt"), _absolute("-")
    ('/texts/*.txt', '-')
    """
    path = Path(argument).expanduser()
    if argument == "-" or not glob.has_magic(argument) or os.path.lexists(path):
        return argument if argument == "-" else str(path.absolute())
    if argument.startswith("~"):
        home, *rest = Path(argument).parts
        return str(Path(glob.escape(str(Path(home).expanduser())), *rest))
    return str(Path(glob.escape(str(Path.cwd())), argument))


class _Training:
    """One training in one folder; `numbered`: which Recurra has named itself, so that another would do as well."""

    def __init__(self, configuration: Configuration, folder: Path, *, quiet: bool, numbered: bool = False) -> None:
        self.configuration, self.folder, self.numbered = configuration, folder, numbered
        self.training = configuration.training
        self.task = get_task(configuration.task)(configuration.settings)
        self.progress = Progress(quiet=quiet)
        self.started = time.monotonic()

    def begin(self, log: MetricsLog | None = None) -> Run:
        """Train from the first step on; `log` is that of a folder which is locked already."""
        apply_threads(self.training.threads)
        with self.progress, writing(self.folder):
            facts = self._prepare(None)
            for note in facts.notes:
                self.progress.note(note)
            if self.training.batch is None:
                within = self.training.within
                self.training.batch = self.task.batch_size(None if within is None else duration(within))
            self.progress.note("measuring this machine")
            torch.manual_seed(self.training.seed)
            plan = make_plan(self.task, self.training, self.training.batch, self.started)
            with contextlib.closing(self._first_checkpoint(plan, facts, log)) as loop:
                self._run(loop)
        return Run.load(self.folder)

    def go_on(self) -> Run:
        """Train from the last checkpoint on, or from the first step when there is none yet."""
        self._check_unended()
        # What is read from here on must not be changed by another who resumes the same training.
        with writing(self.folder), contextlib.closing(MetricsLog(self.folder / LOG)) as log:
            self._check_unended()
            checkpoint = last_checkpoint(self.folder)
            if checkpoint is None:
                self._check_unbegun()
                return self.begin(log)
            with self.progress:
                loop = self._restored(checkpoint, log)
                sweep(self.folder)
                drop_manifest(self.folder)
                for event in read_events(self.folder / LOG):
                    if event.get("event") in ("start", "plan"):
                        self.progress.event(event)
                self._run(loop)
        return Run.load(self.folder)

    # Before training

    def _prepare(self, saved: Path | None) -> Facts:
        self.progress.note("reading the data")
        return self.task.prepare(saved)

    def _loop(self, plan: Plan, facts: Facts, files: Mapping[str, str], log: MetricsLog) -> Loop:
        if self.training.batch is None:  # begin() has chosen one, and config.toml keeps it
            raise RunError(f"{self.folder / 'config.toml'}: expected a batch under [training], got none")
        return Loop(
            self.task,
            self.training,
            plan,
            self.folder,
            batch=self.training.batch,
            fingerprint=facts.fingerprint,
            files=files,
            watch=self.progress.event,
            log=log,
        )

    def _first_checkpoint(self, plan: Plan, facts: Facts, log: MetricsLog | None) -> Loop:
        """Make the folder with all that a training can be gone on with, or nothing at all."""
        begun, made = log is not None, list[Path]()
        if log is None:
            log, made = self._claim()
        try:
            sweep(self.folder)
            files = self._write_configuration(plan)
            torch.manual_seed(self.training.seed)
            loop = self._loop(plan, facts, files, log)
            loop.log.cut(0)
            if self.training.gradient_lags:  # found out now when the text is too short for it
                self.task.gradient_lags(loop.trainer.network, self.training.gradient_lags)
            loop.emit(self._start_event(facts, loop))
            loop.save()
        except BaseException:
            if sys.platform == "win32":
                log.close()  # no file that is open can be removed there
            if not begun:  # while it is locked: another who begins there now must not lose anything
                withdraw(self.folder, made)
            log.close()
            raise
        return loop

    def _restored(self, checkpoint: Checkpoint, log: MetricsLog) -> Loop:
        """Read the data again and go back to a checkpoint; everything that it rests on has to be as it was."""
        if not self.task.repeatable and sys.stdin.isatty():
            raise UsageError(
                f"{self.folder}: was trained on standard input; pipe it in again: … | recurra train --resume {self.folder}"
            )
        try:
            files, plan = dict(checkpoint.facts["files"]), Plan(**checkpoint.facts["plan"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.folder}: its checkpoint is of another version of Recurra ({error})") from None
        self._undo_epochs(plan, files)
        check_sums(self.folder, files)
        apply_threads(plan.threads)
        loop = self._loop(plan, self._prepare(self.folder), files, log)
        loop.resume(checkpoint)
        return loop

    def _claim(self) -> tuple[MetricsLog, list[Path]]:
        """Make the folder and lock it; gives those that were made as well, the deepest first."""
        while self.numbered:
            made = make_folder(self.folder.parent)
            try:
                self.folder.mkdir()
            except FileExistsError:  # another training has begun since the number was chosen
                self.folder = next_folder(self.configuration.task)
            else:
                return claim(self.folder)[0], [self.folder, *made]
        return claim(self.folder)

    def _write_configuration(self, plan: Plan) -> dict[str, str]:
        """Write down what was chosen, so that the same training can be made again without choosing; gives the sums."""
        chosen = {"precision": plan.precision, "epochs": plan.epochs, "within": None}
        self.configuration.training = self.training.model_copy(update=chosen)
        # First, and in one piece: from here on the training can be gone on with.
        write_whole(self.folder / "config.toml", self.configuration.to_toml())
        return sums(self.folder, ["config.toml", *self.task.save(self.folder)])

    def _write_epochs(self, epochs: float | None) -> None:
        self.configuration.training = self.configuration.training.model_copy(update={"epochs": epochs})
        write_whole(self.folder / "config.toml", self.configuration.to_toml())

    def _undo_epochs(self, plan: Plan, files: Mapping[str, str]) -> None:
        """Take back what `_finish` had written of the epochs when it was killed; any other change is damage, and stays."""
        if plan.seconds is None or self.configuration.training.epochs == plan.first:
            return
        training = self.configuration.training.model_copy(update={"epochs": plan.first})
        written = Configuration(self.configuration.task, self.configuration.settings, training).to_toml()
        if hashlib.sha256(written.encode()).hexdigest() == files.get("config.toml"):
            self._write_epochs(training.epochs)

    def _start_event(self, facts: Facts, loop: Loop) -> dict[str, Any]:
        return {
            "event": "start",
            "parameters": sum(p.numel() for p in loop.trainer.network.parameters()),
            **facts.counts,
            "steps": loop.plan.steps,
            "precision": loop.plan.precision,
            "threads": loop.plan.threads,
            "device": self.training.device,
            "plan": loop.plan.sentence,
            "fingerprint": facts.fingerprint,
            "began": time.strftime("%Y-%m-%d %H:%M:%S"),
        }

    def _check_unended(self) -> None:
        """Raise `UsageError` when the training has come to its end, and `RunError` when its run is damaged."""
        if (self.folder / NAME).is_file():
            check_manifest(self.folder)
            ends = [event for event in read_events(self.folder / LOG) if event.get("event") == "end"]
            reason = ends[-1].get("reason") if ends else None
            if reason == "diverged":
                raise UsageError(
                    f"{self.folder}: its training has diverged, and would again; train anew with a lower lr"
                )
            if reason != "interrupted":
                raise UsageError(f"{self.folder}: its training has ended; there is nothing to resume")

    def _check_unbegun(self) -> None:
        """Raise `RunError` when steps were made whose checkpoint is gone: to begin anew would throw away what there is."""
        log = self.folder / LOG
        if (self.folder / NAME).is_file() or (log.is_file() and log.read_bytes().count(b"\n") > 1):
            raise RunError(
                f"{self.folder / 'checkpoint'}: is missing or empty; restore it, or train anew into another folder"
            )

    # Training and after

    def _run(self, loop: Loop) -> None:
        try:
            try:
                reason = loop.run()
            except DivergedError as error:
                step = loop.go_back()
                self._finish(loop, "diverged")
                raise DivergedError(f"{error}. {self.folder} is a run with the weights of step {step}") from None
            self._finish(loop, reason)
        except KeyboardInterrupt:
            self.progress.note(f"stopped at once; go on with: recurra train --resume {self.folder}")
            raise

    def _finish(self, loop: Loop, reason: str) -> None:
        """Write what a run is; killed in the middle, it is done again from the last checkpoint."""
        check_sums(self.folder, loop.files)
        if reason != "interrupted" and loop.plan.epochs != self.configuration.training.epochs:
            # The clock has changed the plan on the way: so many make such a training again, on any machine.
            self._write_epochs(loop.plan.epochs)
        weights, position = loop.outcome(), loop.position
        content = save({name: tensor.cpu().contiguous() for name, tensor in weights.items()})
        write_whole(self.folder / "model.safetensors", content)
        end = {"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)}
        loop.emit({**end, "best_step": position.best_step} if loop.best else end)
        if reason != "interrupted" and self.task.held_out:
            loop.trainer.network.load_state_dict(weights)
            try:
                evaluation = self.task.evaluate(loop.trainer.network, None, self.progress.note)
            except DivergedError as error:  # a run without figures is of more use than none
                self.progress.note(f"it cannot be measured: {error}")
            else:
                loop.emit({"event": "evaluation", **evaluation})
        write_report(self.folder)
        write_manifest(self.folder, [*loop.files, LOG, "model.safetensors", "report.html"])
