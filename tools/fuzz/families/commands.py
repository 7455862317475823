"""Command lines: every verb and option of the app itself, with values that nobody expects, and streams that are closed, full or gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tools.fuzz import hostile
from tools.fuzz.case import Case, Command
from tools.fuzz.families.copying import copy_paths, files_below
from tools.fuzz.families.folders import INPUTS
from tools.fuzz.samples import TINY
from tools.fuzz.stock import RUNS, Stock

RUN = "RUN"
BOUNDED = {("bench",): ("--show", "bench.json")}
"""Words that keep a verb from running for minutes: what is left of it is how it reads its options and a stored file."""
PATHS = ["nosuch", "", ".", "..", "/", "/nosuch/x", "a" * 300, "漢" * 120, "lines.txt", "RUN", "RUN/config.toml", "RUN/nosuch/x", "-", "~", "~nosuch/x", "/dev/null", "/proc/self/mem", "lines.txt/x", "*.txt", "[", "\udcff", "a\nb", "x y", "RUN/", "//", "-x"]  # fmt: skip
CHOICES = ["", "x", "AUTO", "None", "yes", "no", "auto", "none", "0", "a|b", "cpu", "cuda", "cuda:99", "meta", "mps"]
ENVIRONMENT = {
    "RECURRA_UNPACK_LIMIT": ["0", "-1", "x", "1e999", "5G5", "99999999999999999999G", ""],
    "RECURRA_ISA": ["baseline", "x", ""],
    "RECURRA_NATIVE": ["0", "2", "x"],
    "RECURRA_DATA": ["nosuch", "", "lines.txt", "\udcff"],
    "RECURRA_CACHE": ["lines.txt", "/nosuch", "RUN"],
    "COLUMNS": ["0", "-1", "x", "1", "99999999"],
    "TERM": ["", "xterm", "x" * 300],
}
MAX_ARGUMENT_BYTES = 100_000
"""Linux takes 128 KiB."""
SHARE_STREAMS, SHARE_SOUP, SHARE_ENVIRONMENT = 0.14, 0.18, 0.06


@dataclass(frozen=True)
class Leaf:
    """A command of the app.  path: its words.  parameters: as click has them."""

    path: tuple[str, ...]
    parameters: tuple[Any, ...]
    command: Any


SERVERS = ("studio",)
"""Commands that go on until they are ended; tests/studio asks what they serve."""


@cache
def leaves() -> list[Leaf]:
    """List the commands of the app, in their order."""
    import typer

    from recurra.cli import app

    found: list[Leaf] = []

    def walk(command: Any, path: tuple[str, ...], context: Any) -> None:
        here = command.make_context(path[-1] if path else "recurra", [], parent=context, resilient_parsing=True)
        if hasattr(command, "list_commands"):
            for name in sorted(set(command.list_commands(here)) - set(SERVERS), key=command.list_commands(here).index):
                walk(command.get_command(here, name), (*path, name), here)
        else:
            found.append(Leaf(path, tuple(command.params), command))

    walk(typer.main.get_command(app), (), None)
    return found


def options_of(leaf: Leaf, task: str) -> list[Any]:
    """List the options of a command, and those that a run of a task adds to it."""
    from recurra.verbs.base.flags import click_parameters
    from recurra.verbs.base.run_command import RunCommand

    own = [one for one in leaf.parameters if any(name.startswith("-") for name in one.opts)]
    kind = leaf.command.options_of(task) if isinstance(leaf.command, RunCommand) else None
    return [*own, *(click_parameters(kind) if kind is not None else [])]


def hostile_option(option: Any, rng: Random) -> list[str]:
    """Give an option with a value, or without the one that it needs."""
    flag = rng.choice([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return [flag if rng.random() < 0.9 else f"{flag}={hostile_value(option, rng)}"]
    if rng.random() < 0.03:
        return [flag]
    value = hostile_value(option, rng)
    return [f"{flag}={value}"] if flag.startswith("--") and rng.random() < 0.3 else [flag, value]


def hostile_value(option: Any, rng: Random) -> str:
    """Give a value by what the option says that it takes."""
    shape = option.metavar or _type_name(option)
    choices = shape.split("|") if "|" in shape else []
    if rng.random() < 0.1:
        return argument(hostile.word(rng))
    if choices:
        return argument(rng.choice([*choices, *CHOICES]))
    if any(word in shape for word in ("FILE", "RUN", "PATH", "INPUT", "Path")):
        return argument(rng.choice(PATHS))
    if shape == "N" or "int" in shape:
        return argument(rng.choice(hostile.INTEGERS))
    if shape == "X" or "float" in shape:
        return argument(rng.choice(hostile.NUMBERS))
    return argument(rng.choice([*hostile.TEXTS, *hostile.NUMBERS, *CHOICES, *PATHS]))


def _type_name(option: Any) -> str:
    """Name the type of an option; by the version of typer it is click's own, or an annotation."""
    described = getattr(option, "type_descriptor", None)
    return str(described.annotation) if described is not None else str(getattr(option, "type", ""))


def argument(text: str) -> str:
    """Make a text one that a process can be given: no NUL, no half surrogate pair that is no byte, not too long."""
    kept = "".join(
        letter
        for letter in text
        if letter != "\0" and not ("\ud800" <= letter < "\udc80" or "\udcff" < letter <= "\udfff")
    )
    return kept.encode("utf-8", "surrogateescape")[:MAX_ARGUMENT_BYTES].decode("utf-8", "surrogateescape")


def make_command(number: int, rng: Random, work: Path, stock: Stock) -> Case:
    """Make a case with one command line."""
    leaf = rng.choice(leaves()) if rng.random() < 0.6 else rng.choice([one for one in leaves() if one.path[0] in ("train", "predict", "evaluate", "generate", "score")])  # fmt: skip
    name = rng.choice(
        [
            name
            for name in RUNS
            if leaf.path[0] not in ("generate", "score") or name.startswith("lm") or rng.random() < 0.1
        ]
    )
    words = _good_words(leaf, name, rng, work, stock)
    options = options_of(leaf, name.partition("-")[0])
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3]) if options else 0):
        words += hostile_option(rng.choice(options), rng)
    if rng.random() < SHARE_SOUP:
        words = soup(words, options, rng)
    if (bound := BOUNDED.get(leaf.path)) is not None and words[: len(leaf.path)] == list(leaf.path):
        words += bound
    if words[:1] == ["train"]:
        words += ["--quiet"] if rng.random() < 0.5 else []
    streams, environment = _streams(rng, work, stock), {}
    if rng.random() < SHARE_ENVIRONMENT:
        variable = rng.choice(list(ENVIRONMENT))
        environment[variable] = rng.choice(ENVIRONMENT[variable])
    command = Command(tuple(words), **streams, environment=environment)
    names = [part for word in words for part in (word or ".", word.partition("=")[2])] + files_below(work)
    return Case("commands", number, command, f"{' '.join(leaf.path)}, {name}", tuple(filter(None, names)))


def _good_words(leaf: Leaf, name: str, rng: Random, work: Path, stock: Stock) -> list[str]:
    """Give a command line that works, and what it needs: a run, files, and a stored benchmark."""
    copy_paths(stock.files, ["lines.txt", "table.csv", "bench.json", "words.vec", "settings.toml"], work)
    if leaf.path[0] == "train":
        task = leaf.path[-1]
        sample = rng.choice([one for one in stock.samples if one.words[0] == task])
        copy_paths(stock.files, sample.paths, work)
        out = ["-o", "run"] if rng.random() < 0.9 else []
        return ["train", *sample.words, *TINY, *out]
    words, file = list(leaf.path), INPUTS.get(name, "lines.txt")
    for one in leaf.parameters:
        shape = f"{one.metavar or ''} {one.name}".upper()
        if any(option.startswith("-") for option in one.opts):
            continue
        if "RUN" in shape:
            copy_paths(stock.run(name), files_below(stock.run(name)), work / RUN)
            words.append(RUN if rng.random() < 0.9 else argument(rng.choice(PATHS)))
        elif any(word in shape for word in ("INPUT", "FILE", "PROMPTS", "DATA", "SOURCE")):
            copy_paths(stock.files, [file], work)
            words.append(rng.choice([file] * 5 + ["-", argument(rng.choice(PATHS))]))
        elif rng.random() < 0.7:
            words.append(argument(rng.choice([*hostile.TEXTS, "digits", "ptb", "ptb-small", "training", *PATHS])))
    return words


def soup(words: list[str], options: list[Any], rng: Random) -> list[str]:
    """Leave words out, double, exchange or add some, wherever they stand."""
    words = list(words)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randint(0, len(words))
        how = rng.choice(["out", "double", "exchange", "add", "add", "value"])
        if how == "out" and words:
            del words[min(at, len(words) - 1)]
        elif how == "double" and words:
            words.insert(at, rng.choice(words))
        elif how == "exchange" and len(words) > 1:
            a, b = rng.sample(range(len(words)), 2)
            words[a], words[b] = words[b], words[a]
        elif how == "value" and words:
            words[min(at, len(words) - 1)] = argument(hostile.word(rng))
        else:
            more = [
                "--",
                "-",
                "--help",
                "-h",
                "--version",
                "--json",
                "--nosuch",
                "--no-json",
                "-q",
                "=",
                "--=x",
                "-k",
                "--set",
                "model.hidden=x",
            ]
            words[at:at] = (
                hostile_option(rng.choice(options), rng)
                if options and rng.random() < 0.4
                else [argument(rng.choice([*more, *PATHS]))]
            )
    return words


def _streams(rng: Random, work: Path, stock: Stock) -> dict[str, str]:
    """Give the streams of a command: mostly none to read, and both written to files."""
    copy_paths(stock.files, ["numbers.txt"], work)
    if rng.random() >= SHARE_STREAMS:
        return {"stdin": rng.choice(["empty", "file lines.txt"])}
    contents = {
        "long.bin": b"x" * 1_000_000,
        "long.txt": b"1.5 " * 250_000,
        "nul.bin": b"\x00" * 1000,
        "bytes.bin": rng.randbytes(3000),
    }
    name = rng.choice([*contents, "lines.txt", "numbers.txt", "table.csv"])
    if name in contents:
        (work / name).write_bytes(contents[name])
    return {
        "stdin": rng.choice(["closed", "empty", f"file {name}", f"file {name}"]),
        "stdout": rng.choice(["kept", "kept", "closed", "full", "gone"]),
        "stderr": rng.choice(["kept", "kept", "kept", "closed", "full"]),
    }
