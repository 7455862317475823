"""Files in, pictures with captions out: split by picture, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from recurra.data.captions import Captioned, read_captions, read_names
from recurra.data.datasets.locate import resolve_files
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.files import is_file, is_folder
from recurra.images import FoundPictures, read_pictures
from recurra.tasks.base.dataset import default_valid_share, skipped_notes
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.preprocessing import CaptionPreprocessor, Picture, PicturePreprocessor, build_preprocessor
from recurra.text import Faults, base_name

MAX_VALIDATION_PICTURES = 1_000
"""More tell hardly more, and would be looked at again and again while training."""
IMAGES_FOLDER = "images"
PARTS = ("train", "valid", "test")
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

    def some(self, most: int) -> Split:
        """Give so many of the pictures, spread over all; itself where there are no more."""
        if len(self) <= most:
            return self
        rows = evenly_spaced(len(self), most)
        columns = {
            name: [getattr(self, name)[row] for row in rows] for name in ("names", "captions", "encoded", "places")
        }
        features = None if self.features is None else self.features[rows]
        return replace(self, pixels=self.pixels[rows], features=features, **columns)

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
    lists = {name: read_names(getattr(data, f"{name}_images")) for name in PARTS}
    whole = read_part(data.given, data, reader, notes, lists)
    parts = split_pictures(whole, data, notes)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            own: list[str] = []
            parts[name] = read_part(files, data, reader, own)
            notes += [f"{name}: {message}" for message in own]
    if not parts["train"].pictures:
        raise DataError(
            "there is nothing to learn from: no picture is left to train on", source=" ".join(data.data[:3])
        )
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
    """Read captions and their pictures; notes: gets what there is to say.

    lists: the pictures of each part, where the user names them; else the data may. Where those to train on are named, others are left out.
    None: all are read, whatever part they are in.
    """
    whole = read_captions(files, data.reading())
    notes += whole.notes if lists is not None else [note for note in whole.notes if not note.endswith(PARTS)]
    if lists is not None:
        whole.lists.update({part: list(names) for part, names in lists.items() if names})
    captioned = whole if lists is None else _listed(whole, notes)
    keys: dict[str, bytes] = {}

    def prepare(content: bytes, place: str) -> Picture:
        picture = reader.read(content, place)
        keys[place] = hashlib.sha256(content).digest()
        return picture

    faults = Faults(data.on_error)
    images = data.images or default_images(files, captioned.names)
    found = read_pictures(images, captioned.names, prepare, faults) if images else FoundPictures[Picture]()
    where = " ".join(images[:3]) or "a folder images beside the captions, nor where its name leads to from there"
    missing = [at for at, name in enumerate(captioned.names) if name not in found.places]
    for at in missing:
        more = f" ({len(missing):,} of {len(captioned):,} are missing)" if len(missing) > 1 else ""
        faults.handle(
            DataError(
                f"the picture {captioned.names[at]} is not in {where}{more}",
                source=captioned.places[at],
                hint="say where the pictures are (--images), or leave such captions out (--on-error skip)",
            )
        )
    there = [at for at, name in enumerate(captioned.names) if name in found.read]
    skipped = [*captioned.skipped, *faults.skipped]
    chosen = captioned.select(there)
    chosen.skipped, chosen.lists = skipped, captioned.lists
    notes += skipped_notes(skipped)
    notes += _uncaptioned_notes(found.others, whole.names, files)
    names = captioned.names
    return Part(chosen, [found.read[names[at]] for at in there], [keys[found.places[names[at]]] for at in there])


def default_images(files: Sequence[str], names: Sequence[str]) -> list[str]:
    """Give where pictures of such names are looked for if nobody says.

    That is in the folders and archives that are named, else in the folder `images` beside the captions, else where their names lead to from there.

    >>> default_images(["captions.csv", "photos.zip"], ["1.jpg"])
    ['photos.zip']
    """
    packed = [name for name in files if is_folder(Path(name)) or base_name(name).endswith(_ARCHIVES)]
    if packed:
        return packed
    folders = list(dict.fromkeys(Path(name).parent for name in files))
    usual = [folder / IMAGES_FOLDER for folder in folders if is_folder(folder / IMAGES_FOLDER)]
    near = [folder / name for folder in folders for name in names if is_file(folder / name)] if not usual else []
    return [str(path) for path in usual or near]


def _listed(captioned: Captioned, notes: list[str]) -> Captioned:
    """Leave out what no list names, where there is one of the pictures to train on; raises `DataError` for names without a caption."""
    known = set(captioned.names)
    for part, listed in captioned.lists.items():
        lost = [one for one in listed if one not in known]
        if lost:
            many = f" ({len(lost):,} of {len(listed):,} have none)" if len(lost) > 1 else ""
            raise DataError(f"the picture {lost[0]} has no caption{many}", source=f"the list of {part} pictures")
    if not captioned.lists.get("train"):
        return captioned
    named = {one for listed in captioned.lists.values() for one in listed}
    rest = len(captioned) - len(kept := [at for at, name in enumerate(captioned.names) if name in named])
    notes += [f"{rest:,} pictures with captions are in no list, and are left out"] if rest else []
    chosen = captioned.select(kept)
    chosen.skipped, chosen.lists = captioned.skipped, captioned.lists
    return chosen


def split_pictures(whole: Part, data: Data, notes: list[str]) -> dict[str, Part]:
    """Split by the lists, by the parts that the data themselves name, or by shares: equal pictures are on one side only."""
    lists = whole.captioned.lists
    listed = {name: part for part, names in lists.items() for name in names}
    assigned = [
        listed.get(name) or split for name, split in zip(whole.captioned.names, whole.captioned.splits, strict=True)
    ]
    given = {part for part in assigned if part is not None}
    valid = 0.0 if "valid" in given else default_valid_share(data, len(whole.pictures))
    if data.valid_share is None and whole.pictures:
        valid = min(valid, MAX_VALIDATION_PICTURES / len(whole.pictures))
    test = 0.0 if data.test or "test" in given else data.test_share
    open_ones = [at for at, part in enumerate(assigned) if part in (None, "train")]
    try:
        split = split_documents([whole.keys[at] for at in open_ones], valid, test)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    chosen = {name: [open_ones[at] for at in getattr(split, name)] for name in ("train", "valid", "test")}
    for name in ("valid", "test"):
        chosen[name] += [at for at, part in enumerate(assigned) if part == name]
    if given - {"train"} and not any(lists.values()):
        notes.append(f"held out as the data say: {', '.join(sorted(given - {'train'}))}")
    return {name: whole.select(sorted(indices)) for name, indices in chosen.items()}


def _uncaptioned_notes(others: Sequence[str], names: Sequence[str], files: Sequence[str]) -> list[str]:
    known = {PurePosixPath(name).name for name in names}
    left = [path for path in others if PurePosixPath(path).name not in known]
    return [f"{len(left):,} pictures have no caption in {' '.join(files[:3])}, such as {left[0]}"] if left else []


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
