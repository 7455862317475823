"""What gives the probability of all that sounds at a step, by what the cells know: four heads, of which each sums to 1 over all steps that there can be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout
from recurra.nn.ragged import at_least_float32

Choose = Callable[[Tensor, Tensor], Tensor]
"""(logits (n, V), which rows of the batch (n)) → an id each (n)."""


class Decisions(NamedTuple):
    """Of frames (N, W): log p of each, how many decisions made it, and how many of these the likeliest choice has right; (N) each."""

    log_probs: Tensor
    count: Tensor
    right: Tensor


class Head(nn.Module, ABC):
    """Gives the probability of frames (N, W) int64 by contexts (N, C), and draws frames."""

    output: nn.Linear

    @torch.no_grad()
    def init_output_bias(self, frames: Tensor) -> None:
        """Begin with how often each choice comes in frames (N, W), whatever is known."""
        counts = self.count_choices(frames) + 0.5
        self.output.bias.copy_((counts / counts.sum()).log())

    @abstractmethod
    def count_choices(self, frames: Tensor) -> Tensor:
        """Count how often each choice of the output is made in frames (N, W)."""

    @abstractmethod
    def loss(self, context: Tensor, frames: Tensor) -> Tensor:
        """Give Σ −log p of all frames."""

    @abstractmethod
    def decide(self, context: Tensor, frames: Tensor) -> Decisions:
        """Give the probability of each frame, in float64."""

    @abstractmethod
    def draw(self, context: Tensor, choose: Choose, melody: Tensor | None) -> Tensor:
        """Draw a frame for each context (B, C): (B, W) int64.  melody: the highest key of each, from 1; 0: none is prescribed; None: of no row."""


class BernoulliHead(Head):
    """Each key by itself."""

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.output = nn.Linear(context, width)

    def count_choices(self, frames: Tensor) -> Tensor:
        return frames.sum(0)

    @torch.no_grad()
    def init_output_bias(self, frames: Tensor) -> None:
        shares = (self.count_choices(frames) + 0.5) / (len(frames) + 1)
        self.output.bias.copy_(shares.logit())

    def loss(self, context: Tensor, frames: Tensor) -> Tensor:
        logits = at_least_float32(linear(context, self.output.weight, self.output.bias))
        return F.binary_cross_entropy_with_logits(logits, frames.to(logits.dtype), reduction="sum")

    def decide(self, context: Tensor, frames: Tensor) -> Decisions:
        logits = linear(context, self.output.weight, self.output.bias).double()
        losses = F.binary_cross_entropy_with_logits(logits, frames.double(), reduction="none")
        right = ((logits > 0) == (frames > 0)).sum(1)
        return Decisions(-losses.sum(1), torch.full_like(right, frames.shape[1]), right)

    def draw(self, context: Tensor, choose: Choose, melody: Tensor | None) -> Tensor:
        logits = linear(context, self.output.weight, self.output.bias).double()
        rows = torch.arange(len(logits))
        frame = torch.stack([choose(torch.stack([-each, each], 1) / 2, rows) for each in logits.T], 1)
        if melody is not None:
            highest = melody.unsqueeze(1) - 1
            keys = torch.arange(frame.shape[1], device=frame.device)
            frame = torch.where(highest >= 0, (frame * (keys < highest)) | (keys == highest), frame)
        return frame


class SubsetHead(Head):
    """One softmax over all subsets of a few drums."""

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.output = nn.Linear(context, 1 << width)
        self.register_buffer("bits", 1 << torch.arange(width), persistent=False)
        self.bits: Tensor

    def count_choices(self, frames: Tensor) -> Tensor:
        return torch.bincount((frames * self.bits).sum(1), minlength=self.output.out_features)

    def loss(self, context: Tensor, frames: Tensor) -> Tensor:
        logits = at_least_float32(linear(context, self.output.weight, self.output.bias))
        return F.cross_entropy(logits, (frames * self.bits).sum(1), reduction="sum")

    def decide(self, context: Tensor, frames: Tensor) -> Decisions:
        logits = linear(context, self.output.weight, self.output.bias).double()
        wanted = (frames * self.bits).sum(1)
        log_probs = logits.log_softmax(1).gather(1, wanted[:, None])[:, 0]
        return Decisions(log_probs, torch.ones_like(wanted), (logits.argmax(1) == wanted).long())

    def draw(self, context: Tensor, choose: Choose, melody: Tensor | None) -> Tensor:  # noqa: ARG002  drums have none
        logits = linear(context, self.output.weight, self.output.bias)
        chosen = choose(logits, torch.arange(len(logits)))
        return (chosen[:, None] & self.bits > 0).long()


class SequentialHead(Head):
    """Decisions one after another, each given the context and those before it in the frame.

    h = relu(V c + b + Σ e(decision before))      h' = h + relu(W h + d)      logits = O h' + a
    """

    def __init__(self, context: int, decisions: int, choices: int, units: int, dropout: float) -> None:
        super().__init__()
        self.read = nn.Linear(context, units)
        self.embedding = nn.Embedding(decisions, units)
        self.hidden = nn.Linear(units, units)
        self.output = nn.Linear(units, choices)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=units**-0.5)

    def logits(self, read: Tensor, before: Tensor) -> Tensor:
        """Give logits (…, V) by what was read of the context and the sum of the vectors of the decisions before, (…, U) both."""
        h = self.dropout(torch.relu(read + before))
        h = self.dropout(h + torch.relu(linear(h, self.hidden.weight, self.hidden.bias)))
        return linear(h, self.output.weight, self.output.bias)


class VoiceHead(SequentialHead):
    """The voices one after another, the highest first; of each one of 88 keys, or silence."""

    def __init__(self, context: int, voices: int, keys: int, units: int, dropout: float) -> None:
        super().__init__(context, voices * (keys + 1), keys + 1, units, dropout)
        self.voices, self.choices = voices, keys + 1
        self.voice_bias = nn.Parameter(torch.zeros(voices, units))

    def count_choices(self, frames: Tensor) -> Tensor:
        return torch.bincount(frames.flatten(), minlength=self.choices)

    def _logits(self, context: Tensor, frames: Tensor) -> Tensor:
        slots = torch.arange(self.voices, device=frames.device) * self.choices
        vectors = self.embedding((frames + slots)[:, :-1]).cumsum(1)
        before = torch.cat([torch.zeros_like(vectors[:, :1]), vectors], 1) if self.voices > 1 else 0.0
        read = linear(context, self.read.weight, self.read.bias)
        return self.logits(read.unsqueeze(1), before + self.voice_bias)

    def loss(self, context: Tensor, frames: Tensor) -> Tensor:
        return F.cross_entropy(
            at_least_float32(self._logits(context, frames)).flatten(0, 1), frames.flatten(), reduction="sum"
        )

    def decide(self, context: Tensor, frames: Tensor) -> Decisions:
        logits = self._logits(context, frames).double()
        log_probs = logits.log_softmax(2).gather(2, frames.unsqueeze(2))[..., 0].sum(1)
        right = (logits.argmax(2) == frames).sum(1)
        return Decisions(log_probs, torch.full_like(right, self.voices), right)

    def draw(self, context: Tensor, choose: Choose, melody: Tensor | None) -> Tensor:
        read, rows = linear(context, self.read.weight, self.read.bias), torch.arange(len(context))
        before, chosen = torch.zeros_like(read), []
        for voice in range(self.voices):
            if voice == 0 and melody is not None:
                chosen.append(melody)
            else:
                chosen.append(choose(self.logits(read, before + self.voice_bias[voice]), rows))
            before = before + self.embedding(chosen[-1] + voice * self.choices)
        return torch.stack(chosen, 1)


class NoteHead(SequentialHead):
    """A set of keys from the highest down to the end, which may come at any time; a key is below the one before it.

    So each set is written in one way, and the probabilities of all sets sum to 1.
    """

    def __init__(self, context: int, keys: int, units: int, dropout: float) -> None:
        super().__init__(context, keys, keys + 1, units, dropout)
        self.keys = keys
        self.last = nn.Embedding(keys + 1, units)
        nn.init.normal_(self.last.weight, std=units**-0.5)

    def count_choices(self, frames: Tensor) -> Tensor:
        return torch.cat([frames.sum(0).flip(0), torch.tensor([len(frames)], device=frames.device)])

    def _flat(self, context: Tensor, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give of all decisions of all frames: masked logits (D, K + 1), what was decided (D), and the frame of each (D).

        Choice k is the k-th key from the top, and choice K the end.
        """
        held = frames.flip(1) > 0
        rows, choices = held.nonzero(as_tuple=True)
        counts = held.sum(1)
        place = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
        most = int(counts.max()) if len(counts) else 0
        decided = torch.full((len(frames), most + 1), self.keys, device=frames.device)
        decided[rows, place] = choices
        vectors = self.embedding(decided[:, :most].clamp(max=self.keys - 1))
        before = torch.cat([torch.zeros_like(vectors[:, :1]), vectors], 1) if most else None
        there = torch.arange(most + 1, device=frames.device) <= counts.unsqueeze(1)
        frame = there.nonzero(as_tuple=True)[0]
        last = torch.cat([torch.full_like(decided[:, :1], -1), decided[:, :-1]], 1)[there]
        read = linear(context, self.read.weight, self.read.bias)[frame]
        if before is not None:
            read = read + before.cumsum(1)[there]
        return self._masked(read, last), decided[there], frame

    def _masked(self, read: Tensor, last: Tensor) -> Tensor:
        logits = self.logits(read, self.last((last + 1).clamp(max=self.keys)))
        choices = torch.arange(self.keys + 1, device=last.device)
        return logits.masked_fill(choices <= last.unsqueeze(1), -torch.inf)

    def loss(self, context: Tensor, frames: Tensor) -> Tensor:
        logits, decided, _ = self._flat(context, frames)
        return F.cross_entropy(at_least_float32(logits), decided, reduction="sum")

    def decide(self, context: Tensor, frames: Tensor) -> Decisions:
        logits, decided, frame = self._flat(context, frames)
        logits = logits.double()
        found = logits.log_softmax(1).gather(1, decided[:, None])[:, 0]
        right = (logits.argmax(1) == decided).long()
        zeros, ones = torch.zeros(len(frames), dtype=torch.float64, device=frames.device), torch.ones_like(right)
        count = zeros.long().index_add(0, frame, ones)
        return Decisions(zeros.index_add(0, frame, found), count, zeros.long().index_add(0, frame, right))

    def draw(self, context: Tensor, choose: Choose, melody: Tensor | None) -> Tensor:
        read = linear(context, self.read.weight, self.read.bias)
        before, frame = torch.zeros_like(read), torch.zeros(len(read), self.keys, dtype=torch.int64, device=read.device)
        last = torch.full((len(read),), -1, device=read.device)
        rows = torch.arange(len(read), device=read.device)
        first = True
        while len(rows):
            chosen = choose(self._masked(read[rows] + before[rows], last[rows]), rows.cpu())
            if first and melody is not None:
                chosen = torch.where(melody[rows] > 0, self.keys - melody[rows], chosen)
            first = False
            last[rows] = chosen
            going = chosen < self.keys
            rows, chosen = rows[going], chosen[going]
            frame[rows, self.keys - 1 - chosen] = 1
            before[rows] = before[rows] + self.embedding(chosen)
        return frame
