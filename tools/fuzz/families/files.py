"""Malformed files: of every format that docs/data.md shows and more, by mutation of good ones and by grammar, for trainings and for good runs."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tools.fuzz.case import Case, Command
from tools.fuzz.families.copying import copy_paths, files_below
from tools.fuzz.families.grammar import GRAMMARS
from tools.fuzz.mutation import archives, arrays, lines, parquet, raw, trees
from tools.fuzz.samples import TINY
from tools.fuzz.stock import Stock

FRAMED = {
    ".npy": arrays.mutate_npy,
    ".npz": arrays.mutate_npz,
    ".mat": arrays.mutate_mat,
    ".parquet": parquet.mutate_parquet,
}
BINARY = (*FRAMED, "-ubyte")
SHARE_GRAMMAR, SHARE_USAGE, SHARE_WRAPPED = 0.2, 0.25, 0.12


def mutate_file(name: str, data: bytes, rng: Random) -> bytes:
    """Mutate the content of a file in a way that its format has."""
    framed = next((mutate for suffix, mutate in FRAMED.items() if name.endswith(suffix)), None)
    if framed is not None:
        return framed(data, rng)
    if name.endswith(BINARY) or rng.random() < 0.25:
        return raw.mutate(data, rng)
    if name.endswith((".json", ".jsonl")) and rng.random() < 0.6:
        return trees.mutate_json(data, rng) or raw.mutate(data, rng)
    return lines.mutate(data.decode("utf-8", "replace"), rng)


def make_file(number: int, rng: Random, work: Path, stock: Stock) -> Case:
    """Make a case with one malformed file or several."""
    chance = rng.random()
    if chance < SHARE_GRAMMAR:
        return _by_grammar(number, rng, work)
    if chance < SHARE_GRAMMAR + SHARE_USAGE:
        return _usage(number, rng, work, stock)
    sample = rng.choice(stock.samples)
    copy_paths(stock.files, sample.paths, work)
    changed, renamed = _mutate_some(work, files_below(work), rng)
    words = [renamed.get(word, word) for word in sample.words]
    command = Command(("train", *words, *TINY, "-o", "out/run", *(("-q",) if rng.random() < 0.3 else ())))
    (work / "out").mkdir()
    return Case("files", number, command, f"{' '.join(sample.words)}: {', '.join(changed)}", _names(work))


def _usage(number: int, rng: Random, work: Path, stock: Stock) -> Case:
    """Make a question to a good run about a malformed file."""
    usage, piped = rng.choice(stock.usages)
    (work / "data").mkdir()
    copy_paths(stock.files, usage.paths, work / "data")
    copy_paths(stock.run(usage.run), files_below(stock.run(usage.run)), work / "RUN")
    changed, renamed = _mutate_some(work / "data", files_below(work / "data"), rng, wrapping=not piped)
    words = [f"data/{renamed.get(word, word)}" if word in usage.paths else word for word in usage.words]
    stdin = f"file data/{renamed.get(piped, piped)}" if piped else "empty"
    return Case(
        "files", number, Command(tuple(words), stdin), f"{usage.run}: {', '.join(changed)}", ("RUN", *_names(work))
    )


def _by_grammar(number: int, rng: Random, work: Path) -> Case:
    """Make a training on a file that was written by a grammar, cell by cell."""
    grammar = rng.choice(list(GRAMMARS))
    words, contents = GRAMMARS[grammar](rng)
    for name, data in contents.items():
        (work / name).write_bytes(data)
    if rng.random() < 0.1:
        _mutate_some(work, list(contents), rng, wrapping=False)
    (work / "out").mkdir()
    return Case("files", number, Command(("train", *words, *TINY, "-o", "out/run")), f"grammar {grammar}", _names(work))


def _mutate_some(
    folder: Path, names: list[str], rng: Random, *, wrapping: bool = True
) -> tuple[list[str], dict[str, str]]:
    """Mutate a file of a folder, or two; gives their names, and the new names of those that were compressed or packed."""
    changed = rng.sample(names, min(len(names), rng.choice([1, 1, 1, 2])))
    renamed = {}
    for name in changed:
        data = (folder / name).read_bytes()
        if wrapping and rng.random() < SHARE_WRAPPED:
            packed_name, packed = archives.wrap(
                Path(name).name, mutate_file(name, data, rng) if rng.random() < 0.3 else data, rng
            )
            (folder / name).unlink()
            renamed[name] = str(Path(name).parent / packed_name)
            (folder / renamed[name]).write_bytes(packed)
        else:
            (folder / name).write_bytes(mutate_file(name, data, rng))
    return changed, renamed


def _names(work: Path) -> tuple[str, ...]:
    return tuple({Path(name).name for name in files_below(work)} | {path.name for path in work.iterdir()})
