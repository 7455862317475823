"""Files in, drawings out: split, and as steps of a pen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.drawings import Drawing, read_drawings
from recurra.data.splits import hash_fraction, split_documents
from recurra.errors import DataError, add_source
from recurra.ink import Ink, to_offsets
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.strokes.config import Condition, Data
from recurra.tasks.strokes.preprocessing import StrokePreprocessor, build_preprocessor, prepare_ink
from recurra.text import Faults

MAX_VALIDATION_DRAWINGS = 2_000
"""More tell hardly more, and would be read again and again while training."""
MAX_LABELS, MIN_OF_A_LABEL = 400, 3
"""Labels there are at most, and drawings of each on average at least, where `auto` takes texts for labels."""
MIN_GROUPS = 5
"""Writers from which on a split goes by them."""


@dataclass(frozen=True)
class Split:
    """Drawings of one split: their ink as it is learnt from, and as steps (N, 2) in units of the data with pen states (N).

    texts: label or text of each, or None.  ids: the label's number or the letters' (S), int64; empty without a condition.
    """

    inks: list[Ink]
    steps: list[np.ndarray]
    pens: list[np.ndarray]
    texts: list[str | None]
    ids: list[np.ndarray]
    places: list[str]
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inks)

    @property
    def lengths(self) -> np.ndarray:
        """Points of each that are learnt: all but the first, (N)."""
        return np.array([len(pens) for pens in self.pens], np.int64)


class Dataset(PreparedData[Split, StrokePreprocessor]):
    """Drawings ready for training."""


def read_dataset(data: Data, preprocessor: StrokePreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; how ink becomes numbers is made from the training part unless it is given.

    Raises `DataError` where a part would be empty.
    """
    notes: list[str] = []
    whole, skipped = _read(data.given, data, notes)
    condition = preprocessor.condition if preprocessor else choose_condition([one.text for one in whole], data)
    if data.condition == "auto":
        data.condition = condition
    parts = _split(whole, data, notes)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            own: list[str] = []
            parts[name], _ = _read(files, data, own)
            notes += [f"{name}: {message}" for message in own]
    train = parts["train"]
    if not train:
        raise DataError(
            "there is nothing to learn from: no drawing is left to train on", source=" ".join(data.data[:3])
        )
    preprocessor = preprocessor or build_preprocessor(
        [one.ink for one in train], [one.text for one in train], condition, data
    )
    splits = {name: _encode_known(part, preprocessor, name, notes) for name, part in parts.items() if part}
    notes += [*leakage_notes(splits), *_unit_notes(preprocessor)]
    splits["train"].skipped.extend(skipped)
    sums = _fingerprint(splits.values())
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, sums)


def _read(files: Sequence[str], data: Data, notes: list[str]) -> tuple[list[Drawing], list[str]]:
    """Read drawings, prepared as they are learnt from; gives also what was left out."""
    faults = Faults(data.on_error)
    found = read_drawings(files, data.reading(), faults, notes)
    prepared, long = [], 0
    for one in found:
        ink = prepare_ink(one.ink, every=data.every, simplify=data.simplify, alike=data.scale == "drawing")
        if ink.points > data.max_points:
            long += 1
            continue
        prepared.append(Drawing(ink, one.text, one.group, one.place, one.split))
    if long:
        notes.append(
            f"{long:,} drawings of more than {data.max_points:,} points were left out (--max-points; --every and --simplify make them shorter)"
        )
    notes += skipped_notes(faults.skipped)
    if not prepared:
        raise DataError(
            f"each of {long:,} drawings has more than {data.max_points:,} points",
            source=" ".join(map(str, files[:3])),
            hint="take --simplify 0.01, or a larger --max-points",
        )
    return prepared, faults.skipped


def choose_condition(texts: Sequence[str | None], data: Data) -> Condition:
    """Choose what is drawn by: what the user says, else labels or texts where each drawing has one.

    >>> choose_condition(["a", "b"] * 9, Data()), choose_condition(["to be", "or not"], Data()), choose_condition([None], Data())
    ('label', 'text', 'none')
    """
    if data.condition != "auto":
        if data.condition != "none" and None in texts:
            missing = sum(text is None for text in texts)
            raise DataError(
                f"condition: {missing:,} of {len(texts):,} drawings have no {data.condition}",
                hint="put SVG files into a folder for each label, or name it in a field or column; or leave --condition out",
            )
        return data.condition
    if not texts or None in texts:
        return "none"
    kinds = len(set(texts))
    if kinds == 1:
        return "none"
    return "label" if kinds <= min(MAX_LABELS, len(texts) / MIN_OF_A_LABEL) else "text"


def ink_key(ink: Ink) -> bytes:
    """Give what tells one drawing from another: the bytes of its steps."""
    steps, pens = to_offsets(ink)
    return steps.tobytes() + pens.tobytes()


def _split(whole: list[Drawing], data: Data, notes: list[str]) -> dict[str, list[Drawing]]:
    """Split by what the data say, or by shares; a writer, where there are several, is on one side."""
    if any(one.split for one in whole):
        named = {"train": [one for one in whole if one.split in (None, "train")]}
        named |= {part: [one for one in whole if one.split == part] for part in ("valid", "test")}
        named = {
            part: found for part, found in named.items() if found and not (part != "train" and getattr(data, part))
        }
        counts = ", ".join(f"{len(found):,} {part}" for part, found in named.items())
        notes.append(f"parts as the data name them: {counts}")
        return named
    groups = {one.group for one in whole}
    by_group = data.split_by == "group" or (
        data.split_by == "auto" and None not in groups and len(groups) >= MIN_GROUPS
    )
    if by_group and None in groups:
        raise DataError("split_by: some drawings do not say who drew them; take --split-by drawing")
    keys: list[str | bytes] = [one.group or "" if by_group else ink_key(one.ink) for one in whole]
    if by_group:
        notes.append(f"{len(groups):,} writers, each on one side of the split")
    valid = default_valid_share(data, len(whole))
    if data.valid_share is None:
        valid = min(valid, MAX_VALIDATION_DRAWINGS / len(whole))
    try:
        split = split_documents(keys, valid, 0.0 if data.test else data.test_share)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    return {name: [whole[at] for at in getattr(split, name)] for name in ("train", "valid", "test")}


def leakage_notes(splits: Mapping[str, Split]) -> list[str]:
    """Say how many held-out drawings stand in the training data too."""
    known = {ink_key(ink) for ink in splits["train"].inks}
    notes = []
    for name in ("valid", "test"):
        if name in splits and (count := sum(ink_key(ink) in known for ink in splits[name].inks)):
            notes.append(f"leakage: {count:,} of {len(splits[name]):,} {name} drawings stand in the training data too")
    return notes


def _unit_notes(preprocessor: StrokePreprocessor) -> list[str]:
    notes = [f"nats are those of steps in units of their spread in training, {preprocessor.unit:.4g} units of the data"]
    if preprocessor.noise:
        notes.append(
            f"steps are dequantised: noise of width {preprocessor.noise:g} is added to each, as without it a density of whole numbers has no end"
        )
    return notes


def read_split(
    arguments: Sequence[str], data: Data, preprocessor: StrokePreprocessor, note: Callable[[str], None]
) -> Split:
    """Read what a user names at evaluation time, as the training data were read; of data that name a test, that alone."""
    files, settings = resolve_files(arguments)
    given = data.model_copy(update={name: value for name, value in settings.items() if name in Data.model_fields})
    notes: list[str] = []
    drawings, skipped = _read(files, given, notes)
    tests = [one for one in drawings if one.split == "test"]
    if 0 < len(tests) < len(drawings):
        notes.append(f"{len(tests):,} of {len(drawings):,} drawings are the test, and are measured on")
        drawings = tests
    for message in notes:
        note(message)
    split = encode(drawings, preprocessor)
    split.skipped.extend(skipped)
    return split


def encode(drawings: Sequence[Drawing], preprocessor: StrokePreprocessor) -> Split:
    """Turn drawings, prepared, into steps; raises `DataError`, with its place, for one that cannot be."""
    pairs = [to_offsets(one.ink) for one in drawings]
    ids = []
    for one in drawings:
        with add_source(one.place):
            ids.append(condition_ids(one.text, preprocessor))
    return Split(
        [one.ink for one in drawings],
        [steps for steps, _ in pairs],
        [pens for _, pens in pairs],
        [one.text for one in drawings],
        ids,
        [one.place for one in drawings],
    )


def condition_ids(text: str | None, preprocessor: StrokePreprocessor) -> np.ndarray:
    """Give what a drawing is drawn by as numbers: one for a label, one for each letter, none without."""
    if preprocessor.condition == "label":
        return np.array([preprocessor.name_id(text)], np.int64)
    return preprocessor.letter_ids(text) if preprocessor.condition == "text" else np.zeros(0, np.int64)


def _encode_known(part: list[Drawing], preprocessor: StrokePreprocessor, name: str, notes: list[str]) -> Split:
    """Encode a part; held-out drawings whose label or letters training has not seen are left out, with a note."""
    if name == "train" or preprocessor.condition == "none":
        return encode(part, preprocessor)
    names = set(preprocessor.names)
    words: Callable[[str], Iterable[str]] = (lambda text: [text]) if preprocessor.condition == "label" else list
    known = [one for one in part if one.text and names >= set(words(one.text))]
    if len(known) < len(part):
        what = "label" if preprocessor.condition == "label" else "letter"
        notes.append(f"{name}: {len(part) - len(known):,} drawings with a {what} that training has not were left out")
    return encode(known, preprocessor)


def fixed_noise(ink: Ink, count: int, width: float) -> np.ndarray:
    """Give noise (count, 2) of a width that is always the same for the same drawing."""
    seed = int(hash_fraction(ink_key(ink), "noise") * 2**53)
    return (np.random.Generator(np.random.PCG64(seed)).random((count, 2)) - 0.5) * width


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for ink, text in zip(split.inks, split.texts, strict=True):
            digest.update(ink_key(ink))
            digest.update(f"|{text}|".encode("utf-8", "surrogatepass"))
        digest.update(b"#")
    return digest.hexdigest()
