"""Strings that are drawn from a grammar, or read from files: split, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.sources import common_folder, location, open_data
from recurra.data.splits import split_documents
from recurra.errors import DataError, UsageError
from recurra.grammar import Automaton, Grammar, Sizes, get_grammar, grammar_names, parse_automaton
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.base.labels import natural_sort
from recurra.tasks.grammar.config import Data
from recurra.tasks.grammar.preprocessing import StringPreprocessor, has_words, is_automaton_file, named_grammar
from recurra.text import Faults, normalise, numbered_lines

VALID_STRINGS, TEST_STRINGS = 250, 1_000
"""Strings that are drawn to validate and to test on."""


@dataclass(frozen=True)
class Split:
    """Strings of one part, as lists of symbols, and as numbers; legal: what may follow each beginning of each, (T + 1, V), where the grammar is known."""

    strings: list[list[str]]
    ids: list[np.ndarray]
    legal: list[np.ndarray] | None
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.strings)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each string: its symbols and its end."""
        return np.array([len(ids) + 1 for ids in self.ids], np.int64)


class Dataset(PreparedData[Split, StringPreprocessor]):
    """Strings ready for training."""


@dataclass
class _Read:
    """Lines that were read: strings, and where each stands."""

    lines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    grammar: Automaton | None = None
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_dataset(data: Data, preprocessor: StringPreprocessor | None) -> Dataset:
    """Draw or read all that a run needs; raises `DataError` where a part would be empty, or a string is none of its grammar."""
    grammar = named_grammar(data)
    if grammar is not None:
        if data.automaton or data.valid or data.test:
            raise UsageError(
                f"data: {grammar.name} draws all its strings itself; leave --automaton, --valid and --test out"
            )
        return _drawn(data, grammar, [])
    read = _read(data.given, data)
    if read.grammar is not None:
        return _drawn(data, read.grammar, [*read.notes, *_entropy_notes(read.grammar)])
    if data.automaton:
        (source,) = data.automaton
        read.grammar = _read_automaton(source)
    return _own(data, read, preprocessor)


def _entropy_notes(grammar: Automaton) -> list[str]:
    entropy, length = grammar.entropy(), grammar.mean_length()
    return [
        f"an automaton of {len(grammar.symbols)} symbols: a string has {length:.1f} of them on average, and an entropy of {entropy:.2f} nats"
    ]


# Drawn strings


def _drawn(data: Data, grammar: Grammar, notes: list[str]) -> Dataset:
    """Draw the strings of all parts."""
    protocol = grammar.protocol
    asked = {"train": data.train_sizes, "valid": data.valid_sizes, "test": data.test_sizes}
    counts = {"train": data.strings or protocol.strings, "valid": VALID_STRINGS, "test": TEST_STRINGS}
    preprocessor = StringPreprocessor(grammar.symbols, has_words(data, grammar.symbols), grammar)
    parts: dict[str, Split] = {}
    for number, (name, text) in enumerate(asked.items()):
        sizes: Sizes | None = getattr(protocol, name)
        if sizes is None and text is not None:
            raise UsageError(
                f"{name}_sizes: strings of {grammar.name} are drawn by probabilities, whatever their size; leave it out"
            )
        generator = np.random.Generator(np.random.PCG64([data.draw_seed, number]))
        chosen = None if sizes is None else _sizes(grammar, Sizes.parse(text) if text else sizes, name)
        parts[name] = encode(_draw(grammar, chosen, counts[name], generator, all_once=name != "train"), preprocessor)
    notes = [*notes, *_size_notes(grammar, asked), *_known_notes(parts)]
    return Dataset(parts["train"], parts["valid"], parts["test"], preprocessor, notes, _fingerprint(parts.values()))


def _sizes(grammar: Grammar, within: Sizes, name: str) -> list[int]:
    sizes = grammar.sizes(within)
    if not sizes:
        raise UsageError(f"{name}_sizes: {grammar.name} has no strings of sizes {within}; name others")
    return sizes


def _draw(
    grammar: Grammar, sizes: Sequence[int] | None, count: int, generator: np.random.Generator, *, all_once: bool
) -> list[list[str]]:
    """Draw so many strings; of a grammar with one string of each size, all of these in turn, or once where they are to be measured on."""
    if sizes is None:
        return [grammar.draw(None, generator) for _ in range(count)]
    single = grammar.all_of(sizes[0]) is not None
    if single:
        return [
            grammar.draw(size, generator)
            for size in (sizes if all_once else [sizes[at % len(sizes)] for at in range(count)])
        ]
    return [grammar.draw(sizes[int(generator.integers(len(sizes)))], generator) for _ in range(count)]


def _size_notes(grammar: Grammar, asked: dict[str, str | None]) -> list[str]:
    protocol = grammar.protocol
    if protocol.train is None:
        return [f"strings of {grammar.title}, drawn by its probabilities"]
    named = [f"{name} {asked[name] or getattr(protocol, name)}" for name in asked]
    return [f"strings of {grammar.title}, {grammar.size_name}: {', '.join(named)}"]


def _known_notes(parts: dict[str, Split]) -> list[str]:
    """Say how many strings of the test stand in the training data too, as short ones must where there are few."""
    known = {tuple(string) for string in parts["train"].strings}
    if (test := parts.get("test")) is None or not len(test):
        return []
    count = sum(tuple(string) in known for string in test.strings)
    return [f"{count:,} of {len(test):,} test strings stand in the training data too"] if count else []


# Strings of one's own


def _read(arguments: Sequence[str], data: Data) -> _Read:
    """Read lines of files, or the automaton that the only file is."""
    faults, found = Faults(data.on_error), _Read()
    sources = open_data(arguments, lambda name: "text", faults, found.notes)  # noqa: ARG005
    folder = common_folder([source.name for source in sources])
    for source in sources:
        lines = list(numbered_lines(source, faults))
        if len(sources) == 1 and is_automaton_file(source.name, [line for _, line in lines]):
            found.grammar = parse_automaton(normalise(source.data.decode("utf-8", "replace")), source.name)
            return found
        found.lines += [line for _, line in lines]
        found.places += [location(source.name, {"line": number}, folder) for number, _ in lines]
    found.skipped = faults.skipped
    if not found.lines:
        raise DataError("holds no strings", source=" ".join(map(str, arguments))[:200])
    return found


def _read_automaton(source: str) -> Automaton:
    lines: list[str] = []
    for each in open_data([source], lambda name: "text", Faults("stop"), []):  # noqa: ARG005
        lines += normalise(each.data.decode("utf-8", "replace")).split("\n")
    return parse_automaton("\n".join(lines), Path(source).name)


def _own(data: Data, read: _Read, preprocessor: StringPreprocessor | None) -> Dataset:
    parts: dict[str, _Read] = {}
    try:
        split = split_documents(
            read.lines, default_valid_share(data, len(read.lines)), 0.0 if data.test else data.test_share
        )
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    for name in ("train", "valid", "test"):
        places = getattr(split, name)
        parts[name] = _Read([read.lines[at] for at in places], [read.places[at] for at in places], read.grammar)
    notes = [*read.notes, *skipped_notes(read.skipped)]
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            parts[name] = part = _read(files, data)
            notes += [f"{name}: {message}" for message in [*part.notes, *skipped_notes(part.skipped)]]
    if preprocessor is None:
        preprocessor = _preprocessor(data, read.grammar, parts["train"].lines)
    splits = {name: _encode_lines(part, preprocessor, data) for name, part in parts.items() if part.lines}
    notes += [message for split in splits.values() for message in skipped_notes(split.skipped)]
    if not all(len(split) for split in splits.values()):
        raise DataError("no string of a part is one of the automaton", source=" ".join(data.data[:3]))
    notes += _known_notes(splits)
    return Dataset(
        splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, _fingerprint(splits.values())
    )


def _preprocessor(data: Data, grammar: Grammar | None, lines: Iterable[str]) -> StringPreprocessor:
    if grammar is not None:
        return StringPreprocessor(grammar.symbols, has_words(data, grammar.symbols), grammar)
    splitting = StringPreprocessor((), data.unit == "word")
    symbols = {symbol for line in lines for symbol in splitting.split(line)}
    return StringPreprocessor(tuple(natural_sort(symbols)), data.unit == "word")


def _encode_lines(read: _Read, preprocessor: StringPreprocessor, data: Data) -> Split:
    """Turn lines into numbers; one that its grammar does not have is an error, or left out."""
    faults, strings = Faults(data.on_error), []
    for line, place in zip(read.lines, read.places, strict=True):
        try:
            strings.append(_checked(preprocessor, line))
        except DataError as error:
            faults.handle(DataError(str(error), source=place))
    return encode(strings, preprocessor, faults.skipped)


def _checked(preprocessor: StringPreprocessor, line: str) -> list[str]:
    """Give a line's symbols; raises `DataError` where they are no string of the grammar, if that is known."""
    string, grammar = preprocessor.split(line), preprocessor.grammar
    if grammar is None:
        return string
    preprocessor.encode(string)
    fault = grammar.first_fault(string)
    if fault is not None:
        wanted = " or ".join(sorted(each or "the end" for each in list(grammar.legal_sets(string[:fault]))[-1]))
        got = "the end" if fault == len(string) else string[fault]
        raise DataError(
            f"is no string of {grammar.name}: symbol {fault + 1} is {got}, where it says {wanted}",
            hint="--on-error skip leaves it out",
        )
    return string


def read_split(
    arguments: Sequence[str], data: Data, preprocessor: StringPreprocessor, note: Callable[[str], None]
) -> Split:
    """Read what a user names at evaluation time, as the training data were read; the name of the run's grammar draws its test strings."""
    if list(arguments) == data.data and arguments[0] in grammar_names():
        found = _drawn(data, get_grammar(arguments[0]), [])
        assert found.test is not None
        return found.test
    files, _ = resolve_files(arguments)
    read = _read(files, data)
    if read.grammar is not None:
        raise UsageError(f"data: expected strings, got the automaton {arguments[0]}")
    for message in [*read.notes, *skipped_notes(read.skipped)]:
        note(message)
    return _encode_lines(read, preprocessor, data)


def encode(strings: list[list[str]], preprocessor: StringPreprocessor, skipped: Sequence[str] = ()) -> Split:
    """Turn strings into numbers, and mark what may follow each beginning of each; those that are the same share theirs."""
    known: dict[tuple[str, ...], np.ndarray] = {}
    if preprocessor.grammar is not None:
        known = {key: preprocessor.legal(key) for key in dict.fromkeys(map(tuple, strings))}
    legal = [known[tuple(string)] for string in strings] if preprocessor.grammar is not None else None
    return Split(strings, [preprocessor.encode(string) for string in strings], legal, list(skipped))


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for ids in split.ids:
            digest.update(ids.astype(np.int32).tobytes() + b"|")
        digest.update(b"||")
    return digest.hexdigest()
