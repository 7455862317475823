"""Files in, pictures with captions out: split by picture, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from recurra.data.captions import read_captions, read_names
from recurra.data.datasets.locate import resolve_files
from recurra.data.pictures import MAX_PICTURES_BYTES
from recurra.errors import DataError
from recurra.files import is_file, is_folder
from recurra.images import FoundPictures, read_pictures
from recurra.tasks.base.dataset import PreparedData, skipped_notes
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.parts import PARTS, Part, drop_unlisted, leakage_notes, split_pictures
from recurra.tasks.caption.preprocessing import (
    COLOURS,
    CaptionPreprocessor,
    Picture,
    PicturePreprocessor,
    build_preprocessor,
)
from recurra.text import Faults, is_archive

IMAGES_FOLDER = "images"


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


class Dataset(PreparedData[Split, CaptionPreprocessor]):
    """Pictures with captions ready for training."""


def read_dataset(data: Data, preprocessor: CaptionPreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; the vocabulary is made from the training part unless it is given.

    Raises `DataError` where a part would be empty, and for a caption whose picture is not there.
    """
    reader = PicturePreprocessor.of(data) if preprocessor is None else preprocessor.pictures
    notes: list[str] = []
    lists = {name: read_names(getattr(data, f"{name}_images")) for name in PARTS}
    parts = split_pictures(read_part(data.given, data, reader, notes, lists), data, notes)
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
    faults = Faults(data.on_error)
    captioned = whole if lists is None else drop_unlisted(whole, data, faults, notes)
    if len(captioned) * reader.bytes_each > MAX_PICTURES_BYTES:
        raise DataError(
            f"the {len(captioned):,} pictures have more than {MAX_PICTURES_BYTES:,} bytes in all",
            source=" ".join(files[:3]),
            hint="take a smaller --side" if reader.encoder is None else "take fewer, or an encoder of a smaller grid",
        )
    keys: dict[str, bytes] = {}

    def prepare(content: bytes, place: str) -> Picture:
        picture = reader.read(content, place)
        keys[place] = hashlib.sha256(content).digest()
        return picture

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
    if not there:
        reason = f": {skipped[0]}" if skipped else ""
        raise DataError(f"no picture with a caption is left{reason}", source=" ".join(files[:3]))
    notes += [*reader.notes, *skipped_notes(skipped)]
    reader.notes.clear()
    notes += _uncaptioned_notes(found.others, whole.names, files)
    names = captioned.names
    return Part(chosen, [found.read[names[at]] for at in there], [keys[found.places[names[at]]] for at in there])


def default_images(files: Sequence[str], names: Sequence[str]) -> list[str]:
    """Give where pictures of such names are looked for if nobody says.

    That is in the folders and archives that are named, else in the folder `images` beside the captions, else where their names lead to from there.

    >>> default_images(["captions.csv", "photos.zip"], ["1.jpg"])
    ['photos.zip']
    """
    packed = [name for name in files if is_folder(Path(name)) or is_archive(name)]
    if packed:
        return packed
    folders = list(dict.fromkeys(Path(name).parent for name in files))
    usual = [folder / IMAGES_FOLDER for folder in folders if is_folder(folder / IMAGES_FOLDER)]
    near = [folder / name for folder in folders for name in names if is_file(folder / name)] if not usual else []
    return [str(path) for path in usual or near]


def _uncaptioned_notes(others: Sequence[str], names: Sequence[str], files: Sequence[str]) -> list[str]:
    known = {PurePosixPath(name).name for name in names}
    left = [path for path in others if PurePosixPath(path).name not in known]
    return [f"{len(left):,} pictures have no caption in {' '.join(files[:3])}, such as {left[0]}"] if left else []


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
    """Turn captions into ids, and put pictures side by side: the part gives each up, since all of them are not held twice."""
    read, reader = part.captioned, preprocessor.pictures
    encoded = [[preprocessor.encode(caption) for caption in some] for some in read.captions]
    pixels = np.empty((len(read), reader.side, reader.side, COLOURS), np.uint8)
    features = None if reader.encoder is None else np.empty((len(read), *reader.features_shape), np.float16)
    for row in reversed(range(len(read))):
        picture = part.pictures.pop()
        pixels[row] = picture.pixels
        if features is not None:
            features[row] = picture.features
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
