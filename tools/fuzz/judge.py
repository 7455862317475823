"""What counts as a failure, and the root cause that failures are grouped by.

traceback   an exception that is no error of Recurra's, or one that nobody handled
signal      the process crashed
memory      more resident memory than the limit
time        no progress for longer than the limit
lost        a training that ended and left no whole run, or one that cannot be loaded
code        an exit status that docs/cli.md does not have
lines       an error that is not the one last line on standard error, or is longer than can be read
place       an error that does not say where
warning     a warning of a library on standard error
figure      NaN or infinity printed as a result, or what is no JSON where JSON was asked for
outside     a file written outside of the folder of the case
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tools.fuzz.case import Case, Command, Ended, Failure
from tools.fuzz.child import OUTSIDE

INTERRUPTED = 130
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
CODES = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", PAGE.read_text(encoding="utf-8"))} - {1}
"""The documented exit codes; 1 is that of one verb alone."""
CODE_1 = ("reproduce",)
"""Verbs that exit with 1 where a figure is not reached."""
MAX_ERROR_CHARACTERS = 2000
PREFIX = "recurra: "
CODE_2, CODE_3, CODE_4 = 2, 3, 4
_TRACE = "Traceback (most recent call last):"
_FRAME = re.compile(r'File "([^"]+)", line (\d+),? in (\S+)')
_OPTION = re.compile(r"--[a-z]")
"""What is wrong with all of the data together, such as that they are too few, has its place in a setting."""
_ABSOLUTE = re.compile(r"/[^:]*: ")
_NO_DATA_SET = re.compile(r"[a-z0-9-]+: not on this machine: ")
"""Its name is its place."""
"""What . and ~ stand for."""
_LAST = re.compile(r"(?m)^([A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Overflow))(?::|$)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WARNING = re.compile(r"(?m)^.*?(\w*Warning): (.*)$")
_NOT_FINITE = re.compile(r"(?i)(?<![\w.(-])-?(nan|inf|infinity)(?![\w])")
"""As a result; in parentheses it is the reason why there is none."""


def judge(case: Case, ended: Ended, work: Path) -> Failure | None:
    """Give the first failure of a case, the gravest kinds first; None where all is as it should be."""
    return next(_failures(case, ended, work), None)


def _failures(case: Case, ended: Ended, work: Path) -> Iterator[Failure]:
    text = ended.stderr
    if ended.stopped:
        yield Failure(ended.stopped, _frame(text), f"{ended.peak >> 20} MiB, {ended.seconds:.0f} s")
        return
    if ended.code < 0:
        yield Failure("signal", f"{signal.Signals(-ended.code).name} at {_frame(text)}", _tail(text))
        return
    if (line := next((line for line in text.splitlines() if line.startswith(OUTSIDE)), None)) is not None:
        yield Failure("outside", re.sub(r"/\S+", "…", line), line)
    if _TRACE in text or "Exception ignored in" in text:
        yield Failure("traceback", f"{_exception(text)} at {_frame(text)}", _tail(text))
        return
    if lost := _lost(case, ended, work):
        yield Failure("lost", lost, _tail(text))
    if case.family == "good" and ended.code != 0:
        yield Failure("refused", f"exit {ended.code}: {case.about}", _tail(text))
    yield from _error_failures(case, ended)
    if found := _WARNING.search(text):
        yield Failure("warning", f"{found[1]}: {re.sub(r'[0-9]+', 'N', found[2])[:80]}", found[0])
    if ended.code == 0:
        yield from _result_failures(case, ended.stdout)


def _error_failures(case: Case, ended: Ended) -> Iterator[Failure]:
    """Hold an error to its form: a documented code, one line, which is the last, with a place."""
    words = case.action.words if isinstance(case.action, Command) else ()
    if ended.code not in CODES and not (ended.code == 1 and words[:1] and words[0] in CODE_1):
        yield Failure("code", f"exit {ended.code}: {_shape(_tail(ended.stderr, 1))}", _tail(ended.stderr))
    if ended.code not in CODES - {0, INTERRUPTED} or (
        isinstance(case.action, Command) and case.action.stderr != "kept"
    ):
        return
    lines = [line for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", ended.stderr) if line.strip()]
    errors = [line for line in lines if line.startswith(PREFIX)]
    last = lines[-1] if lines else ""
    if ended.code == CODE_2 and not lines and "Usage: " in ended.stdout:
        return  # a command without words shows its help
    if len(errors) != 1 or last != errors[0]:
        yield Failure("lines", f"{len(errors)} error lines, the last line is {_shape(last)}", _tail(ended.stderr))
    elif len(last) > MAX_ERROR_CHARACTERS:
        yield Failure("lines", f"{len(last):.0e} characters: {_shape(last)}", last[:300])
    elif not _has_place(case, ended.code, last):
        yield Failure("place", f"exit {ended.code}: {_shape(last)}", last)


def _has_place(case: Case, code: int, line: str) -> bool:
    # As standard error shows them.
    names = [name.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n") for name in case.names]
    if code == CODE_2:
        return ": " in line[len(PREFIX) :] or any(name in line for name in names) or _OPTION.search(line) is not None
    if code in (CODE_3, CODE_4) and isinstance(case.action, Command):
        named = any(name in line for name in (*names, "standard input")) or _ABSOLUTE.match(line[len(PREFIX) :])
        return bool(named) or _OPTION.search(line) is not None or _NO_DATA_SET.match(line[len(PREFIX) :]) is not None
    return True


def _result_failures(case: Case, printed: str) -> Iterator[Failure]:
    words = case.action.words if isinstance(case.action, Command) else ()
    json_asked = any(word == "--json" and not before.startswith("-") for before, word in pairwise(("", *words)))
    if json_asked and not {"--help", "-h", "--version"} & {*words}:
        for line in filter(str.strip, printed.split("\n")):
            try:
                json.loads(line, parse_constant=_refuse)
            except ValueError as error:
                yield Failure("figure", f"no JSON: {words[0]}: {_shape(str(error))}", line[:300])
                break
    values = _STRING.sub('""', printed) if json_asked else printed  # a name may be anything
    names_are_strange = "labels.json" in case.about
    if case.good_data and not names_are_strange and (found := _NOT_FINITE.search(values)):
        at = found.start()
        yield Failure(
            "figure",
            f"{found[1].lower()} printed by {words[0] if words else 'a program'}",
            values[max(0, at - 100) : at + 100],
        )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _lost(case: Case, ended: Ended, work: Path) -> str:
    """Say what is wrong with the runs that a training has left; of a damaged one to resume, only where that went well."""
    if not isinstance(case.action, Command) or case.action.words[:1] != ("train",):
        return ""
    if case.family == "folders" and ended.code != 0:
        return ""
    if ended.code == INTERRUPTED and "--resume" in ended.stderr:
        return ""  # it can be gone on with
    for log in work.rglob("metrics.jsonl"):
        folder = log.parent
        ended_well = (
            '"event": "end"' in (text := log.read_text(encoding="utf-8", errors="replace")) or '"event":"end"' in text
        )
        if ended_well and not (folder / "manifest.json").is_file() and folder.name not in ("pretraining", "ablation"):
            return f"ended without a manifest: exit {ended.code}: {_shape(_tail(ended.stderr, 1))}"
    return ""


def _exception(text: str) -> str:
    found = _LAST.findall(text.rpartition(_TRACE)[2] if _TRACE in text else text)
    return found[-1].rpartition(".")[2] if found else "exception"


def _frame(text: str) -> str:
    """Give the innermost frame within recurra, of a traceback (the innermost last) or of a dump (the innermost first)."""
    dump, trace = text.rfind("most recent call first"), text.rfind(_TRACE)
    frames = _FRAME.findall(text[max(dump, trace, 0) :])
    frames = frames if dump > trace else frames[::-1]
    for path, _, function in frames:
        if "recurra/" in path and "/tools/" not in path:
            return f"{path.rpartition('recurra/')[2]}:{function}"
    return frames[0][0].rpartition("/")[2] + ":" + frames[0][2] if frames else "unknown"


def _shape(line: str) -> str:
    """Give a line without what differs from case to case: names, numbers, what is quoted."""
    line = re.sub(r"'[^']*'?|\"[^\"]*\"?", "'…'", line)
    line = re.sub(r"\S*/\S*", "…", line)
    return re.sub(r"-?\d[\d,.e+-]*", "N", line)[:120]


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])[-2500:]
