"""A case in a child, watched: most resident memory, and time in which nothing comes or changes."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.fuzz.case import Case, Ended, Folder
from tools.fuzz.child import start

POLL_SECONDS = 0.01
LOOK_SECONDS = 0.3
"""Between two looks at the files, which are progress where they change."""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
PRINTED = 1_000_000
"""Characters of what a case prints that are looked at, from the end."""


@dataclass(frozen=True)
class Limits:
    """resident: bytes.  seconds_without_progress: of the processor's time, so that a busy machine changes no result; of the clock three times as many.

    patience: seconds after which a case that goes on well is interrupted, as by Ctrl-C.
    """

    resident: int = 3 << 29
    seconds_without_progress: float = 20.0
    patience: float = 8.0


@dataclass
class _Watched:
    """What the watch knows of one child."""

    pid: int
    folder: Folder
    limits: Limits
    started: float = field(default_factory=time.monotonic)
    peak: int = 0
    stopped: str = ""
    interrupted: bool = False
    _seen: object = None
    _looked: float = 0.0
    _progress: tuple[float, float] = (0.0, 0.0)  # processor, clock

    def look(self) -> None:
        """Stop the child where it is over a limit."""
        used, resident = _usage(self.pid)
        self.peak = max(self.peak, resident)
        now = time.monotonic() - self.started
        if resident > self.limits.resident:
            self.stop("memory")
            return
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        seen = _state(self.folder)
        if seen != self._seen:
            self._seen, self._progress = seen, (used, now)
        elif used - self._progress[0] > self.limits.seconds_without_progress or now - self._progress[1] > 3 * self.limits.seconds_without_progress:  # fmt: skip
            self.stop("time")
        if (
            now > self.limits.patience
            and not self.interrupted
            and not self.stopped
            and now - self._progress[1] < self.limits.patience / 2
        ):
            self.interrupted = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)

    def stop(self, why: str) -> None:
        """Have the child write where it is, then kill it."""
        self.stopped = why
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(0.2)
        end_group(self.pid)


def run_case(case: Case, folder: Folder, limits: Limits | None = None) -> Ended:
    """Perform a case in its folder, which is there already, and say how it ended."""
    watched = _Watched(start(case, folder), folder, limits or Limits())
    while True:
        done, status, used = os.wait4(watched.pid, os.WNOHANG)
        if done:
            break
        if not watched.stopped:
            watched.look()
        time.sleep(POLL_SECONDS)
    end_group(watched.pid)
    code = os.waitstatus_to_exitcode(status)
    peak = max(watched.peak, used.ru_maxrss * 1024)
    if not watched.stopped and peak > watched.limits.resident:
        watched.stopped = "memory"  # it came and went between two looks
    seconds = time.monotonic() - watched.started
    printed = _printed(folder.stdout), _printed(folder.stderr) + _printed(folder.path / "outside")
    return Ended(code, *printed, peak, seconds, watched.stopped, watched.interrupted)


def end_group(pid: int) -> None:
    """Kill what is left of a child's own group of processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _usage(pid: int) -> tuple[float, int]:
    """Give the processor's seconds that a process has used, and its resident bytes; zeros where it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0.0, 0
    return (int(fields[11]) + int(fields[12])) / TICKS, resident


def _state(folder: Folder) -> object:
    """Give what changes where a case makes progress: what it has printed, and the files it writes."""
    sizes = [_size(folder.stdout), _size(folder.stderr)]
    found = []
    for parent, _, names in os.walk(folder.work):
        found += [(name, _size(Path(parent, name))) for name in names[:50]]
        if len(found) > 300:
            break
    return sizes, found


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return -1


def _printed(path: Path) -> str:
    """Read what was printed, from its end; a line that is not there whole is left out."""
    try:
        with path.open("rb") as file:
            skipped = max(0, path.stat().st_size - PRINTED)
            file.seek(skipped)
            text = file.read().decode("utf-8", "backslashreplace")
    except OSError:
        return ""
    return text.partition("\n")[2] if skipped else text
