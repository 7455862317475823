"""The log-probability of a caption, or of one of its words, as a function of the patches of the picture that are there."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.errors import UsageError
from recurra.tasks.base.explanation import Explained, PictureParts, Target
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.base.patches import cut_into_patches
from recurra.tasks.base.settings import Flag
from recurra.tasks.caption.network import CaptionNetwork
from recurra.tasks.caption.preprocessing import CaptionPreprocessor, Picture
from recurra.tasks.caption.search import search
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.explain import unit_log_probs
from recurra.tasks.seq2seq.results import END, units_of
from recurra.tasks.seq2seq.search import teacher
from recurra.tasks.sequence.explain import check_place

BLANK, BLANK_FEATURES = "the mean colour of the picture", "the mean of the picture's features"
PIXELS_OF_A_STEP = 8
"""Of a picture, about as much work and room for the convolutions as a step of a sequence is for cells."""


class CaptionerExplainOptions(ExplainOptions):
    """What `explain` takes of a run of caption."""

    target: Annotated[str | None, Flag(metavar="TEXT")] = Field(
        default=None, description="The caption that is explained. Default: the likeliest that the search finds."
    )
    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The word of the caption that is explained, from 1, given those before it. Default: all.",
    )


def explain_caption(
    network: CaptionNetwork, preprocessor: CaptionPreprocessor, picture: Picture, options: CaptionerExplainOptions
) -> Explained:
    """Give the log-probability of a caption with its end, or of one of its words."""
    content = picture.pixels if picture.features is None else picture.features
    caption = _caption(network, preprocessor, content, options.target)
    read, written = teacher(preprocessor.vocabulary, [caption])
    place = None if options.at is None else check_place(options.at, len(caption))
    rows, columns = preprocessor.pictures.grid
    segments, owner = cut_into_patches(rows, columns)
    patches = owner.ravel() if picture.features is not None else _of_pixels(owner, len(picture.pixels)).ravel()
    device = next(network.parameters()).device
    values = torch.from_numpy(content.astype(np.float32)).flatten(0, -2).to(device)  # (places or pixels, C)
    blank, of_patch = values.mean(0), torch.from_numpy(patches).to(device)
    read, written = read.to(device), written.to(device)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:  # noqa: ARG001
        there = shares.to(device)[:, of_patch].unsqueeze(2)
        pictures = torch.lerp(blank.expand(len(values), -1), values, there).unflatten(1, content.shape[:-1])
        found = unit_log_probs(network.decoder, network.encode(pictures), read, written)  # (T, n)
        return found.sum(0) if place is None else found[place]

    name = preprocessor.decode(caption) if place is None else units_of(caption, preprocessor.vocabulary)[place]
    baseline = BLANK if picture.features is None else BLANK_FEATURES
    about = Target(repr(name) if name else END, "log-probability", None, baseline)
    steps = max(1, len(values) // PIXELS_OF_A_STEP)
    return Explained(network, segments, steps, compute, about, shown=PictureParts(picture.pixels, owner))


def _of_pixels(owner: np.ndarray, side: int) -> np.ndarray:
    """Give the patch of each pixel, (S, S), for those of a grid.

    >>> _of_pixels(np.array([[0, 1]]), 32).shape
    (32, 32)
    """
    down, across = side // owner.shape[0], side // owner.shape[1]
    return owner.repeat(down, 0).repeat(across, 1)


def _caption(
    network: CaptionNetwork, preprocessor: CaptionPreprocessor, content: np.ndarray, given: str | None
) -> np.ndarray:
    if given is None:
        found = search(network, preprocessor, [content], SearchedOptions())[0][0]
        return found.ids[:-1] if found.ended else found.ids
    ids, unknown = preprocessor.encode(given), preprocessor.vocabulary.unknown_id
    if unknown is not None and (ids == unknown).any():
        raise UsageError(f"target: expected words that this run can write, got one that it does not know: {given!r}")
    return ids
