"""How likely a text, or one of its words or characters, is as a function of the pieces of the signal that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.decoding import align
from recurra.errors import DataError, UsageError
from recurra.nn import ctc_loss, ctc_prefix_log_prob, frames_needed
from recurra.tasks.base.explanation import Explained, PictureParts, Target, replace_steps, shares_of_parts
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.base.settings import Flag
from recurra.tasks.sequence.explain import check_place
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.preprocessing import UNSEEN, Reading, TranscriptPreprocessor


class TranscriberExplainOptions(ExplainOptions):
    """What `explain` takes of a run of transcribe."""

    target: Annotated[str | None, Flag(metavar="TEXT")] = Field(
        default=None, description="The text that is explained. Default: the likeliest that the search finds."
    )
    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The word of the text that is explained, from 1, given those before it. Default: all.",
    )
    character: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The unit of the text that is explained, from 1, given those before it. Default: all.",
    )


class Part(NamedTuple):
    """The labels of a text that are explained: from `first` up to but not including `last`, and how they are called."""

    first: int
    last: int
    name: str


def explain_text(
    network: TranscriberNetwork,
    preprocessor: TranscriptPreprocessor,
    reading: Reading,
    labels: np.ndarray,
    log_probs: np.ndarray,
    options: TranscriberExplainOptions,
) -> Explained:
    """Give the log-probability of a text by all paths that spell it; of one of its words or units given that the text begins with what stands before it.

    labels: of the text.  log_probs: of the steps of the signal as it is, (T', V).
    """
    signals, frames = preprocessor.signals, reading.frames
    part = part_of(preprocessor, labels, options)
    step_frames = max(1, round(len(frames) / len(log_probs)))
    segments, owner = signals.pieces(frames, step_frames)
    values = preprocessor.normalised(frames).astype(np.float32)
    device = next(network.parameters()).device
    rows, blank = (torch.from_numpy(each).to(device) for each in (values, signals.blank(values)))
    parts, value = torch.from_numpy(owner[:, None]), _log_prob_of(labels, part)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        x = replace_steps(rows, blank, shares_of_parts(shares, order, parts), order)
        found, _ = network(x, torch.full((x.shape[1],), len(x)))
        return value(found.double())

    places, last, focus = signals.places(frames, owner), len(frames) - 1, None
    if part is not None:
        path = align(log_probs, labels)
        first, last = int(path.starts[part.first]) * step_frames, int(path.ends[part.last - 1]) * step_frames - 1
        inside = (np.arange(len(frames)) >= first) & (np.arange(len(frames)) <= last)
        last, focus = min(last, len(frames) - 1), signals.places(frames, inside.astype(np.int64)) == 1
    name = preprocessor.decode(labels) if part is None else part.name
    about = Target(repr(name), "log-probability", last, signals.blank_name)
    shown = PictureParts(signals.picture(frames), places, focus)
    return Explained(network, segments, len(frames), compute, about, shown=shown)


def check_text(preprocessor: TranscriptPreprocessor, text: str, steps: int) -> np.ndarray:
    """Give the labels of a text that a user names; raises `UsageError` for one that a signal of so many steps cannot have."""
    labels = preprocessor.encode(text)
    if (labels == UNSEEN).any():
        unseen = " ".join(preprocessor.unseen(text)) or "units"
        raise UsageError(f"target: expected a text that this run can write, got what no training text has: {unseen}")
    if frames_needed(labels) > steps:
        raise UsageError(f"target: expected at most {steps} units, as many steps as the signal has, got {len(labels)}")
    return labels


def part_of(
    preprocessor: TranscriptPreprocessor, labels: np.ndarray, options: TranscriberExplainOptions
) -> Part | None:
    """Give the word or the unit that is explained; None where it is the whole text."""
    if not len(labels):
        raise DataError("there is nothing to explain: no text was found; name one with target")
    if options.at is not None and options.character is not None:
        raise UsageError("at, character: expected one of the two, got both")
    if options.at is not None:
        words = preprocessor.words(labels)
        text, first, last = words[check_place(options.at, len(words))]
        return Part(first, last, text)
    if options.character is not None:
        place = check_place(options.character, len(labels))
        return Part(place, place + 1, preprocessor.label_texts[int(labels[place])])
    return None


def _log_prob_of(labels: np.ndarray, part: Part | None) -> Callable[[Tensor], Tensor]:
    """Give what makes of log-probabilities (T', n, V), float64, that of a text or of its part, (n,)."""
    if part is not None:
        whole, before = labels[: part.last].tolist(), labels[: part.first].tolist()
        return lambda found: ctc_prefix_log_prob(found, whole) - ctc_prefix_log_prob(found, before)
    target = torch.from_numpy(labels).unsqueeze(0)

    def of_text(found: Tensor) -> Tensor:
        steps, count, _ = found.shape
        lengths = torch.full((count,), steps), torch.full((count,), len(labels))
        return -ctc_loss(found, target.expand(count, -1), *lengths)

    return of_text
