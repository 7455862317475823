"""The network of a model of music: cells that read step by step, and a head for what sounds at the next one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.music import PITCHES
from recurra.nn import Dropout, State
from recurra.tasks.base.network import build_stack
from recurra.tasks.music.batches import Batch
from recurra.tasks.music.config import Model
from recurra.tasks.music.expression import ExpressionNetwork
from recurra.tasks.music.heads import BernoulliHead, Decisions, Head, NoteHead, SubsetHead, VoiceHead
from recurra.tasks.music.preprocessing import MusicPreprocessor


class MusicNetwork(nn.Module):
    """frames before (T, B, W or 2·W), conditions (T, B, K) → contexts (T, B, C), by which the head knows each frame."""

    def __init__(self, preprocessor: MusicPreprocessor, model: Model) -> None:
        super().__init__()
        if model.hidden is None or model.head_units is None:
            raise ValueError("hidden and head_units have to be chosen before the network is built")
        self.kind, self.width = preprocessor.kind, preprocessor.width
        each = PITCHES + 1 if self.kind == "voices" else 1
        size = preprocessor.read_width * each + preprocessor.condition_size
        before, between, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, size)
        self.output_dropout = Dropout(behind, variational=model.variational)
        context = self.stack.output_size + size
        self.expression = None
        if preprocessor.expression:
            self.expression = ExpressionNetwork(
                self.width + preprocessor.condition_size, self.width, model.head_units, between
            )
        self.head: Head
        if self.kind == "drums":
            self.head = SubsetHead(context, self.width)
        elif self.kind == "voices":
            self.head = VoiceHead(context, self.width, PITCHES, model.head_units, between)
        elif model.head == "joint":
            self.head = NoteHead(context, self.width, model.head_units, between)
        else:
            self.head = BernoulliHead(self.stack.output_size, self.width)

    def zero_state(self, batch: int) -> State:
        """Give the state before the first step."""
        return self.stack.zero_state(batch)

    def features(self, before: Tensor, conditions: Tensor) -> Tensor:
        """Give what the cells read, (…, I)."""
        if self.kind == "voices":
            before = F.one_hot(before, PITCHES + 1).flatten(-2)
        return torch.cat([before.to(conditions.dtype), conditions], -1)

    def context(self, features: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Read features (T, B, I); gives what the head knows at each step, (T, B, C), and the state."""
        outputs, state = self.stack(self.input_dropout(features), state, lengths)
        outputs = self.output_dropout(outputs)
        if isinstance(self.head, BernoulliHead):
            return outputs, state
        return torch.cat([outputs, features.to(outputs)], 2), state

    def _contexts(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Give contexts and frames of all steps that there are, (N, C) and (N, W), and where they stand, (T, B) bool."""
        features = self.features(batch.before, batch.conditions)
        contexts, _ = self.context(features, self.zero_state(features.shape[1]), batch.lengths)
        there = (torch.arange(len(features)).unsqueeze(1) < batch.lengths).to(contexts.device)
        return contexts[there], batch.frames[there], there

    def loss(self, batch: Batch) -> Tensor:
        """Give Σ −log p of all frames, and of how their hits are played, where that is learnt."""
        contexts, frames, _ = self._contexts(batch)
        loss = self.head.loss(contexts, frames)
        if self.expression is None or batch.played is None:
            return loss
        features = self.features(batch.frames, batch.conditions)
        return loss + self.expression.loss(features, batch.frames, batch.played, batch.lengths)

    def express(self, batch: Batch) -> list[Tensor]:
        """Give for each piece of the batch how its hits are played, (T, 2·W) on the CPU; only where that was learnt."""
        if self.expression is None:
            raise ValueError("this network has not learnt how drums are played")
        found = self.expression(self.features(batch.frames, batch.conditions), batch.lengths)
        return [found[:length, at].float().cpu() for at, length in enumerate(batch.lengths.tolist())]

    def decide(self, batch: Batch) -> list[Decisions]:
        """Give for each piece of the batch what `Head.decide` gives of its frames, on the CPU."""
        contexts, frames, there = self._contexts(batch)
        found = self.head.decide(contexts, frames)
        whole = [torch.zeros(there.shape, dtype=each.dtype, device=each.device) for each in found]
        for table, each in zip(whole, found, strict=True):
            table[there] = each
        lengths = batch.lengths.tolist()
        return [Decisions(*(table[:length, at].cpu() for table in whole)) for at, length in enumerate(lengths)]
