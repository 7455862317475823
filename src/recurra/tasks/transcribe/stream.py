"""A signal that is transcribed as it comes: what is likely so far, what of it is certain, and the final text at each end of an utterance."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from recurra.decoding import CtcHypothesis, PrefixBeam
from recurra.decoding.ctc import BLANK
from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.nn import can_be_packed, pack_once
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor
from recurra.tasks.transcribe.results import Writer
from recurra.tasks.transcribe.search import Searcher

SILENCE_BEFORE, SILENCE_BEHIND, LONGEST = 2.4, 1.2, 20.0
"""Seconds of silence at which an utterance is given up where nothing was said, and at which it ends where something was; and the most that it
can take: the rules of Kaldi and sherpa."""
STEPS_AT_ONCE = 256
"""Steps of a large piece that are read before it is seen whether an utterance has ended: behind an end all are read again."""


class GreedyPath:
    """The likeliest label of each step, as a search that is fed step by step; nothing that was written is given back."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._last, self._total = BLANK, 0.0

    def push(self, log_probs: np.ndarray) -> None:
        for row in log_probs.astype(np.float64):
            label = int(row.argmax())
            self._total += float(row[label])
            if label not in (BLANK, self._last):
                self._ids.append(label)
            self._last = label

    @property
    def best(self) -> list[int]:
        return self._ids[:]

    @property
    def stable(self) -> list[int]:
        return self._ids[:]

    def finish(self) -> list[CtcHypothesis]:
        return [CtcHypothesis(np.array(self._ids, np.int64), self._total, self._total)]


class PackedSteps:
    """Reads frames as they come, a step at a time, by weights that are packed once: in a fortieth of the time of the network's own step."""

    def __init__(self, network: TranscriberNetwork) -> None:
        threads = torch.get_num_threads()
        self._model = pack_once(network, network.stack, threads, lambda: network.packed(threads))
        self.reset()

    def reset(self) -> None:
        """Forget what was read."""
        self._feed = self._model.feed(np.zeros(self._model.state_size, np.float32))

    def read(self, frames: np.ndarray, steps: int) -> np.ndarray:
        """Read frames (n, F) that are so many steps; gives log-probabilities (steps, V)."""
        rows = np.ascontiguousarray(frames, np.float32).reshape(steps, -1)
        logits = np.empty((steps, self._model.outputs), np.float32)
        for place in range(steps):  # little stands around it: a live step takes 4 µs, as long as some calls of torch
            logits[place] = self._feed(rows[place])
        return torch.from_numpy(logits).log_softmax(-1).numpy()


class NetworkSteps:
    """The same by the network's own step, where it cannot be packed: on another device, or without the engine."""

    def __init__(self, network: TranscriberNetwork) -> None:
        self._network, self._device = network, network.output.weight.device
        self.reset()

    def reset(self) -> None:
        """Forget what was read."""
        self._state = self._network.stack.zero_state(1)

    @torch.inference_mode()
    def read(self, frames: np.ndarray, steps: int) -> np.ndarray:  # noqa: ARG002  the network counts them itself
        """Read frames (n, F) that are so many steps; gives log-probabilities (steps, V)."""
        with exact(required=False):
            inputs = torch.from_numpy(np.ascontiguousarray(frames, np.float32)).unsqueeze(1).to(self._device)
            found, self._state = self._network.step(inputs, self._state)
        return found[:, 0].cpu().numpy()


class TranscriptStream:
    """Transcribes a signal in pieces of any size; the log-probabilities are those of the whole, bit by bit where the engine is there.

    stream = run.stream()                     # of a run trained with --no-bidirectional
    stream.push(samples)                      # [{"type": "partial", "text": "se", "stable": "s", "time": 0.42}]
    stream.finish()                           # [{"type": "final", "text": "seven", "start": 0.0, "end": 0.6, …}]

    Of sounds a piece is samples (n,) float32, of pens a stroke (n, 2). `stable` is what every text that may still come begins with: it only
    grows until the final one. With `endpoints` an utterance ends by silence, else where `finish` is called.
    """

    def __init__(
        self,
        network: TranscriberNetwork,
        preprocessor: TranscriptPreprocessor,
        searcher: Searcher,
        step_frames: int,
        *,
        rate: int | None = None,
        endpoints: bool = True,
    ) -> None:
        if network.stack.bidirectional:
            raise UsageError("this run reads backwards too, which no stream can; train with --no-bidirectional")
        self._preprocessor, self._searcher = preprocessor, searcher
        self._step_frames = step_frames
        self._frames = preprocessor.signals.stream(rate)
        self._writer = Writer(network, preprocessor, step_frames)
        self._endpoints = endpoints and preprocessor.signals.seconds is not None
        network.eval()
        # Streams are of sounds and pens, whose frames stand side by side: no convolution is before the cells.
        self._steps = PackedSteps(network) if can_be_packed(network.stack) else NetworkSteps(network)
        self._waiting = np.zeros((0, preprocessor.signals.size), np.float32)
        self._steps_done = 0
        self._start_utterance()

    def _start_utterance(self) -> None:
        self._steps.reset()
        searcher = self._searcher
        self._search: PrefixBeam | GreedyPath = (
            GreedyPath() if searcher.greedy else PrefixBeam(searcher.search, searcher.language, searcher.lexicon)
        )
        self._pieces: list[np.ndarray] = []
        self._first, self._silent, self._spoken, self._shown = self._steps_done, 0, False, ("", "")

    @property
    def log_probs(self) -> np.ndarray:
        """What the network says of the utterance so far, (T', V)."""
        return np.concatenate([np.zeros((0, self._preprocessor.size), np.float32), *self._pieces])

    def push(self, piece: Any) -> list[dict[str, Any]]:
        """Read a piece; gives what is new: a final result where an utterance has ended, a partial one where the text so far is another."""
        self._waiting = np.concatenate([self._waiting, self._frames.push(np.asarray(piece, np.float32))])
        return self._read_waiting()

    def finish(self) -> list[dict[str, Any]]:
        """Read to the end; gives the last final result. The stream can then be fed another signal."""
        self._waiting = np.concatenate([self._waiting, self._frames.finish()])
        found = [event for event in self._read_waiting() if event["type"] == "final"]
        if len(self._waiting):
            missing = self._step_frames - len(self._waiting)
            whole = np.pad(self._preprocessor.normalised(self._waiting), ((0, missing), (0, 0)))
            self._waiting = self._waiting[:0]
            found += self._advance(whole)
        if self._pieces:
            found.append(self._final())
        self._start_utterance()
        return found

    def _read_waiting(self) -> list[dict[str, Any]]:
        whole = len(self._waiting) // self._step_frames * self._step_frames
        given, self._waiting = self._waiting[:whole], self._waiting[whole:].copy()
        found = self._advance(self._preprocessor.normalised(given))
        partial = self._partial() if whole else None
        return found if partial is None else [*found, partial]

    def _advance(self, frames: np.ndarray) -> list[dict[str, Any]]:
        """Read frames, as the network does; gives the final results of what has ended. Behind an end the network starts again."""
        found = []
        while len(frames):
            steps = min(len(frames) // self._step_frames, STEPS_AT_ONCE)
            log_probs = self._steps.read(frames[: steps * self._step_frames], steps)
            stop, ended = self._next_end(log_probs)
            self._search.push(log_probs[:stop])
            self._pieces.append(log_probs[:stop])
            self._steps_done += stop
            frames = frames[stop * self._step_frames :]
            if ended:
                if self._spoken:
                    found.append(self._final())
                self._start_utterance()
        return found

    def _next_end(self, log_probs: np.ndarray) -> tuple[int, bool]:
        """Give how many steps there are up to the end of an utterance, or in all, and whether it ends there."""
        if not self._endpoints:
            return len(log_probs), False
        seconds = self._writer.step_size
        for place, blank in enumerate((log_probs.argmax(1) == BLANK).tolist(), 1):
            self._silent = self._silent + 1 if blank else 0
            self._spoken = self._spoken or not blank
            length = (self._steps_done + place - self._first) * seconds
            most = SILENCE_BEHIND if self._spoken else SILENCE_BEFORE
            if self._silent * seconds >= most or length >= LONGEST:
                return place, True
        return len(log_probs), False

    def _partial(self) -> dict[str, Any] | None:
        decode = self._preprocessor.decode
        shown = decode(self._search.best), decode(self._search.stable)
        if shown == self._shown:
            return None
        self._shown = shown
        time = round(self._steps_done * self._writer.step_size, 3)
        return {"type": "partial", "text": shown[0], "stable": shown[1], "time": time}

    def _final(self) -> dict[str, Any]:
        best, size = self._search.finish()[0], self._writer.step_size
        result = self._writer.result("", [best], self.log_probs, several=False, times=False)
        words = self._writer.words(self.log_probs, best.ids)
        first = self._first * size
        return {
            "type": "final",
            "text": result["text"],
            "start": round(first, 3),
            "end": round(self._steps_done * size, 3),
            "confidence": result["confidence"],
            "log_prob": result["log_prob"],
            "words": self._writer.word_results(words, first),
        }
