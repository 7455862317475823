"""Trainings that the studio begins: each is the command itself, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from recurra.errors import OutputError, UsageError
from recurra.studio.results import StudioError
from recurra.studio.summary import JobFacts

MAX_LOG_BYTES = 64 * 1024
"""Of what a training has written, those that are shown."""
SAVE_SECONDS = 300
"""What a training gets at the end of the studio to save what it has."""
_INTERRUPTED = 130
_PROGRAM = "from recurra.cli import main; main()"


@dataclass
class Job:
    """A training: its run, the process, and the file that it writes its lines to."""

    folder: Path
    task: str
    data: str
    process: subprocess.Popen[bytes]
    log: Path
    stopping: bool = False

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.process.poll() is None

    @property
    def lines(self) -> list[str]:
        """What it has written, the last of it."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - MAX_LOG_BYTES))
                return file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []

    @property
    def error(self) -> str | None:
        """What it ended with, where it has failed."""
        if self.running or self.process.returncode in (0, _INTERRUPTED):
            return None
        if self.process.returncode == -signal.SIGTERM:
            return "it was stopped at once, before or after its steps"
        errors = [line for line in self.lines if line.startswith("recurra: ")]
        return errors[-1].removeprefix("recurra: ") if errors else f"it ended with status {self.process.returncode}"

    @property
    def facts(self) -> JobFacts:
        """What a list of runs shows of it."""
        return JobFacts(self.task, self.data, self.running, self.error)


class Jobs:
    """One training at a time: two would take each other's cores."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="recurra-studio-jobs-")
        self._jobs: dict[str, Job] = {}

    def get(self, id: str) -> Job | None:
        """Find the training of a run; None of one that the studio did not begin."""
        return self._jobs.get(id)

    @property
    def running(self) -> Job | None:
        """The training that goes on."""
        return next((job for job in self._jobs.values() if job.running), None)

    def start(self, id: str, folder: Path, task: str, data: str, words: Sequence[str]) -> Job:
        """Begin a training; raises `StudioError` (429) while there is another."""
        if (other := self.running) is not None:
            raise StudioError(f"{other.folder.name} is being trained; wait for its end, or stop it", 429, "busy")
        log = Path(self._folder.name, f"{id}.log")
        try:
            with log.open("wb") as file:
                process = subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, *words],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    # A Ctrl-C at the terminal is the studio's, which then ends it in order.
                    start_new_session=True,
                )
        except OSError as error:
            raise OutputError(f"the training could not be started: {error.strerror}") from None
        self._jobs[id] = Job(folder, task, data, process, log)
        return self._jobs[id]

    def stop(self, id: str) -> None:
        """Ask a training to save and end, as Ctrl-C does; a second request changes nothing."""
        job = self._jobs.get(id)
        if job is None or not job.running:
            raise UsageError("stop: this run is not being trained by this studio; stop it where it was started")
        _stop(job)

    def close(self) -> None:
        """End all trainings, once they have saved."""
        running = [job for job in self._jobs.values() if job.running]
        for job in running:
            _stop(job)
        until = time.monotonic() + SAVE_SECONDS
        for job in running:
            try:
                job.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                job.process.kill()
                job.process.wait()
        self._folder.cleanup()


def _stop(job: Job) -> None:
    """Signal a training once: a second signal would end it without saving."""
    if not job.stopping:
        job.stopping = True
        job.process.send_signal(signal.SIGTERM)
