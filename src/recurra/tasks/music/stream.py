"""A model of music as a stream of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.arguments import checked
from recurra.decoding import Sampling, row_generators, sample
from recurra.errors import DataError
from recurra.kernels import exact
from recurra.nn import State
from recurra.stream import Stream
from recurra.tasks.music.network import MusicNetwork
from recurra.tasks.music.preprocessing import MusicPreprocessor


class MusicStream(Stream):
    """Reads music as it is played and knows what is likely next.

    stream = run.stream()
    stream.step([60, 64, 67])         # log p of what was played; of drums their numbers
    stream.likeliest()                # what is likeliest at the next step
    stream.draw(seed=3)               # or drawn, without reading it

    Its state has three more entries than the network's: what is known of the next step, (1, C), how many were read, and those of a bar.
    """

    def __init__(self, network: MusicNetwork, preprocessor: MusicPreprocessor, bar: int | None = None) -> None:
        self._network, self._preprocessor = network, preprocessor
        self._bar = preprocessor.bar if bar is None else bar
        network.eval()
        weight = next(network.parameters())
        nothing = weight.new_zeros(1, self._bar * preprocessor.width, dtype=torch.int64)
        with torch.inference_mode():
            context, state = self._read(nothing, network.zero_state(1), 0)
        count = torch.zeros(1, dtype=torch.int64, device=weight.device)

        def step(frame: Tensor, state: State) -> tuple[Tensor, State]:
            known, count, past = (part[0] for part in state[-3:])
            log_prob = self._network.head.decide(known, frame).log_probs
            past = torch.cat([past[:, frame.shape[1] :], frame], 1)
            context, after = self._read(past, state[:-3], int(count) + 1)
            return log_prob, (*after, (context,), (count + 1,), (past,))

        super().__init__(step, (*state, (context,), (count,), (nothing,)))

    def _read(self, past: Tensor, state: State, number: int) -> tuple[Tensor, State]:
        width = self._preprocessor.width
        before = past[:, -width:]
        if self._preprocessor.last_bar:
            before = torch.cat([before, past[:, :width]], 1)
        row = torch.from_numpy(self._preprocessor.conditions(number, number + 1, self._bar)).to(past.device)
        with exact(required=False):
            context, state = self._network.context(self._network.features(before, row).unsqueeze(0), state)
        return context[0], state

    def _check_element(self, element: Any) -> None:
        shape = (1, self._preprocessor.width)
        if not isinstance(element, Tensor) or element.shape != shape or element.dtype != torch.int64:
            raise DataError(f"expected a frame as a tensor {shape} of int64; step takes pitches")

    @checked
    def step(self, pitches: Any) -> float:
        """Read a step, its pitches or drums; gives its log-probability given all that was read before."""
        piece = self._preprocessor.check([list(pitches)], "the step")
        frame = torch.from_numpy(piece.frames.astype(np.int64)).to(self._state[-1][0].device)
        return float(self._advance(frame)[0])

    @checked
    def likeliest(self) -> list[int]:
        """Give what is likeliest at the next step, each decision by itself."""
        return self._draw(Sampling(temperature=0), 0)

    @checked
    def draw(self, temperature: float = 1.0, seed: int = 0) -> list[int]:
        """Draw the next step, without reading it."""
        return self._draw(Sampling(temperature), seed)

    def _draw(self, sampling: Sampling, seed: int) -> list[int]:
        generators = row_generators(seed, 1)
        with torch.inference_mode(), exact(required=False):
            frame = self._network.head.draw(
                self._state[-3][0], lambda logits, _: sample(logits, generators, sampling), None
            )
        return self._preprocessor.decode(frame[0].cpu().numpy())
