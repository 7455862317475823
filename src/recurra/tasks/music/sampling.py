"""How likely music is, and music that is drawn step by step: new, going on with a piece, or below a melody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import Sampling, row_generators, sample, select_state
from recurra.kernels import exact
from recurra.music import Piece
from recurra.nn import State
from recurra.tasks.base.inference import eval_mode, run_in_batches
from recurra.tasks.base.options import SampledOptions
from recurra.tasks.music.batches import Excerpt, collate
from recurra.tasks.music.heads import Decisions
from recurra.tasks.music.network import MusicNetwork
from recurra.tasks.music.preprocessing import MusicPreprocessor

PIECES_PER_BATCH = 64


def decide(
    network: MusicNetwork, preprocessor: MusicPreprocessor, pieces: Sequence[Piece], *, in_exact_mode: bool = True
) -> list[Decisions]:
    """Give the probability of each step of each piece, given those before it; neither key nor tempo is read."""
    excerpts = [Excerpt(piece, 0, len(piece)) for piece in pieces]

    def run(indices: np.ndarray, device: torch.device) -> list[Decisions]:
        found: list[Decisions] = []
        for start in range(0, len(indices), PIECES_PER_BATCH):
            some = [excerpts[index] for index in indices[start : start + PIECES_PER_BATCH].tolist()]
            found += network.decide(collate(some, preprocessor).to(device))
        return found

    return run_in_batches(network, [len(piece) for piece in pieces], run, exact=in_exact_mode)


def express(network: MusicNetwork, preprocessor: MusicPreprocessor, pieces: Sequence[Piece]) -> list[Piece]:
    """Give drums as they are likely to be played: with a velocity and an offset for each hit."""
    excerpts = [Excerpt(piece, 0, len(piece), known=True) for piece in pieces]
    bare = replace(preprocessor, expression=False)

    def run(indices: np.ndarray, device: torch.device) -> list[Piece]:
        found = network.express(collate([excerpts[index] for index in indices.tolist()], bare).to(device))
        width = preprocessor.width
        return [
            replace(
                pieces[index],
                velocities=np.clip(values[:, :width].numpy(), 1 / 127, 1) * pieces[index].frames,
                offsets=np.clip(values[:, width:].numpy(), -0.5, 0.5) * pieces[index].frames,
            )
            for index, values in zip(indices.tolist(), found, strict=True)
        ]

    return run_in_batches(network, [len(piece) for piece in pieces], run)


def sampling_of(options: SampledOptions) -> Sampling:
    """Give how a decision is drawn, by what the user asks."""
    temperature = 1.0 if options.temperature is None else options.temperature
    return Sampling(temperature, options.top_k, options.top_p)


class Writer:
    """Music that grows step by step: `count` pieces side by side, each of its own chance.

    key, tempo: those that are asked for, or None.  bar: steps of a bar.
    """

    def __init__(
        self,
        network: MusicNetwork,
        preprocessor: MusicPreprocessor,
        count: int,
        bar: int,
        key: int | None,
        tempo: float | None,
    ) -> None:
        self._network, self._preprocessor = network, preprocessor
        self._conditions = (bar, key, tempo)
        self._state: State = network.zero_state(count)
        self._past = torch.zeros(count, bar, preprocessor.width, dtype=torch.int64, device=self._device)
        self._context: Tensor | None = None
        self.steps = 0
        """Steps that were read."""

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device

    def context(self) -> Tensor:
        """Give what is known of the next step, (B, C)."""
        if self._context is None:
            row = self._preprocessor.conditions(self.steps, self.steps + 1, *self._conditions)
            conditions = torch.from_numpy(row).to(self._device).expand(len(self._past), -1)
            before = self._past[:, -1]
            if self._preprocessor.last_bar:
                before = torch.cat([before, self._past[:, 0]], 1)
            features = self._network.features(before, conditions).unsqueeze(0)
            contexts, self._state = self._network.context(features, self._state)
            self._context = contexts[0]
        return self._context

    def read(self, frames: Tensor) -> None:
        """Read a step, (B, W) int64."""
        self.context()
        self._past, self._context = torch.cat([self._past[:, 1:], frames.unsqueeze(1)], 1), None
        self.steps += 1

    def take_rows(self, rows: Tensor) -> None:
        """Go on with these rows, each as often as it is named."""
        self._state, self._past = select_state(self._state, rows), self._past[rows]
        self._context = None if self._context is None else self._context[rows]

    def draw(self, sampling: Sampling, generators: Sequence[torch.Generator], melody: Tensor | None = None) -> Tensor:
        """Draw the next step of each piece, (B, W) int64, without reading it."""

        def choose(logits: Tensor, rows: Tensor) -> Tensor:
            return (
                sample(logits, [generators[row] for row in rows.tolist()], sampling) if generators else logits.argmax(1)
            )

        return self._network.head.draw(self.context(), choose, melody)


def compose(
    writer: Writer,
    given: np.ndarray,
    count: int,
    steps: int,
    sampling: Sampling,
    seed: int,
    *,
    melody: np.ndarray | None = None,
) -> np.ndarray:
    """Compose `count` pieces of `steps` steps that begin with given frames (R, W): uint8 (count, steps, W).

    writer: of one row, which has read nothing.  melody: the highest key of each step, from 1, 0 where none is prescribed.
    A piece is fixed by what is given, the seed and its number.
    """
    made = np.zeros((count, steps, given.shape[1]), np.uint8)
    made[:, : len(given)] = given
    generators = [] if sampling.greedy else row_generators(seed, count)
    with eval_mode(writer._network) as device, exact(required=False):
        for frame in given:
            writer.read(torch.from_numpy(frame.astype(np.int64)).to(device).unsqueeze(0))
        writer.context()
        writer.take_rows(torch.zeros(count, dtype=torch.int64, device=device))
        for step in range(len(given), steps):
            top = None if melody is None else torch.full((count,), int(melody[step]), device=device)
            frames = writer.draw(sampling, generators, top)
            made[:, step] = frames.cpu().numpy()
            writer.read(frames)
    return made


def next_steps(network: MusicNetwork, preprocessor: MusicPreprocessor, piece: Piece, *, each: bool) -> list[Any]:
    """Give the likeliest step after a piece, or after each beginning of it from none of it on; a frame (W,) each."""
    found = []
    with eval_mode(network) as device, exact(required=False):
        writer = Writer(network, preprocessor, 1, piece.bar, None, None)
        for number in range(len(piece) + 1):
            if each or number == len(piece):
                found.append(writer.draw(Sampling(temperature=0), [])[0].cpu().numpy())
            if number < len(piece):
                writer.read(torch.from_numpy(piece.frames[number].astype(np.int64)).to(device).unsqueeze(0))
    return found
