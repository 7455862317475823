"""One training in one folder: made ready, run, measured, and left as a whole run."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from recurra.data.frames import FRAME
from recurra.errors import DivergedError, RunError, UsageError
from recurra.files import write_whole
from recurra.runs import ablation
from recurra.runs.config import Configuration
from recurra.runs.frame import keep_frame
from recurra.runs.manifest import check_sums, drop_manifest, sums, write_manifest
from recurra.runs.measuring import calibrate, measure_for_record, raise_faults
from recurra.runs.pretraining import begin_with_run, pretrain, pretraining_is_there
from recurra.runs.record import start_event, write_task_report
from recurra.runs.resumable import check_format, check_loadable, check_no_steps, check_not_ended, end_reason
from recurra.runs.run import Run
from recurra.tasks import DatasetSummary, get_task
from recurra.tasks.base.predictor import WEIGHTS
from recurra.training.checkpoint import Checkpoint, drop_older, last_checkpoint
from recurra.training.config import Training
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
from recurra.training.plan import Plan, make_plan
from recurra.training.progress import Progress
from recurra.training.threads import apply_recorded_threads, apply_threads, training_threads


class TrainingSession:
    """One training in one folder.

    numbered: whether Recurra has named the folder itself, so that another would do as well.
    frame: a file with the data that is elsewhere for the time being, and is moved into the folder once it is there.
    progress: where to show it, when it is a part of another training; otherwise it has a display of its own.
    """

    def __init__(
        self,
        configuration: Configuration,
        folder: Path,
        *,
        quiet: bool,
        numbered: bool = False,
        frame: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.configuration, self.folder, self.numbered, self.frame = configuration, folder, numbered, frame
        self.training, self.task = configuration.training, get_task(configuration.task)(configuration.settings)
        self.progress = progress or Progress(quiet=quiet, units=self.task.element[1])
        self.started = time.monotonic()

    def start(self, log: MetricsLog | None = None) -> Run:
        """Train from the first step on; `log` is that of a folder which is locked already."""
        check_device(self.training.device)
        with training_threads(), self.progress, report_write_errors(self.folder):
            apply_threads(self.training.threads)
            summary = self._prepare(None)
            list(map(self.progress.note, summary.notes))
            if self.training.batch is None:
                self.training.batch = self.task.default_batch_size(self.training.seconds)
            if self.training.lr is None and self.training.optimizer == "adamw":
                self.training.lr = self.task.default_learning_rate()
            with ExitStack() as stack:
                if (log := self._pretrain(log)) is not None:
                    stack.callback(log.close)
                self.task.fit_linear(self.training.seconds, self.progress.note)
                self.progress.note("measuring this machine")
                torch.manual_seed(self.training.seed)
                plan = make_plan(self.task, self.training, self.training.batch, self.started)
                with closing(self._first_checkpoint(plan, summary, log)) as trainer:
                    self._run(trainer)
        return Run.load(self.folder)

    def resume(self) -> Run:
        """Train from the last checkpoint on, or from the first step when there is none yet."""
        check_not_ended(self.folder)
        check_format(self.folder, self.configuration)
        # What is read from here on must not be changed by another who resumes the same training.
        with training_threads(), report_write_errors(self.folder), closing(MetricsLog(self.folder / LOG)) as log:
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
        if saved is None:
            ablation.check(self.configuration)
            begin_with_run(self.task)
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
            self.frame = keep_frame(self.frame, self.folder, self.configuration)
            self._set_training(self.training)
            seconds = pretrain(self.task, phase, self.training, self.folder, self.progress, self.started)
        except BaseException:
            self._leave(log, None if locked or pretraining_is_there(self.folder) else made)
            raise
        self.started = min(self.started, time.monotonic() - seconds)  # it may have been killed meanwhile
        return log

    def _leave(self, log: MetricsLog, made: list[Path] | None) -> None:
        """Close the log and remove what was written so far; made: the folders that were made for it, None: all stays."""
        if sys.platform == "win32":
            log.close()  # no file that is open can be removed there
        if made is not None:
            discard_folder(self.folder, made)
        log.close()

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
            self.frame = keep_frame(self.frame, self.folder, self.configuration)
            planned, files = self._write_configuration(plan)
            torch.manual_seed(self.training.seed)
            trainer = self._trainer(plan, summary, files, log)
            trainer.log.truncate(0)
            sentence = trainer.state.initialize()
            if sentence is not None:
                self.progress.note(sentence)
            if self.training.gradient_lags:  # found out now when the text is too short for it
                self.task.gradient_norms_by_lag(trainer.state.network, self.training.gradient_lags)
            trainer.emit(start_event(summary, trainer))
            trainer.save()
            if planned != self.configuration.training:
                self._set_training(planned)
        except BaseException:
            # While it is locked: another who begins there now must not lose anything.
            self._leave(log, None if locked else made)
            raise
        return trainer

    def _resume_from(self, checkpoint: Checkpoint, log: MetricsLog) -> Trainer:
        """Read the data again and go back to a checkpoint; everything that it rests on has to be as it was."""
        if not self.task.rereadable and sys.stdin is not None and sys.stdin.isatty():
            raise UsageError(
                f"{self.folder}: was trained on standard input; pipe it in again: … | recurra train --resume {self.folder}"
            )
        try:
            files, plan = dict(checkpoint.facts["files"]), Plan(**checkpoint.facts["plan"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.folder}: its checkpoint is of another version of Recurra ({error})") from None
        self._restore_configuration(plan, files)
        check_sums(self.folder, files)
        apply_recorded_threads(plan.threads, self.progress.note)
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

    def _write_configuration(self, plan: Plan) -> tuple[Training, dict[str, str]]:
        """Write down what was chosen, so that the same training can be made again without choosing.

        Gives the settings that are to be written once there is a checkpoint, which keeps the plan, and the sums that the files
        then have. Until then a limit of time stands instead of the epochs that were planned for it, so that a training
        which is killed now is planned for it once more.
        """
        asked = self.training.model_copy(update={"precision": plan.precision, "threads": plan.threads})
        planned = asked.model_copy(update={"epochs": plan.epochs, "within": None})
        # First, and in one piece: from here on the training can be gone on with.
        self._set_training(planned if self.training.within is None else asked)
        kept = [FRAME] if (self.folder / FRAME).is_file() else []
        files = sums(self.folder, ["config.toml", *kept, *self.task.save(self.folder)])
        check_loadable(self.folder, self.task)
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
        faults = [calibrate(self.task, predictor, trainer.best_weights(), self.progress.note)]
        weights = {name: tensor.cpu().contiguous() for name, tensor in predictor.network.state_dict().items()}
        write_whole(self.folder / WEIGHTS, save(weights))
        end = {"event": "end", "reason": reason, "step": position.step, "seconds": round(position.seconds, 3)}
        trainer.emit({**end, "best_step": position.best_step} if trainer.best else end)
        if reason != "interrupted" and self.task.has_held_out:
            event, fault = measure_for_record(self.task, predictor, self.progress.note)
            if "baselines" in event and ablation.is_asked_for(self.configuration):
                event["baselines"] = {**event["baselines"], ablation.NAME: self._ablation()}
            trainer.emit(event)
            faults.append(fault)
        write_manifest(self.folder, [*trainer.files, LOG, WEIGHTS, *write_task_report(self.folder, self.task)])
        raise_faults(self.folder, faults)

    def _ablation(self) -> dict[str, Any]:
        """Train the same without what was learnt before, or go on with that; gives its metrics."""
        self.progress.begin_phase("the same training without what was learnt before", self.task.element[1])
        folder, settings = self.folder / ablation.ABLATION, ablation.ablated(self.configuration)
        session = TrainingSession(settings, folder, quiet=True, progress=self.progress)
        make = session.resume if (folder / "config.toml").is_file() else session.start
        run = make() if end_reason(folder) in (None, "interrupted") else Run.load(folder)
        if run.events("end")[-1]["reason"] == "interrupted":
            raise KeyboardInterrupt
        return (run.evaluation or {}).get("metrics", {})
