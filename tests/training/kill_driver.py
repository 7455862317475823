"""Trains in child processes that kill themselves, or are killed, at a chosen moment. One JSON job a line in, one reply out.

torch is imported once; every child is forked from a parent that has never computed anything.

job: {"call": "train" | "resume", "arguments": {…}, "kill": null or one of
    {"at": "io", "number": n}       SIGKILL before the n-th call that touches the disk
    {"at": "event", "number": n}    SIGKILL at the n-th call of any function
    {"at": "half", "number": n}     SIGKILL when the n-th file is written half
    {"at": "line", "number": n}     SIGKILL when the n-th line of the metrics is written half
    {"at": "time", "seconds": s}    SIGKILL from outside after a time}
reply: {"status": 0, "killed": false, "error": null, "io": 31, "events": 9000, "half": 3, "line": 20, "seconds": 1.1}
The counts come from a child that was not killed, and say how many moments there are to choose from.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from typing import Any

import torch
import torch._dynamo  # the first optimizer would import it: two seconds in every child

import recurra.api
from recurra.errors import RecurraError
from recurra.tasks import task_names
from recurra.training.log import MetricsLog

task_names()  # which imports them all
for _slow in sys.argv[1:]:  # what children would import otherwise, each by itself
    with contextlib.suppress(ImportError):
        importlib.import_module(_slow)

DISK = {"flush", "fsync", "mkdir", "open", "replace", "rmdir", "truncate", "unlink", "write"}


class Assassin:
    """Counts the moments of one kind after another, and ends the process at the chosen one."""

    def __init__(self, at: str | None, number: int) -> None:
        self.at, self.number = at, number
        self.counts = {"io": 0, "event": 0, "half": 0, "line": 0}

    def count(self, kind: str) -> bool:
        self.counts[kind] += 1
        return self.at == kind and self.counts[kind] == self.number

    def arm(self) -> None:
        fsync, write = os.fsync, MetricsLog.write

        def half_a_file(handle: int) -> None:
            # Not the metrics, which are only ever appended to: `half_a_line` is what can happen to them.
            if sys._getframe(1).f_code.co_name == "write_whole" and self.count("half"):
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
                self.kill()
            fsync(handle)

        def half_a_line(log: MetricsLog, event: dict[str, Any]) -> None:
            write(log, event)
            if self.count("line"):
                os.truncate(log.path, log.path.stat().st_size - 7)
                self.kill()

        os.fsync, MetricsLog.write = half_a_file, half_a_line  # type: ignore[method-assign]
        sys.setprofile(self.watch)

    def watch(self, _: Any, event: str, argument: Any) -> None:
        if event == "return" or event == "c_return":
            return
        io = event == "c_call" and argument.__name__ in DISK and not isinstance(argument.__self__, str)
        if self.count("event") or (io and self.count("io")):
            self.kill()

    @staticmethod
    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def child(job: dict[str, Any], pipe: int) -> None:
    torch.set_num_threads(1)
    kill = job.get("kill") or {}
    assassin = Assassin(kill.get("at"), kill.get("number", 0))
    if kill.get("at") != "time":
        assassin.arm()
    reply: dict[str, Any] = {"status": 0, "error": None}
    try:
        getattr(recurra.api, job["call"])(**job["arguments"])
    except RecurraError as error:
        reply = {"status": error.exit_code, "error": str(error)}
    sys.setprofile(None)
    with os.fdopen(pipe, "w") as file:
        json.dump(reply | assassin.counts, file)


def run(job: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        try:
            os.close(reader)
            child(job, writer)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    kill = job.get("kill") or {}
    if kill.get("at") == "time":
        time.sleep(kill["seconds"])
        os.kill(process, signal.SIGKILL)
    with os.fdopen(reader) as file:
        reply_text = file.read()
    _, status = os.waitpid(process, 0)
    killed = os.WIFSIGNALED(status)
    reply = (
        json.loads(reply_text)
        if reply_text and not killed
        else {"status": os.waitstatus_to_exitcode(status), "error": None}
    )
    return reply | {"killed": killed, "seconds": time.monotonic() - began}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
