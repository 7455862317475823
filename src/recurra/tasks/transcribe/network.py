"""The transcriber's network: frames are stacked or read by convolutions, then by cells; each step says which unit is there, or none."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from recurra.kernels import PackedModel, is_exact, linear
from recurra.nn import Dropout, State
from recurra.tasks.base.network import build_stack
from recurra.tasks.transcribe.config import Model

KERNEL = (3, 7)
"""Rows and columns that a convolution sees."""
STAGES = ((1, True), (2, True), (3, False))
"""Of each convolution its features, in units of the first one's, and whether the picture is halved both ways behind it."""


class StackedFrames(nn.Module):
    """Frames (T, B, F) → (⌈T / k⌉, B, k · F): k of them side by side, zeros behind the last."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.count, self.size = count, count * size

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        steps = -(-len(frames) // self.count)
        missing = steps * self.count - len(frames)
        if missing:
            frames = torch.cat([frames, frames.new_zeros(missing, *frames.shape[1:])])
        whole = frames.view(steps, self.count, *frames.shape[1:]).transpose(1, 2).reshape(steps, frames.shape[1], -1)
        return whole, (lengths + self.count - 1) // self.count


class LineConvolutions(nn.Module):
    """Columns of a line (W, B, H) → (⌈W / 4⌉, B, C · H / 4), by three convolutions, each normalised over the batch.

    What stands behind a line's width is paper again before each of them, so that a line is read alike whatever else is in the batch; exact,
    one line is computed at a time.
    """

    def __init__(self, height: int, channels: int) -> None:
        super().__init__()
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        before = 1
        for times, _ in STAGES:
            after = times * channels
            padding = (KERNEL[0] // 2, KERNEL[1] // 2)
            self.convolutions.append(nn.Conv2d(before, after, KERNEL, padding=padding, bias=False))
            self.norms.append(nn.BatchNorm2d(after))
            before = after
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.size = before * (height // 4)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if is_exact() and not self.training and frames.shape[1] > 1:
            made = [
                self(frames[:length, row : row + 1], lengths[row : row + 1])[0]
                for row, length in enumerate(lengths.tolist())
            ]
            return nn.utils.rnn.pad_sequence([one[:, 0] for one in made]), self.steps(lengths)
        values = frames.permute(1, 2, 0).unsqueeze(1)  # (B, 1, H, W)
        for convolution, norm, (_, halved) in zip(self.convolutions, self.norms, STAGES, strict=True):
            values = torch.relu(norm(convolution(values)))
            if halved:
                values, lengths = self.pool(values), (lengths + 1) // 2
            there = torch.arange(values.shape[3], device=values.device) < lengths.to(values.device).unsqueeze(1)
            values = values * there[:, None, None].to(values.dtype)
        return values.flatten(1, 2).permute(2, 0, 1), lengths

    @staticmethod
    def steps(lengths: Tensor) -> Tensor:
        """Give how many steps lines of so many columns have."""
        return ((lengths + 1) // 2 + 1) // 2


class TranscriberNetwork(nn.Module):
    """Frames (T, B, F) of lengths (B) → log-probabilities of each label at each step (T', B, V), and the steps of each row (B).

    frame_size: F.  labels: V.  convolutions: whether frames are columns of a picture.
    """

    def __init__(self, frame_size: int, labels: int, model: Model, *, convolutions: bool) -> None:
        super().__init__()
        if model.stack is None or model.channels is None:
            raise ValueError("stack and channels have to be chosen before the network is built")
        self.front: LineConvolutions | StackedFrames = (
            LineConvolutions(frame_size, model.channels) if convolutions else StackedFrames(model.stack, frame_size)
        )
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, self.front.size, bidirectional=model.bidirectional)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = nn.Linear(self.stack.output_size, labels)
        # Chosen by the validation part: what the language model counts, what is added for each unit, and how a word's
        # confidence follows from its probability.
        self.register_buffer("fusion", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("confidence", torch.tensor([1.0, 0.0], dtype=torch.float64))

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, steps = self.front(frames, lengths)
        y, _ = self.stack(self.input_dropout(x), self.stack.zero_state(x.shape[1]), steps)
        return self._log_probs(y), steps

    def _log_probs(self, y: Tensor) -> Tensor:
        y = self.output_dropout(y)
        return linear(y, self.output.weight, self.output.bias).float().log_softmax(-1)

    def step(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        """Read the next frames (n, 1, F) of a signal, n a multiple of what is read at a step: log-probabilities (n', 1, V), state."""
        x, _ = self.front(frames, torch.tensor([len(frames)]))
        y, state = self.stack(x, state)
        return self._log_probs(y), state

    def packed(self, threads: int = 1) -> PackedModel:
        """Pack what stands behind the front for one step of one signal at a time, as it is now and without dropout."""
        output = self.output.weight, self.output.bias
        return PackedModel(self.stack.packed_layers(), threads=threads, output=output)

    @property
    def fused(self) -> tuple[float, float]:
        """What the language model counts, and what is added for each unit."""
        weight, bonus = cast(Tensor, self.fusion).tolist()
        return weight, bonus
