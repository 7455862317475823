"""Files in, pictures with captions out: split by picture, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recurra.data.captions import Captioned, read_captions, read_names
from recurra.data.datasets.locate import resolve_files
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.files import is_folder
from recurra.images import read_pictures
from recurra.tasks.base.dataset import default_valid_share, skipped_notes
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.preprocessing import CaptionPreprocessor, Picture, PicturePreprocessor, build_preprocessor
from recurra.text import Faults, base_name

MAX_VALIDATION_PICTURES = 1_000
"""More tell hardly more, and would be looked at again and again while training."""
IMAGES_FOLDER = "images"
_ARCHIVES = (".zip", ".tar", ".tgz")


@dataclass(frozen=True)
class Split:
    """Pictures of one split with all captions of each, as they were read and as ids; pixels: (N, S, S, 3) uint8; features: (N, P, C) float16 or None."""

    names: list[str]
    pixels: np.ndarray
    features: np.ndarray | None
    captions: list[list[str]]
    encoded: list[list[np.ndarray]]
    places: list[str]
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def inputs(self) -> np.ndarray:
        """What the network reads."""
        return self.pixels if self.features is None else self.features

    @property
    def units(self) -> int:
        """Count the ids to predict: every word of a caption, and its end."""
        return sum(len(ids) + 1 for some in self.encoded for ids in some)

    @property
    def caption_count(self) -> int:
        """Count the captions."""
        return sum(map(len, self.captions))


@dataclass(frozen=True)
class Dataset:
    """Pictures with captions ready for training."""

    train: Split
    valid: Split | None
    test: Split | None
    preprocessor: CaptionPreprocessor
    notes: list[str]
    fingerprint: str

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that there are, by name."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}


@dataclass(frozen=True)
class Part:
    """Captions and the pictures that they belong to, in one order."""

    captioned: Captioned
    pictures: list[Picture]
    keys: list[bytes]

    def select(self, indices: Sequence[int]) -> Part:
        """Give some of the pictures."""
        pictures, keys = [self.pictures[index] for index in indices], [self.keys[index] for index in indices]
        return Part(self.captioned.select(indices), pictures, keys)


def read_dataset(data: Data, preprocessor: CaptionPreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; the vocabulary is made from the training part unless it is given.

    Raises `DataError` where a part would be empty, and for a caption whose picture is not there.
    """
    reader = PicturePreprocessor.of(data) if preprocessor is None else preprocessor.pictures
    notes: list[str] = []
    lists = {name: read_names(getattr(data, f"{name}_images")) for name in ("train", "valid", "test")}
    whole = read_part(data.given, data, reader, notes, lists)
    parts = split_pictures(whole, data, lists, notes)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            own: list[str] = []
            parts[name] = read_part(files, data, reader, own)
            notes += [f"{name}: {message}" for message in own]
    if not parts["train"].pictures:
        raise DataError("there is nothing to learn from: no picture is left to train on", source=" ".join(data.data[:3]))
    if preprocessor is None:
        captions = [caption for some in parts["train"].captioned.captions for caption in some]
        preprocessor = build_preprocessor(captions, reader, data)
    notes += leakage_notes(parts)
    splits = {name: encode(part, preprocessor) for name, part in parts.items() if part.pictures}
    sums = fingerprint(splits.values())
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, sums)


def read_part(
    files: Sequence[str],
    data: Data,
    reader: PicturePreprocessor,
    notes: list[str],
    lists: Mapping[str, Sequence[str]] | None = None,
) -> Part:
    """Read captions and their pictures; notes: gets what there is to say. lists: where some of the pictures are named, others are left out."""
    captioned = read_captions(files, data.reading())
    notes += captioned.notes
    captioned = _listed(captioned, lists or {}, data, notes)
    keys: dict[str, bytes] = {}

    def prepare(content: bytes, place: str) -> Picture:
        picture = reader.read(content, place)
        keys[place] = hashlib.sha256(content).digest()
        return picture

    faults = Faults(data.on_error)
    images = data.images or default_images(files)
    found = read_pictures(images, captioned.names, prepare, faults)
    missing = [at for at, name in enumerate(captioned.names) if name not in found.places]
    for at in missing:
        more = f" ({len(missing):,} of {len(captioned):,} are missing)" if len(missing) > 1 else ""
        faults.handle(
            DataError(
                f"the picture {captioned.names[at]} is not in {' '.join(images[:3])}{more}",
                source=captioned.places[at],
                hint="say where the pictures are (--images), or leave such captions out (--on-error skip)",
            )
        )
    there = [at for at, name in enumerate(captioned.names) if name in found.read]
    skipped = [*captioned.skipped, *faults.skipped]
    chosen = captioned.select(there)
    chosen.skipped = skipped
    notes += skipped_notes(skipped)
    notes += _uncaptioned_notes(found.others, files)
    names = captioned.names
    return Part(chosen, [found.read[names[at]] for at in there], [keys[found.places[names[at]]] for at in there])


def default_images(files: Sequence[str]) -> list[str]:
    """Give where the pictures are looked for if nobody says: in folders and archives that are named, in `images` beside the captions, or beside these.

    >>> default_images(["photos.zip"])
    ['photos.zip']
    """
    found = []
    for name in files:
        path = Path(name)
        if is_folder(path) or base_name(name).endswith(_ARCHIVES):
            found.append(name)
        else:
            beside = path.parent / IMAGES_FOLDER
            found.append(str(beside if is_folder(beside) else path.parent))
    return list(dict.fromkeys(found))


def _listed(captioned: Captioned, lists: Mapping[str, Sequence[str]], data: Data, notes: list[str]) -> Captioned:
    """Leave out what no list names, where there is one of the pictures to train on; raises `DataError` for names without a caption."""
    known = set(captioned.names)
    for name, listed in lists.items():
        lost = [one for one in listed if one not in known]
        if lost and not data.valid and not data.test:
            files = " ".join(getattr(data, f"{name}_images"))
            raise DataError(f"{lost[0]} has no caption ({len(lost):,} of {len(listed):,} have none)", source=files)
    if not lists.get("train"):
        return captioned
    named = {one for listed in lists.values() for one in listed}
    rest = len(captioned) - len(kept := [at for at, name in enumerate(captioned.names) if name in named])
    notes += [f"{rest:,} pictures with captions are in no list, and are left out"] if rest else []
    chosen = captioned.select(kept)
    chosen.skipped = captioned.skipped
    return chosen


def split_pictures(whole: Part, data: Data, lists: Mapping[str, Sequence[str]], notes: list[str]) -> dict[str, Part]:
    """Split by the lists, by the parts that the data themselves name, or by shares: equal pictures are on one side only."""
    listed = {name: part for part, names in lists.items() for name in names}
    told = [listed.get(name) or split for name, split in zip(whole.captioned.names, whole.captioned.splits, strict=True)]
    given = {part for part in told if part is not None}
    valid = 0.0 if "valid" in given else default_valid_share(data, len(whole.pictures))
    if data.valid_share is None and whole.pictures:
        valid = min(valid, MAX_VALIDATION_PICTURES / len(whole.pictures))
    test = 0.0 if data.test or "test" in given else data.test_share
    open_ones = [at for at, part in enumerate(told) if part in (None, "train")]
    try:
        split = split_documents([whole.keys[at] for at in open_ones], valid, test)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    chosen = {name: [open_ones[at] for at in getattr(split, name)] for name in ("train", "valid", "test")}
    for name in ("valid", "test"):
        chosen[name] += [at for at, part in enumerate(told) if part == name]
    if given - {"train"} and not any(lists.values()):
        notes.append(f"held out as the data say: {', '.join(sorted(given - {'train'}))}")
    return {name: whole.select(sorted(indices)) for name, indices in chosen.items()}


def _uncaptioned_notes(others: Sequence[str], files: Sequence[str]) -> list[str]:
    if not others:
        return []
    return [f"{len(others):,} pictures have no caption in {' '.join(files[:3])}, such as {others[0]}"]


def leakage_notes(parts: Mapping[str, Part]) -> list[str]:
    """Say how many held-out pictures are in the training data too."""
    known = set(parts["train"].keys)
    counts = {name: sum(key in known for key in part.keys) for name, part in parts.items() if name != "train"}
    return [
        f"leakage: {count:,} of {len(parts[name].keys):,} {name} pictures are in the training data too"
        for name, count in counts.items()
        if count
    ]


def read_split(
    arguments: Sequence[str],
    images: Sequence[str],
    data: Data,
    preprocessor: CaptionPreprocessor,
    note: Callable[[str], None],
) -> Split:
    """Read what a user names at evaluation time, as the training data were read; images: where the pictures are, by default beside it."""
    files, settings = resolve_files(arguments)
    settings = data.model_copy(update={**settings, "images": list(images)})
    notes: list[str] = []
    read = read_part(files, settings, preprocessor.pictures, notes)
    for message in notes:
        note(message)
    return encode(read, preprocessor)


def encode(part: Part, preprocessor: CaptionPreprocessor) -> Split:
    """Turn captions into ids, and put pictures side by side; raises `DataError` with its place for a caption without a word."""
    read, pictures = part.captioned, part.pictures
    encoded = [[preprocessor.encode(caption) for caption in some] for some in read.captions]
    for some, place in zip(encoded, read.places, strict=True):
        if not all(map(len, some)):
            raise DataError("expected words in each caption of the picture, got one of marks alone", source=place)
    features = None
    if preprocessor.pictures.encoder is not None:
        features = np.stack([picture.features for picture in pictures if picture.features is not None])
    pixels = np.stack([picture.pixels for picture in pictures])
    return Split(read.names, pixels, features, read.captions, encoded, read.places, read.skipped[:])


def fingerprint(splits: Iterable[Split]) -> str:
    """Give a sum that changes whenever a picture or a caption does, or their order."""
    digest = hashlib.sha256()
    for split in splits:
        for picture, captions in zip(split.inputs, split.encoded, strict=True):
            digest.update(np.ascontiguousarray(picture).data)
            for ids in captions:
                digest.update(len(ids).to_bytes(8, "little"))
                digest.update(np.ascontiguousarray(ids, dtype=np.int32).data)
        digest.update(b"|")
    return digest.hexdigest()
