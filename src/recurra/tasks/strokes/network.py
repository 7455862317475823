"""The network of a model of drawings: cells that read a pen's steps, and a mixture of normal distributions for the next one."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from recurra.ink import DOWN, PENS
from recurra.nn import Dropout, Mixture, MixtureDensity, State, TextWindow, WindowState, mixture_nll
from recurra.nn.ragged import padding_mask
from recurra.tasks.base.network import build_stack
from recurra.tasks.strokes.batches import Batch, Given
from recurra.tasks.strokes.config import Condition, Model

FEATURES = 2 + PENS
"""Of a step that is read: dx, dy, whether the pen stayed down, was lifted, or nothing was drawn yet."""


class StrokeNetwork(nn.Module):
    """steps (T, B, 2) and pens (T, B) → what is known of each before it is read, a `Mixture` of (T, B, …).

    Step t reads step t − 1, before the first that there is none. By label the label's vector is read at each step too. By text the
    lowest layer also reads what the window showed a step before, and its output moves the window; the layers above read its output
    and what is shown then, and the mixture is made of what the lowest and the uppermost layer give (Graves 2013, section 5).
    """

    def __init__(self, names: int, condition: Condition, model: Model) -> None:
        super().__init__()
        if model.hidden is None:
            raise ValueError("hidden has to be chosen before the network is built")
        self.condition = condition
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.output_dropout = Dropout(behind, variational=model.variational)
        read = FEATURES + (0 if condition == "none" else model.embedding)
        self.names = nn.Embedding(names, model.embedding) if condition != "none" else None
        if condition == "text":
            lowest = model.model_copy(update={"layers": 1})
            self.stack = build_stack(lowest, read)
            self.window = TextWindow(model.hidden, model.embedding, model.window)
            upper = model.model_copy(update={"layers": max(1, model.layers - 1)})
            self.upper = build_stack(upper, model.hidden + read) if model.layers > 1 else None
            features = model.hidden + (model.hidden if self.upper is not None else model.embedding)
        else:
            self.stack, self.upper, self.window = build_stack(model, read), None, None
            features = self.stack.output_size
        self.density = MixtureDensity(features, model.components, PENS)

    def zero_state(self, batch: int) -> State:
        """Give the state before the first step: of the lowest layers, of those above, and where the window is."""
        state = self.stack.zero_state(batch)
        if self.window is None:
            return state
        upper = () if self.upper is None else self.upper.zero_state(batch)
        return (*state, *upper, tuple(self.window.initial_state(batch)))

    def start(self, batch: int) -> Tensor:
        """Give what is read before the first step, (B, F)."""
        first = self.density.weight.new_zeros(batch, FEATURES)
        first[:, -1] = 1
        return first

    def read(self, steps: Tensor, pens: Tensor) -> Tensor:
        """Give steps (…, 2) with pens (…) as what the cells read, (…, F)."""
        down = (pens == DOWN).to(steps.dtype)
        return torch.cat(
            [steps, down.unsqueeze(-1), (1 - down).unsqueeze(-1), torch.zeros_like(down).unsqueeze(-1)], -1
        )

    def forward(
        self, inputs: Tensor, state: State, given: Given, lengths: Tensor | None = None
    ) -> tuple[Mixture, State, Tensor | None]:
        """Read inputs (T, B, F); gives the mixtures, the state, and of a text where was looked, (T, B, S)."""
        inputs = self.input_dropout(inputs.to(self.density.weight.dtype))
        if self.window is not None:
            features, state, weights = self._over_text(inputs, state, given, lengths)
        else:
            if self.names is not None:
                named = self.names(cast(Tensor, given.labels))
                inputs = torch.cat([inputs, named.expand(len(inputs), *named.shape)], 2)
            features, state = self.stack(inputs, state, lengths)
            weights = None
        return self.density(self.output_dropout(features)), state, weights

    def _over_text(
        self, inputs: Tensor, state: State, given: Given, lengths: Tensor | None
    ) -> tuple[Tensor, State, Tensor]:
        window, names = cast(TextWindow, self.window), cast(nn.Embedding, self.names)
        texts = names(cast(Tensor, given.letters))  # (B, S, E)
        counts = cast(Tensor, given.letter_counts)
        below, above = state[: len(self.stack.layers)], state[len(self.stack.layers) : -1]
        place = WindowState(*state[-1])
        hidden, shown, looked = [], [], []
        for number, step in enumerate(inputs):
            output, below = self.stack(torch.cat([step, place.shown], 1).unsqueeze(0), below)
            moved, weights = window(output[0], place, texts, counts)
            if lengths is not None:  # a row that has ended stays where it is
                goes_on = (lengths > number).to(moved.places.device).unsqueeze(1)
                moved = WindowState(*(torch.where(goes_on, new, old) for new, old in zip(moved, place, strict=True)))
            place = moved
            hidden.append(output[0]), shown.append(place.shown), looked.append(weights)
        lowest, seen = torch.stack(hidden), torch.stack(shown)
        if self.upper is None:
            features = torch.cat([lowest, seen], 2)
        else:
            outputs, above = self.upper(torch.cat([lowest, inputs, seen], 2), above, lengths)
            features = torch.cat([lowest, outputs], 2)
        return features, (*below, *above, tuple(place)), torch.stack(looked)

    def of_batch(self, batch: Batch) -> tuple[Mixture, Tensor | None]:
        """Give what is known of each step of a batch before it is read, and where was looked."""
        read = self.read(batch.steps, batch.pens)
        inputs = torch.cat([self.start(len(batch)).unsqueeze(0).to(read), read[:-1]])
        mixture, _, weights = self(inputs, self.zero_state(len(batch)), batch.given, batch.lengths)
        return mixture, weights

    def loss(self, batch: Batch) -> Tensor:
        """Give Σ −log p of all points of a batch, nats."""
        mixture, _ = self.of_batch(batch)
        found = mixture_nll(mixture, batch.steps, batch.pens)
        return found.masked_fill(padding_mask(batch.lengths, found), 0).sum()

    def log_probs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Give log p of each step and of each pen state of a batch, (T, B) float64 each; what is past an end is of no meaning."""
        mixture, _ = self.of_batch(batch)
        exact = Mixture(*(part.double() for part in mixture))
        return exact.point_log_prob(batch.steps.double()), exact.class_log_prob(batch.pens)
