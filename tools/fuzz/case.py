"""What a case is, and how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """A command line.  words: what follows `recurra`.  The streams: "file NAME", "closed", "empty", "full", "gone" or "kept"."""

    words: tuple[str, ...]
    stdin: str = "empty"
    stdout: str = "kept"
    stderr: str = "kept"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        into = {"empty": " </dev/null", "closed": " <&-", "kept": ""}
        out = {"closed": ">&-", "full": ">/dev/full", "gone": "| true", "kept": ""}
        source = into.get(self.stdin, f" < {shlex.quote(self.stdin.removeprefix('file '))}")
        ends = [out[self.stdout], f"2{out[self.stderr]}" if out[self.stderr] else ""]
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return (
            " ".join([*settings, "recurra", shlex.join(self.words)])
            + source
            + "".join(f" {end}" for end in ends if end)
        )


@dataclass(frozen=True)
class Program:
    """Python statements; numpy is np, torch is torch."""

    source: str

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True)
class Case:
    """One case, whose files lie in its folder.

    about: what was made bad, for people.  names: what an error may name as its place.  good_data: whether nothing but the run
    folder is bad, so that no figure may be NaN.
    """

    family: str
    number: int
    action: Command | Program
    about: str = ""
    names: tuple[str, ...] = ()
    good_data: bool = False

    @property
    def name(self) -> str:
        return f"{self.family}-{self.number}"


@dataclass(frozen=True)
class Ended:
    """How the child ended.  code: exit status, or minus the signal.  stopped: "memory" or "time" where a limit ended it.

    peak: most resident memory, bytes.  seconds: of wall clock.  interrupted: whether it was sent an interrupt, as Ctrl-C does.
    """

    code: int
    stdout: str
    stderr: str
    peak: int
    seconds: float
    stopped: str = ""
    interrupted: bool = False


@dataclass(frozen=True)
class Failure:
    """What was wrong.  kind: see judge.py.  cause: where it comes from, the same for all cases of one root cause."""

    kind: str
    cause: str
    detail: str

    @property
    def group(self) -> str:
        return f"{self.kind}: {self.cause}"


@dataclass(frozen=True)
class Result:
    case: Case
    ended: Ended
    failure: Failure | None


@dataclass(frozen=True)
class Folder:
    """The folder of a case: `work`, which it begins in and may write to, and what it printed."""

    path: Path

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def stdout(self) -> Path:
        return self.path / "stdout"

    @property
    def stderr(self) -> Path:
        return self.path / "stderr"
