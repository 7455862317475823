"""One training in one folder: made ready, run, measured, and left as a whole run."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from recurra.errors import DivergedError, RunError, UsageError
from recurra.files import write_whole
from recurra.report import write_report
from recurra.runs.config import Configuration
from recurra.runs.manifest import MANIFEST, check_sums, drop_manifest, sums, write_manifest
from recurra.runs.pretraining import FOLDER as PRETRAINING
from recurra.runs.pretraining import begin_with_run, phase_training, pretrain
from recurra.runs.resumable import check_format, check_no_steps, check_not_ended
from recurra.runs.run import Run
from recurra.tasks import DatasetSummary, get_task
from recurra.tasks.base.predictor import WEIGHTS
from recurra.training.checkpoint import Checkpoint, drop_older, last_checkpoint
from recurra.training.config import Training, duration
from recurra.training.device import check_device
from recurra.training.folder import (
    LOG,
    claim_folder,
    discard_folder,
    make_folder,
    next_folder,
    remove_partial_files,
    report_write_errors,
)
from recurra.training.log import MetricsLog, read_events
from recurra.training.loop import Trainer
from recurra.training.plan import Plan, apply_threads, make_plan
from recurra.training.progress import Progress

FRAME = "data.parquet"
"""What a run keeps of a table that was in memory."""


class TrainingSession:
    """One training in one folder.

    numbered: whether Recurra has named the folder itself, so that another would do as well.
    frame: a file with the data that is elsewhere for the time being, and is moved into the folder once it is there.
    """

    def __init__(
        self,
        configuration: Configuration,
        folder: Path,
        *,
        quiet: bool,
        numbered: bool = False,
        frame: Path | None = None,
    ) -> None:
        self.configuration, self.folder, self.numbered, self.frame = configuration, folder, numbered, frame
        self.training = configuration.training
        self.task = get_task(configuration.task)(configuration.settings)
        self.progress = Progress(quiet=quiet, units=self.task.element[1])
        self.started = time.monotonic()

    def start(self, log: MetricsLog | None = None) -> Run:
        """Train from the first step on; `log` is that of a folder which is locked already."""
        apply_threads(self.training.threads)
        check_device(self.training.device)
        with self.progress, report_write_errors(self.folder):
            begin_with_run(self.task)
            summary = self._prepare(None)
            for note in summary.notes:
                self.progress.note(note)
            if self.training.batch is None:
                within = self.training.within
                self.training.batch = self.task.default_batch_size(None if within is None else duration(within))
            if self.training.lr is None and self.training.optimizer == "adamw":
                self.training.lr = self.task.default_learning_rate()
            with contextlib.ExitStack() as stack:
                if (log := self._pretrain(log)) is not None:
                    stack.callback(log.close)
                self.progress.note("measuring this machine")
                torch.manual_seed(self.training.seed)
                plan = make_plan(self.task, self.training, self.training.batch, self.started)
                with contextlib.closing(self._first_checkpoint(plan, summary, log)) as trainer:
                    self._run(trainer)
        return Run.load(self.folder)

    def resume(self) -> Run:
        """Train from the last checkpoint on, or from the first step when there is none yet."""
        check_not_ended(self.folder)
        check_format(self.folder, self.configuration)
        # What is read from here on must not be changed by another who resumes the same training.
        with report_write_errors(self.folder), contextlib.closing(MetricsLog(self.folder / LOG)) as log:
            check_not_ended(self.folder)
            if (checkpoint := last_checkpoint(self.folder)) is None:
                check_no_steps(self.folder)
                return self.start(log)
            with self.progress:
                trainer = self._resume_from(checkpoint, log)
                remove_partial_files(self.folder)
                drop_older(self.folder / "checkpoint")
                drop_manifest(self.folder)
                for event in read_events(self.folder / LOG):
                    if event.get("event") in ("start", "plan"):
                        self.progress.event(event)
                self._run(trainer)
        return Run.load(self.folder)

    # Before training

    def _prepare(self, saved: Path | None) -> DatasetSummary:
        self.progress.note("reading the data")
        return self.task.prepare(saved)

    def _pretrain(self, log: MetricsLog | None) -> MetricsLog | None:
        """Train what the task wants to be trained first, in the run's folder; gives the folder's log, which locks it from then on."""
        if (phase := self.task.pretraining()) is None:
            return log
        locked, made = log is not None, list[Path]()
        if log is None:
            log, made = self._claim()
        try:
            self._keep_frame()
            self._set_training(self.training)
            self.progress.begin_phase(f"first of two: {phase.text}", phase.task.element[1])
            training = phase_training(self.training, phase)
            found = pretrain(phase.task, training, self.folder, progress=self.progress, started=self.started)
        except BaseException:
            begun = (self.folder / PRETRAINING / MANIFEST).is_file() or last_checkpoint(self.folder / PRETRAINING)
            if sys.platform == "win32":
                log.close()
            if not locked and not begun:
                discard_folder(self.folder, made)
            log.close()
            raise
        self.task.take_pretrained(found.weights)
        self.started = min(self.started, time.monotonic() - found.seconds)  # of a training that was killed meanwhile too
        reached = "" if found.perplexity is None else f", which has come to a perplexity of {found.perplexity:.4g}"
        self.progress.begin_phase(f"second of two: it begins with that language model{reached}", self.task.element[1])
        return log

    def _trainer(self, plan: Plan, summary: DatasetSummary, files: Mapping[str, str], log: MetricsLog) -> Trainer:
        if self.training.batch is None:  # start() has chosen one, and config.toml keeps it
            raise RunError(f"{self.folder / 'config.toml'}: expected a batch under [training], got none")
        return Trainer(
            self.task,
            self.training,
            plan,
            self.folder,
            fingerprint=summary.fingerprint,
            files=files,
            watch=self.progress.event,
            log=log,
        )

    def _first_checkpoint(self, plan: Plan, summary: DatasetSummary, log: MetricsLog | None) -> Trainer:
        """Make the folder with all that a training can be resumed from, or nothing at all."""
        locked, made = log is not None, list[Path]()
        if log is None:
            log, made = self._claim()
        try:
            remove_partial_files(self.folder)
            self._keep_frame()
            planned, files = self._write_configuration(plan)
            torch.manual_seed(self.training.seed)
            trainer = self._trainer(plan, summary, files, log)
            trainer.log.truncate(0)
            sentence = trainer.state.initialize()
            if sentence is not None:
                self.progress.note(sentence)
            if self.training.gradient_lags:  # found out now when the text is too short for it
                self.task.gradient_norms_by_lag(trainer.state.network, self.training.gradient_lags)
            trainer.emit(self._start_event(summary, trainer))
            trainer.save()
            if planned != self.configuration.training:
                self._set_training(planned)
        except BaseException:
            if sys.platform == "win32":
                log.close()  # no file that is open can be removed there
            if not locked:  # while it is locked: another who begins there now must not lose anything
                discard_folder(self.folder, made)
            log.close()
            raise
        return trainer

    def _resume_from(self, checkpoint: Checkpoint, log: MetricsLog) -> Trainer:
        """Read the data again and go back to a checkpoint; everything that it rests on has to be as it was."""
        if not self.task.rereadable and sys.stdin.isatty():
            raise UsageError(
                f"{self.folder}: was trained on standard input; pipe it in again: … | recurra train --resume {self.folder}"
            )
        try:
            files, plan = dict(checkpoint.facts["files"]), Plan(**checkpoint.facts["plan"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.folder}: its checkpoint is of another version of Recurra ({error})") from None
        self._restore_configuration(plan, files)
        check_sums(self.folder, files)
        apply_threads(plan.threads)
        trainer = self._trainer(plan, self._prepare(self.folder), files, log)
        trainer.resume(checkpoint)
        return trainer

    def _claim(self) -> tuple[MetricsLog, list[Path]]:
        """Make the folder and lock it; gives those that were made as well, the deepest first."""
        while self.numbered:
            made = make_folder(self.folder.parent)
            try:
                self.folder.mkdir()
            except FileExistsError:  # another training has begun since the number was chosen
                self.folder = next_folder(self.configuration.task)
            else:
                return claim_folder(self.folder)[0], [self.folder, *made]
        return claim_folder(self.folder)

    def _keep_frame(self) -> None:
        """Move the file of a table that was in memory into the folder, from where it is read from now on."""
        if self.frame is None:
            return
        kept = self.folder / FRAME
        shutil.move(self.frame, kept)
        self.frame = None
        for section in type(self.configuration.settings).model_fields:
            settings = getattr(self.configuration.settings, section)
            if "data" in type(settings).model_fields:
                settings.data = [str(kept.absolute())]

    def _write_configuration(self, plan: Plan) -> tuple[Training, dict[str, str]]:
        """Write down what was chosen, so that the same training can be made again without choosing.

        Gives the settings that are to be written once there is a checkpoint, which keeps the plan, and the sums that the files
        then have. Until then a limit of time stands instead of the epochs that were planned for it, so that a training
        which is killed now is planned for it once more.
        """
        asked = self.training.model_copy(update={"precision": plan.precision})
        planned = asked.model_copy(update={"epochs": plan.epochs, "within": None})
        # First, and in one piece: from here on the training can be gone on with.
        self._set_training(planned if self.training.within is None else asked)
        kept = [FRAME] if (self.folder / FRAME).is_file() else []
        files = sums(self.folder, ["config.toml", *kept, *self.task.save(self.folder)])
        return planned, {**files, "config.toml": self._sum_with(planned)}

    def _set_training(self, training: Training) -> None:
        """Write config.toml with these settings of training."""
        self.configuration.training = training
        write_whole(self.folder / "config.toml", self.configuration.to_toml())

    def _sum_with(self, training: Training) -> str:
        """Give the SHA-256 sum of config.toml with these settings of training."""
        text = Configuration(self.configuration.task, self.configuration.settings, training).to_toml()
        return hashlib.sha256(text.encode()).hexdigest()

    def _restore_configuration(self, plan: Plan, files: Mapping[str, str]) -> None:
        """Write config.toml as it was planned, where a kill has left it otherwise; any other change is damage, and stays.

        With a limit of time it is written twice more: after the first checkpoint, and when the end says how many epochs it was.
        """
        planned = self.configuration.training.model_copy(update={"epochs": plan.first, "within": None})
        differs = plan.seconds is not None and planned != self.configuration.training
        if differs and self._sum_with(planned) == files.get("config.toml"):
            self._set_training(planned)

    def _start_event(self, summary: DatasetSummary, trainer: Trainer) -> dict[str, Any]:
        return {
            "event": "start",
            "parameters": sum(p.numel() for p in trainer.state.network.parameters()),
            **summary.counts,
            "steps": trainer.plan.steps,
            "precision": trainer.plan.precision,
            "threads": trainer.plan.threads,
            "device": self.training.device,
            "plan": trainer.plan.sentence,
            "fingerprint": summary.fingerprint,
            "began": time.strftime("%Y-%m-%d %H:%M:%S"),
        }

    # Training and after

    def _run(self, trainer: Trainer) -> None:
        try:
            try:
                reason = trainer.run()
            except DivergedError as error:
                step = trainer.restore_last_good()
                self._finish(trainer, "diverged")
                raise DivergedError(f"{error}. {self.folder} is a run with the weights of step {step}") from None
            self._finish(trainer, reason)
        except KeyboardInterrupt:
            self.progress.note(f"stopped at once; go on with: recurra train --resume {self.folder}")
            raise

    def _finish(self, trainer: Trainer, reason: str) -> None:
        """Write what a run is; killed in the middle, it is done again from the last checkpoint."""
        check_sums(self.folder, trainer.files)
        if reason != "interrupted" and trainer.plan.epochs != self.configuration.training.epochs:
            # The clock has changed the plan on the way: so many make such a training again, on any machine.
            self._set_training(self.configuration.training.model_copy(update={"epochs": trainer.plan.epochs}))
        predictor, position = self.task.predictor(trainer.state.network), trainer.position
        predictor.network.load_state_dict(trainer.best_weights())
        self.task.calibrate(predictor)
        weights = {name: tensor.cpu().contiguous() for name, tensor in predictor.network.state_dict().items()}
        write_whole(self.folder / WEIGHTS, save(weights))
        end = {"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)}
        trainer.emit({**end, "best_step": position.best_step} if trainer.best else end)
        if reason != "interrupted" and self.task.has_held_out:
            try:
                evaluation = self.task.evaluate(predictor, None, self.progress.note)
            except DivergedError as error:  # a run without figures is of more use than none
                self.progress.note(f"it cannot be measured: {error}")
            else:
                trainer.emit({"event": "evaluation", **evaluation})
        write_manifest(self.folder, [*trainer.files, LOG, WEIGHTS, *self._write_report()])

    def _write_report(self) -> list[str]:
        """Write the report and give its name; where the task's part of it fails there is none, and the run is whole without."""
        try:
            return [write_report(self.folder, self.task.description(), self.task.report_blocks).name]
        except (OSError, RunError):  # the folder's fault, which nothing else could be written to either
            raise
        except Exception as error:  # noqa: BLE001  a task may raise anything, and must not lose a run
            (self.folder / "report.html").unlink(missing_ok=True)  # that of an earlier part of this training
            print(f"report: it could not be drawn: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
            return []
