"""The kinds of signals: how each becomes frames, how it is varied in training, and how it is read as it comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from recurra.data.transcripts import Kind
from recurra.errors import UsageError
from recurra.tasks.base.explanation import Segment, group_elements
from recurra.tasks.transcribe.config import Data

MAX_PIECES = 60
"""Of a signal that is explained: more would be too narrow to be seen."""
Facts = dict[str, int]
"""What is saved of how signals are read."""


class FrameStream(Protocol):
    """Makes frames (n, F) of a signal as it comes; those of all pieces are the frames of the whole, bit by bit."""

    def push(self, piece: Any) -> np.ndarray: ...

    def finish(self) -> np.ndarray: ...


class SignalKind(ABC):
    """How signals of one kind are read; made by what the data are, and saved with the run as a few whole numbers.

    A frame is (F,) float32; a signal's frames are (T, F). A new kind is one class with `register_signal` before it, in a file that
    `preprocessing` imports.
    """

    kind: ClassVar[Kind]
    frame_stack: ClassVar[int] = 1
    """Frames that are read at one step, where the user leaves it open."""
    has_convolutions: ClassVar[bool] = False
    """Whether frames are columns of a picture, which convolutions read first."""
    is_spatial: ClassVar[bool] = False
    """Whether texts are read in the order in which they stand, from left to right, whatever is written from right to left."""
    streams: ClassVar[bool] = False
    scaled: ClassVar[bool] = True
    """Whether frames are brought to mean 0 and deviation 1 by what the training part is like."""

    @classmethod
    @abstractmethod
    def of(cls, signals: Sequence[Any], data: Data, *, live: bool) -> SignalKind:
        """Make it by the settings and the first signals; what is left open is chosen, and written into `data`.

        live: signals are to be read as they come, so no frame may depend on what is behind it.
        """

    @classmethod
    @abstractmethod
    def from_facts(cls, facts: Facts) -> SignalKind:
        """Make it of what `facts` gave; raises `KeyError` or `ValueError` for other ones."""

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What has to be known to read signals alike."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers of a frame, F."""

    @property
    def seconds(self) -> float | None:
        """From one frame to the next; None where frames are no time."""
        return None

    @abstractmethod
    def prepare(self, signal: Any, name: str) -> Any:
        """Give what is kept of a signal for training; raises `DataError` for one that has no frames."""

    @abstractmethod
    def frames(self, kept: Any) -> np.ndarray:
        """Give the frames (T, F) of what `prepare` gave."""

    def note(self, signal: Any) -> str | None:  # noqa: ARG002
        """Say what is done to a signal before it is read; None: nothing that is worth a word."""
        return None

    def excerpt(self, signal: Any) -> bytes | None:  # noqa: ARG002
        """Give a small copy of a signal to listen to, as `recurra.audio.excerpt` does; None where there is nothing to hear."""
        return None

    @abstractmethod
    def vary(self, kept: Any, chance: np.random.Generator) -> np.ndarray:
        """Give frames as they might have been, were it said or written otherwise; in training."""

    @abstractmethod
    def gap(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """Give frames in which nothing is said or written, to stand behind these where signals are joined."""

    @abstractmethod
    def is_one(self, item: Any) -> bool:
        """Tell whether what a user hands over is such a signal."""

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Tell by its name in small letters whether a file holds signals; else each line of it names one."""

    def parse(self, line: str) -> Any | None:  # noqa: ARG002
        """Read a line that holds a signal itself; None for one that names its file."""
        return None

    def picture(self, frames: np.ndarray) -> np.ndarray:
        """Draw frames: grey uint8 (H, W), time from left to right."""
        low, high = np.percentile(frames, (1, 99)) if frames.size else (0.0, 1.0)
        values = (frames.T[::-1] - low) / max(1e-6, float(high - low))
        return (255 - 255 * np.clip(values, 0, 1)).astype(np.uint8)

    # What is left out of a signal that is explained, and what stands in its place

    blank_name: ClassVar[str] = "the mean of the training data"

    def blank(self, frames: np.ndarray) -> np.ndarray:
        """Give the frame (F,) that says nothing, beside frames (T, F) as the network reads them."""
        return np.zeros_like(frames[0])

    def pieces(self, frames: np.ndarray, step_frames: int) -> tuple[list[Segment], np.ndarray]:
        """Cut frames (T, F) into pieces of whole steps; gives them, and that of each frame, (T,)."""
        starts = range(0, len(frames), step_frames)
        steps = [self._piece(start, min(start + step_frames, len(frames))) for start in starts]
        grouped, of_step = group_elements(steps, None, MAX_PIECES)
        pieces = [self._piece(one.start, one.end) for one in grouped]
        return pieces, of_step[np.arange(len(frames)) // step_frames]

    def _piece(self, first: int, last: int) -> Segment:
        return Segment(self.span(first, last), first, last)

    def span(self, first: int, last: int) -> str:
        """Say where some frames stand."""
        return f"columns {first + 1} to {last}"

    def places(self, frames: np.ndarray, owner: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Give which piece stands at each place of a grid over `picture`, −1 for none."""
        return owner[None]

    def stream(self, rate: int | None) -> FrameStream:  # noqa: ARG002
        """Give what makes frames of a signal as it comes; rate: samples a second of it, None: as the run's own."""
        raise UsageError(f"a {self.kind} is read as a whole, and not as it comes")


_kinds: dict[str, type[SignalKind]] = {}
KindT = TypeVar("KindT", bound=type[SignalKind])


def register_signal(kind: KindT) -> KindT:
    """Make a kind of signals known; used as a class decorator."""
    _kinds[kind.kind] = kind
    return kind


def signal_kind(name: str) -> type[SignalKind]:
    """Find a kind by its name; raises `UsageError` for one that is not known."""
    if name not in _kinds:
        raise UsageError(f"expected one of {', '.join(sorted(_kinds))}, got {name}")
    return _kinds[name]


def stretched(frames: np.ndarray, factor: float) -> np.ndarray:
    """Give frames (T, F) as of a signal so many times as long, by straight lines between them.

    >>> stretched(np.array([[0.0], [2.0], [4.0]], np.float32), 5 / 3)[:, 0].tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    count = max(1, round(len(frames) * factor))
    return at_places(frames, np.linspace(0, len(frames) - 1, count))


def at_places(frames: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Give what lies at places (n,) between frames (T, F)."""
    low = np.clip(places.astype(np.int64), 0, max(0, len(frames) - 2))
    high = np.minimum(low + 1, len(frames) - 1)
    share = np.clip(places - low, 0, 1).astype(np.float32)[:, None]
    return frames[low] * (1 - share) + frames[high] * share
