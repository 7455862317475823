"""The network of a picture model: cells that read rows, and a masked network that gives the pixels of the next one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.nn import Dropout, MaskedHead, State
from recurra.nn.ragged import at_least_float32
from recurra.tasks.base.network import build_stack
from recurra.tasks.pixels.config import Model


class PixelNetwork(nn.Module):
    """levels (B, H, W) → logits (H, B, W, K).

    Step t reads row t − 1, before the first zeros, which no row is: black is −1 and white 1. Its output and that row are what
    the masked network knows of what stands above; within row t each pixel depends on those left of it. So all rows of a training
    picture are computed together, and the product of the probabilities is exactly that of the picture.
    """

    def __init__(self, width: int, levels: int, model: Model) -> None:
        super().__init__()
        if model.hidden is None or model.head is None:
            raise ValueError("hidden and head have to be chosen before the network is built")
        self.width, self.levels = width, levels
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, width)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.head = MaskedHead(width, levels, self.stack.output_size + width, [model.head] * model.head_layers)

    def zero_state(self, batch: int) -> State:
        """Give the state before the first row."""
        return self.stack.zero_state(batch)

    def values(self, levels: Tensor) -> Tensor:
        """Give levels as what the cells read, from −1 to 1."""
        weight = self.head.context.weight
        return levels.to(weight.dtype) * (2.0 / (self.levels - 1)) - 1.0

    def context(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        """Read rows (T, B, W); gives what the masked network knows for the row after each, (T, B, C), and the state."""
        outputs, state = self.stack(self.input_dropout(rows), state)
        return torch.cat([self.output_dropout(outputs), rows.to(outputs)], 2), state

    def forward(self, levels: Tensor) -> Tensor:
        rows = self.values(levels).transpose(0, 1)  # (H, B, W)
        before = torch.cat([torch.zeros_like(rows[:1]), rows[:-1]])
        context, _ = self.context(before, self.zero_state(rows.shape[1]))
        return self.head(rows, context)

    def loss(self, levels: Tensor) -> Tensor:
        """Give Σ −log p of all pixels of pictures (B, H, W), int64."""
        logits = at_least_float32(self(levels)).flatten(0, 2)
        return F.cross_entropy(logits, levels.transpose(0, 1).flatten(), reduction="sum")

    def log_probs(self, levels: Tensor) -> Tensor:
        """Give log p of each pixel of pictures (B, H, W), given those above and left of it; float64 (B, H, W)."""
        wanted = levels.transpose(0, 1).unsqueeze(-1)
        return self(levels).double().log_softmax(-1).gather(-1, wanted)[..., 0].transpose(0, 1)

    def next_log_prob(self, above: Tensor, row: Tensor, levels: Tensor) -> Tensor:
        """Give log p of a row, as what the cells read (W) and as levels (W), float64 (n), after each of n pictures' rows above it (T, n, W)."""
        count = above.shape[1]
        before = torch.cat([torch.zeros_like(above[:1]), above])
        context, _ = self.context(before, self.zero_state(count))
        found = self.head(row.expand(count, -1), context[-1]).double().log_softmax(-1)
        return found.gather(-1, levels.expand(count, -1).unsqueeze(-1))[..., 0].sum(1)
