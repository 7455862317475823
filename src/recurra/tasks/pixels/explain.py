"""The log-probability of a row of a picture as a function of what stands above it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.errors import UsageError
from recurra.tasks.base.explanation import Explained, PictureParts, Segment, Target, replace_steps, shares_of_parts
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.base.patches import cut_into_patches
from recurra.tasks.base.settings import Flag
from recurra.tasks.pixels.network import PixelNetwork
from recurra.tasks.pixels.preprocessing import PicturePreprocessor

BLANK = "the commonest grey of the picture"


class PictureExplainOptions(ExplainOptions):
    """What `explain` takes of a run of pixels."""

    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The row that is explained, from 2. Default: the one of which the rows above say most.",
    )
    by: Literal["patches", "rows"] = Field(default="patches", description="What is left out together.")


def explain_row(
    network: PixelNetwork, preprocessor: PicturePreprocessor, levels: np.ndarray, options: PictureExplainOptions
) -> Explained:
    """Give the log-probability of a row, given those above it, of a picture's levels (H, W)."""
    height, width = levels.shape
    if height < 2:
        raise UsageError("explain: expected pictures of two rows or more, since a row is explained by those above it")
    if options.at is not None and not 2 <= options.at <= height:
        raise UsageError(f"at: expected 2 to {height}, a row that has others above it, got {options.at}")
    background = int(np.bincount(levels.ravel()).argmax())
    device = next(network.parameters()).device
    grid = torch.from_numpy(levels.astype(np.int64)).to(device)
    with eval_mode(network):
        rows, blank = network.values(grid), network.values(torch.full((width,), background, device=device))
        row = (_most_explained(network, rows, grid, blank) if options.at is None else options.at) - 1
    rows, blank = rows.clone(), blank.clone()  # outside of inference mode, for gradients
    if options.by == "rows":
        segments = [Segment(f"row {number + 1}", number, number + 1) for number in range(row)]
        owner = np.tile(np.arange(row)[:, None], (1, width))
    else:
        segments, owner = cut_into_patches(row, width)
    parts, wanted = torch.from_numpy(owner), grid[row]

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        above = replace_steps(rows[:row], blank, shares_of_parts(shares, order, parts), order)  # (T, n, W)
        return network.next_log_prob(above, rows[row], wanted)

    places = np.full((height, width), -1)
    places[:row] = owner
    focus = np.zeros((height, width), bool)
    focus[row] = True
    about = Target(f"row {row + 1}", "log-probability", row - 1, BLANK)
    shown = PictureParts(preprocessor.decode(levels), places, focus)
    return Explained(network, segments, row, compute, about, shown=shown)


def _most_explained(network: PixelNetwork, rows: Tensor, levels: Tensor, blank: Tensor) -> int:
    """Give the number, from 1, of the row whose probability is raised most by the rows above it."""
    both = torch.stack([rows, blank.expand_as(rows)], 1)  # (H, 2, W)
    before = torch.cat([torch.zeros_like(both[:1]), both[:-1]])
    context, _ = network.context(before, network.zero_state(2))
    found = network.head(rows.unsqueeze(1).expand_as(both), context).double().log_softmax(-1)
    wanted = levels[:, None, :, None].expand(-1, 2, -1, 1)
    gained = found.gather(-1, wanted)[..., 0].sum(2)
    return int((gained[1:, 0] - gained[1:, 1]).argmax()) + 2
