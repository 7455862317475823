"""Pictures as pixels of one size, or as a grid of features, and captions as ids."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, ValidationError

from recurra.data import cache_folder
from recurra.documents import Document, read_json
from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.formatting import abbreviate
from recurra.images import PictureFeatures, read_picture, resize
from recurra.metrics import caption_words, join_caption_words
from recurra.tasks.caption.config import SIDE_STEP, Data
from recurra.text import Vocabulary, build_vocabulary, load_vocabulary, normalise

PICTURES_FILE = "pictures.json"
COLOURS = 3
MIN_CAPTIONS_FOR_COUNTS, MIN_COUNT = 20_000, 5
"""Captions from which on a word has to be in several of them."""
LONGER, MAX_WORDS = 1.5, 100
"""What is written may have so many times the words of the longest caption learnt from, and no more than so many."""
Size = Annotated[int, Field(ge=1, le=65_536)]


class Picture(NamedTuple):
    """A picture: what it is called, its pixels (S, S, 3) uint8, and its grid of features (P, C) float16 where an encoder gives them."""

    name: str
    pixels: np.ndarray
    features: np.ndarray | None


class Grid(Document):
    """The grid of an encoder: of which file, of how many rows, columns and features."""

    sha256: str
    height: Size
    width: Size
    channels: Size


class PictureFacts(Document):
    """What is kept of how pictures are read, and of how long captions may be."""

    side: Annotated[int, Field(ge=32, le=512, multiple_of=SIDE_STEP)]
    longest: Annotated[int, Field(ge=1, le=MAX_WORDS)]
    encoder: Grid | None


@dataclass(frozen=True)
class PicturePreprocessor:
    """Makes pictures of any size and form such as the network reads. encoder: what gives features; None: the network reads pixels."""

    side: int
    encoder: PictureFeatures | None = None
    notes: list[str] = field(default_factory=list, compare=False)
    """Gets what there is to say of reading, each once."""

    @classmethod
    def of(cls, data: Data) -> PicturePreprocessor:
        """Make it as the settings say; raises `DataError` where the encoder cannot be used."""
        given = PictureFeatures(data.encoder[0], data.encoder_output, data.normalise) if data.encoder else None
        return cls(data.side, given)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of what the decoder looks at."""
        if self.encoder is not None:
            return self.encoder.height, self.encoder.width
        return self.side // SIDE_STEP, self.side // SIDE_STEP

    @property
    def features_shape(self) -> tuple[int, int]:
        """Places of the grid, and features of each; none without an encoder."""
        return (0, 0) if self.encoder is None else (self.encoder.height * self.encoder.width, self.encoder.channels)

    @property
    def bytes_each(self) -> int:
        """What a picture takes of the memory."""
        places, features = self.features_shape
        return self.side**2 * COLOURS + places * features * np.dtype(np.float16).itemsize

    def read(self, data: bytes, name: str) -> Picture:
        """Read a picture from the bytes of its file; raises `DataError` for what is none."""
        colours = to_colours(read_picture(data, name))
        return Picture(name, resize(colours, self.side, self.side), self._features(colours, data))

    def check(self, item: Any) -> Picture:
        """Read what a user hands over: the name of a file, or an array (H, W), (H, W, 1) or (H, W, 3) uint8; raises `DataError` for others."""
        if isinstance(item, Picture):
            return item
        if isinstance(item, str | Path):
            name = str(item)
            colours = to_colours(read_picture(name))
        else:
            name, colours = "", _as_colours(item)
        return Picture(
            name,
            resize(colours, self.side, self.side),
            self._features(colours, repr(colours.shape).encode() + colours.tobytes()),
        )

    def _features(self, colours: np.ndarray, identity: bytes) -> np.ndarray | None:
        """Give the features, which are kept in the cache folder by what the picture is."""
        if self.encoder is None:
            return None
        digest = hashlib.sha256(identity).hexdigest()
        folder = cache_folder() / "features" / self.encoder.key / digest[:2]
        path = folder / f"{digest}.npy"
        try:
            kept = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            kept = None
        shape = self.features_shape
        if kept is not None and kept.shape == shape and kept.dtype == np.float16 and np.isfinite(kept).all():
            return kept
        limit = np.finfo(np.float16).max
        made = self.encoder(colours).reshape(shape).clip(-limit, limit).astype(np.float16)
        file = io.BytesIO()
        np.save(file, made, allow_pickle=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, file.getvalue())
        except (OSError, RunError) as error:
            reason = f"features of pictures are not kept, and are made again the next time: {error}"
            if not self.notes:
                self.notes.append(reason)
        return made


def to_colours(picture: np.ndarray) -> np.ndarray:
    """Give a picture (H, W, 1 or 3) in three colours, (H, W, 3)."""
    return np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture


def _as_colours(item: Any) -> np.ndarray:
    shape = getattr(item, "shape", None)
    if shape is None:
        raise DataError(f"expected the name of a picture or its pixels, got {abbreviate(item, 40)}")
    pixels = np.asarray(item)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
        raise DataError(f"expected pixels (H, W), (H, W, 1) or (H, W, 3) uint8, got {tuple(shape)} {pixels.dtype}")
    return to_colours(pixels)


@dataclass(frozen=True)
class CaptionPreprocessor:
    """Pictures and captions; longest: words that a caption may have."""

    vocabulary: Vocabulary
    pictures: PicturePreprocessor
    longest: int

    def encode(self, caption: str) -> np.ndarray:
        """Give the ids of a caption, without marks."""
        return self.vocabulary.encode(" ".join(caption_words(normalise(caption))))

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Write ids as a caption."""
        return join_caption_words(self.vocabulary.decode(ids).split())

    def save(self, folder: Path) -> list[str]:
        """Write all of it, and give the names of the files."""
        encoder = self.pictures.encoder
        grid = None
        if encoder is not None:
            grid = Grid(sha256=encoder.digest, height=encoder.height, width=encoder.width, channels=encoder.channels)
        facts = PictureFacts(side=self.pictures.side, longest=self.longest, encoder=grid)
        write_whole(folder / PICTURES_FILE, facts.model_dump_json(indent=1) + "\n")
        return [self.vocabulary.save(folder).name, PICTURES_FILE]

    @classmethod
    def load(cls, folder: Path, data: Data) -> CaptionPreprocessor:
        """Read what `save` wrote; raises `RunError` where it is damaged, or the encoder is another one."""
        path = folder / PICTURES_FILE
        try:
            facts = PictureFacts.model_validate(read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            raise RunError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        pictures = PicturePreprocessor.of(data.model_copy(update={"side": facts.side}))
        encoder, grid = pictures.encoder, facts.encoder
        if (encoder is None) != (grid is None):
            raise RunError(f"{path}: expected an encoder just where config.toml names one; train the run again")
        if encoder is not None and grid is not None and encoder.digest != grid.sha256:
            raise RunError(
                f"{encoder.path}: is another file than this run was trained with; put back the one with the SHA-256 sum {grid.sha256}"
            )
        vocabulary = load_vocabulary(folder)
        if vocabulary.unit != "word":
            raise RunError(f"{folder}: expected a vocabulary of words, got one of {vocabulary.unit}")
        return cls(vocabulary, pictures, facts.longest)


def build_preprocessor(captions: Sequence[str], pictures: PicturePreprocessor, data: Data) -> CaptionPreprocessor:
    """Make it from the training captions; what `data` leaves open is chosen, and written into it."""
    if data.min_count is None:
        data.min_count = MIN_COUNT if len(captions) >= MIN_CAPTIONS_FOR_COUNTS else 1
    words = [caption_words(normalise(caption)) for caption in captions]
    texts = [" ".join(some) for some in words]
    counts = Counter(word for some in words for word in some)
    least = min(data.min_count, max(counts.values(), default=1))  # of nothing but rare words all are kept
    vocabulary = build_vocabulary(texts, unit="word", min_count=least, max_size=data.vocabulary, split="space")
    longest = min(MAX_WORDS, max(1, round(LONGER * max(map(len, words)))))
    return CaptionPreprocessor(vocabulary, pictures, longest)
