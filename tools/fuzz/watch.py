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
DUMP_SECONDS = 0.5
"""For a traceback of where a child is."""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
PRINTED = 1_000_000
"""Characters of what a case prints that are looked at, from the end."""


@dataclass(frozen=True)
class Limits:
    """resident: bytes.  seconds_without_progress: of the processor's time, or of waiting for something other than the processor.

    patience: seconds of the processor's time after which a case that goes on well is interrupted, as by Ctrl-C.
    None of them depends on how busy the machine is.
    """

    resident: int = 3 << 29
    seconds_without_progress: float = 20.0
    patience: float = 6.0


@dataclass
class _Watched:
    """What the watch knows of one child.  used: seconds of the processor; waited: seconds in which it could not have used more."""

    pid: int
    folder: Folder
    limits: Limits
    peak: int = 0
    stopped: str = ""
    interrupted: bool = False
    _used: float = 0.0
    _waited: float = 0.0
    _seen: object = None
    _progress: tuple[float, float] = (0.0, 0.0)
    _looked: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Stop the child where it is over a limit."""
        used, resident, runs = _usage(self.pid)
        self.peak = max(self.peak, resident)
        if resident > self.limits.resident:
            self.stop("memory")
            return
        elapsed = time.monotonic() - self._looked
        if elapsed < LOOK_SECONDS:
            return
        self._looked += elapsed
        if used == self._used and not runs:
            self._waited += elapsed
        self._used = used
        seen = _state(self.folder)
        if seen != self._seen:
            self._seen, self._progress = seen, (self._used, self._waited)
        elif (
            max(self._used - self._progress[0], self._waited - self._progress[1]) > self.limits.seconds_without_progress
        ):
            self.stop("time")
            return
        if (
            self._used > self.limits.patience
            and not self.interrupted
            and self._used - self._progress[0] < self.limits.patience / 2
        ):
            self.interrupted = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)

    def stop(self, why: str) -> None:
        """Have the child write where it is, then kill it."""
        self.stopped = why
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(DUMP_SECONDS)
        end_group(self.pid)


def run_case(case: Case, folder: Folder, limits: Limits | None = None) -> Ended:
    """Perform a case in its folder, which is there already, and say how it ended."""
    started = time.monotonic()
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
    seconds = time.monotonic() - started
    printed = _printed(folder.stdout), _printed(folder.stderr) + _printed(folder.path / "outside")
    return Ended(code, *printed, peak, seconds, watched.stopped, watched.interrupted)


def end_group(pid: int) -> None:
    """Kill what is left of a child's own group of processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _usage(pid: int) -> tuple[float, int, bool]:
    """Give the processor's seconds that a process has used, its resident bytes, and whether it runs or would; zeros where it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0.0, 0, True
    return (int(fields[11]) + int(fields[12])) / TICKS, resident, fields[0] == "R"


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
