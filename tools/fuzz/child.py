"""One case in a forked process: a group of its own, limits of the system, and nothing written or reached outside of its folder."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.fuzz.case import Case, Command, Folder, Program

ADDRESS_SPACE = 8 << 30
"""Beyond what the program has mapped already: an allocation of 50 GB fails at once, instead of waiting for the watch."""
FILE_BYTES = 2 << 30
OPEN_FILES = 256
FLUSH_FAILED = 120
"""What Python exits with where standard output cannot be flushed at the end."""
OUTSIDE = "fuzz: outside:"
"""Begins a line about a case that tried to write or reach outside of its folder."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {
    "os.mkdir": 1,
    "os.rename": 2,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.chmod": 1,
    "shutil.rmtree": 1,
}
"""Events of the interpreter that change files, and how many of their first arguments are paths."""


def start(case: Case, folder: Folder) -> int:
    """Fork a child that performs a case; gives its process id, which is that of its group too."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        _limit()
        os.chdir(folder.work)
        (folder.path / "tmp").mkdir(exist_ok=True)
        os.environ["TMPDIR"], tempfile.tempdir = str(folder.path / "tmp"), None
        traces = _redirect(case.action, folder)
        _confine(folder.path)
        status = perform(case.action, traces)
    except BaseException:  # noqa: BLE001  whatever it is must be seen, and no child may go on as the campaign
        folder.stderr.write_text(traceback.format_exc())
    finally:
        os._exit(status)


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    size = pages * resource.getpagesize() + ADDRESS_SPACE
    for kind, most in ((resource.RLIMIT_AS, size), (resource.RLIMIT_FSIZE, FILE_BYTES), (resource.RLIMIT_NOFILE, OPEN_FILES), (resource.RLIMIT_CORE, 0)):  # fmt: skip
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _redirect(action: Command | Program, folder: Folder) -> int:
    """Put the streams where the case wants them, as a fresh interpreter would have them; gives a file for tracebacks.

    It is the file of standard error where that is kept, and takes tracebacks though that be closed or full.
    """
    command = action if isinstance(action, Command) else Command(())
    source = command.stdin.removeprefix("file ") if command.stdin.startswith("file ") else os.devnull
    traces = os.open(folder.stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    faulthandler.enable(os.fdopen(traces, "w"))
    faulthandler.register(signal.SIGUSR1, file=os.fdopen(os.dup(traces), "w"), all_threads=False)
    _put(0, None if command.stdin == "closed" else os.open(source, os.O_RDONLY))
    _put(1, _sink(command.stdout, folder.stdout))
    _put(2, _sink(command.stderr, folder.stderr))
    opened: list[Any] = [
        None if state == "closed" else io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)) if number == 0 else io.BufferedWriter(io.FileIO(number, "w", closefd=False)), "utf-8", errors, line_buffering=number == 2)
        for number, state, errors in ((0, command.stdin, "surrogateescape"), (1, command.stdout, "strict"), (2, command.stderr, "backslashreplace"))
    ]  # fmt: skip
    sys.stdin, sys.stdout, sys.stderr = opened
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = opened
    return traces


def _sink(state: str, kept: Path) -> int | None:
    if state == "closed":
        return None
    if state == "gone":
        reader, writer = os.pipe()
        os.close(reader)
        return writer
    return os.open("/dev/full" if state == "full" else kept, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _put(number: int, opened: int | None) -> None:
    if opened is None:
        os.close(number)
    elif opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _confine(folder: Path) -> None:
    """Refuse to write outside of the folder, and to reach or serve anything but this machine; each attempt is noted."""
    inside, noted = (
        f"{folder.resolve()}{os.sep}",
        os.open(folder / "outside", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    )

    def refuse(what: str) -> None:
        os.write(noted, f"{OUTSIDE} {what}\n".encode("utf-8", "backslashreplace"))

    def check_path(event: str, path: object) -> None:
        if isinstance(path, int) or path is None:
            return
        place = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
        if not f"{place}{os.sep}".startswith(inside) and not place.startswith(("/dev/", "/proc/self/")):
            if os.path.isdir(os.path.dirname(place)):  # noqa: PTH112, PTH120  else the system refuses by itself
                refuse(f"{event} {place}")
            raise PermissionError(13, "Permission denied", place)

    def audit(event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(given[2], int) and given[2] & _WRITES:
            check_path(event, given[0])
        elif event in _PATHS:
            for path in given[: _PATHS[event]]:
                check_path(event, path)
        elif (event in ("socket.connect", "socket.bind") and not _is_local(given[1])) or (
            event == "socket.getaddrinfo" and given[0] not in (None, "localhost", "127.0.0.1", "::1")
        ):
            raise OSError(101, "Network is unreachable")

    sys.addaudithook(audit)


def _is_local(address: object) -> bool:
    return isinstance(address, str) or (
        isinstance(address, tuple) and address[:1] in (("127.0.0.1",), ("::1",), ("localhost",))
    )


def perform(action: Command | Program, traces: int) -> int:
    """Perform an action as a process of its own would; gives its exit status.  traces: the file for tracebacks."""
    from recurra.errors import RecurraError

    try:
        if isinstance(action, Program):
            _execute(action.source)
        else:
            _call(action.words, action.environment)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except RecurraError as error:  # of a program: its caller catches it
        os.write(traces, f"recurra: {error}\n".encode("utf-8", "backslashreplace"))
        status = error.exit_code
    except BaseException:  # noqa: BLE001  what the interpreter would print
        os.write(traces, traceback.format_exc().encode("utf-8", "backslashreplace"))
        status = 1
    return _flush(status, traces)


def _call(words: tuple[str, ...], environment: Mapping[str, str]) -> None:
    from recurra.cli import main

    os.environ.update({"RECURRA_CACHE": os.path.abspath("../cache"), "TERM": "dumb", **environment})  # noqa: PTH100
    if "RECURRA_DATA" not in environment:
        os.environ.pop("RECURRA_DATA", None)
    sys.argv = ["recurra", *words]
    main()


def _execute(source: str) -> None:
    import numpy as np
    import torch

    import recurra

    exec(compile(source, "<case>", "exec"), {"np": np, "torch": torch, "recurra": recurra, "__name__": "__case__"})


def _flush(status: int, traces: int) -> int:
    """Flush as the interpreter does at its end, which complains where standard output cannot take what is left."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        os.write(traces, f"Exception ignored in: {sys.stdout!r}\n{type(error).__name__}: {error}\n".encode())
        return FLUSH_FAILED
    return status
