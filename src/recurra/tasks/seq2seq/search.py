"""The likeliest sequences, or samples of them: beam search over batches, chance, and forced decoding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import FINISHED, Hypothesis, SearchOptions, beam_search, generate, row_generators, select_state
from recurra.errors import UsageError
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.decoder import PADDING, Decoder, Source
from recurra.text import Vocabulary

INPUTS_PER_BATCH = 64
MAX_LOGITS = 1 << 25
"""That are made at a time, of all hypotheses."""
MIN_SHARE_LEFT = 0.5
"""Share of the inputs of a batch that are still being written for, below which the others' memory is left behind."""


Watch = Callable[[np.ndarray], None]
"""Is called with the ids that the one sequence begins with by now."""


class Asked(NamedTuple):
    """What is looked for: at most `length` units more, after those of `prefix`.

    numbers: of the inputs (`content_number`), which fix what is drawn.  watch: where one sequence of one input is looked for, what sees it come.
    """

    options: SearchedOptions
    length: int
    prefix: np.ndarray
    numbers: Sequence[int]
    watch: Watch | None = None


def inputs_per_batch(options: SearchedOptions, vocabulary: Vocabulary) -> int:
    """Give for how many inputs is written at a time: as many as memory is good for."""
    rows = MAX_LOGITS // (vocabulary.size * max(options.beam, options.best))
    return max(1, min(INPUTS_PER_BATCH, rows))


def content_number(content: np.ndarray) -> int:
    """Give a number for an input, by what it holds: the same wherever it stands.

    >>> content_number(np.array([1, 2])) == content_number(np.array([1, 2])) != content_number(np.array([2, 1]))
    True
    """
    digest = hashlib.sha256(f"{content.shape} {content.dtype}".encode())
    digest.update(np.ascontiguousarray(content).data)
    return int.from_bytes(digest.digest()[:8], "little")


def collate(encoded: Sequence[np.ndarray], fill: int = 0) -> tuple[Tensor, Tensor]:
    """Put ids side by side: (T, B) int64, with `fill` behind the shorter ones, and their lengths (B)."""
    lengths = [len(ids) for ids in encoded]
    padded = np.full((max(lengths, default=0), len(encoded)), fill, np.int64)
    for row, ids in enumerate(encoded):
        padded[: len(ids), row] = ids
    return torch.from_numpy(padded), torch.tensor(lengths, dtype=torch.int64)


def teacher(vocabulary: Vocabulary, targets: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Give what the decoder reads, (T, B), and what it is to write, the end mark last and `PADDING` behind it."""
    read, _ = collate([np.concatenate([[vocabulary.bos_id], ids]) for ids in targets])
    written, _ = collate([np.append(ids, vocabulary.eos_id) for ids in targets], PADDING)
    return read, written


def forbidden(vocabulary: Vocabulary) -> list[int]:
    """List what is never written: the begin mark, and what stands for an unknown word."""
    return [id for id in (vocabulary.bos_id, vocabulary.unknown_id) if id is not None]


def find(decoder: Decoder, vocabulary: Vocabulary, source: Source, asked: Asked) -> list[list[Hypothesis]]:
    """Find the sequences of each input of a source, the best first; their ids begin with the prefix."""
    started = _read_prefix(decoder, vocabulary, source, asked.prefix)
    found = (_sampled if asked.options.sample else _searched)(decoder, vocabulary, source, asked, started)
    return [
        [replace(one, ids=np.concatenate([asked.prefix.astype(np.int64), one.ids])) for one in some] for some in found
    ]


class Started(NamedTuple):
    """Of each input: the state before the last unit of the prefix, that unit, how likely the prefix is, and how much was looked at
    each part of the input for it (P, S), None without attention."""

    state: tuple
    last: Tensor
    log_probs: list[float]
    looked: Tensor | None


def _read_prefix(decoder: Decoder, vocabulary: Vocabulary, source: Source, prefix: np.ndarray) -> Started:
    if vocabulary.unknown_id is not None and (prefix == vocabulary.unknown_id).any():
        raise UsageError("begin: expected what this run can write, got a word that it does not know")
    count, device = len(source.summary), source.summary.device
    state = decoder.initial_state(source)
    ids = torch.from_numpy(np.append(vocabulary.bos_id, prefix).astype(np.int64)).to(device)
    read = ids.unsqueeze(1).expand(-1, count)
    log_probs, looked = torch.zeros(count, dtype=torch.float64, device=device), None
    if len(prefix):
        decoded = decoder.decode(read[:-1].contiguous(), source, state)
        for step, ids in zip(decoded.read, read[1:], strict=True):
            log_probs += decoder.logits(step).double().log_softmax(-1).gather(1, ids[:, None])[:, 0]
        state = decoded.state
        looked = None if decoded.weights is None else decoded.weights.mean(2).double().sum(0)
    return Started(state, read[-1].contiguous(), log_probs.tolist(), looked)


def _searched(
    decoder: Decoder, vocabulary: Vocabulary, source: Source, asked: Asked, started: Started
) -> list[list[Hypothesis]]:
    options, first = asked.options, started.last
    live = _Inputs(source)
    padding = None if source.memory is None or not options.coverage_penalty else source.memory.padding.T  # (P, S)

    def step(last: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        layers, rows, looked = state
        decoded = decoder.decode(last.unsqueeze(0), live.of(rows), layers)
        if padding is not None and decoded.weights is not None:
            looked = looked + decoded.weights[0].mean(1).double()
        return decoder.logits(decoded.read[0]), (decoded.state, rows, looked)

    def adjust(state: tuple) -> Tensor:
        """Penalise what was not looked at (Wu et al. 2016, arXiv:1609.08144v2, equation 14)."""
        assert padding is not None
        share = state[2].clamp(min=1e-12, max=1.0).log().masked_fill(padding[state[1]], 0)
        return options.coverage_penalty * share.sum(1)

    wanted = SearchOptions(
        width=max(options.beam, options.best),
        length=asked.length,
        end=vocabulary.eos_id,
        length_penalty=options.length_penalty,
        count=options.best,
        enough=max(options.beam, options.best),
        before=len(asked.prefix),
        forbid=forbidden(vocabulary),
    )
    rows = torch.arange(len(first), device=first.device)
    steps = 0 if padding is None else padding.shape[1]
    looked = torch.zeros(len(first), steps, dtype=torch.float64, device=first.device)
    if started.looked is not None and steps:
        looked += started.looked
    watch = asked.watch
    return beam_search(
        step,
        (started.state, rows, looked),
        first,
        wanted,
        log_probs=started.log_probs,
        adjust=None if padding is None else adjust,
        watch=None if watch is None else lambda _, ids: watch(np.concatenate([asked.prefix, ids])),
    )


class _Inputs:
    """The inputs of which something is still being written."""

    def __init__(self, source: Source) -> None:
        self._source = source
        count = len(source.summary)
        self._place = torch.arange(count, device=source.summary.device)
        self._left = count
        self._last: tuple[Tensor, Source] | None = None

    def of(self, rows: Tensor) -> Source:
        """Give what rows are written from that belong to the inputs of numbers `rows`, in rising order."""
        if self._last is None or not torch.equal(rows, self._last[0]):
            self._last = rows, self._find(rows)
        return self._last[1]

    def _find(self, rows: Tensor) -> Source:
        left = torch.unique_consecutive(rows)
        if len(left) < self._left * MIN_SHARE_LEFT:
            chosen, memory = self._place[left], self._source.memory
            if memory is not None:
                memory = type(memory)(*(part.index_select(1, chosen) for part in memory))
            self._source = Source(memory, self._source.summary.index_select(0, chosen))
            self._place[left] = torch.arange(len(left), device=rows.device)
            self._left = len(left)
        return self._source.for_rows(self._place[rows])


def _sampled(
    decoder: Decoder, vocabulary: Vocabulary, source: Source, asked: Asked, started: Started
) -> list[list[Hypothesis]]:
    """Draw `best` sequences of each input; what is drawn depends on the seed, on the input and on the sample's number alone."""
    count, best, options = len(started.last), asked.options.best, asked.options
    rows = torch.arange(count, device=started.last.device).repeat_interleave(best)
    numbers = [(number, sample) for number in asked.numbers for sample in range(best)]
    drawn, written_from = options.sampling, source.for_rows(rows)

    def step(last: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        decoded = decoder.decode(last.unsqueeze(0), written_from, state)
        logits = decoder.logits(decoded.read[0])
        logs.append(logits.double().log_softmax(-1))
        return logits, decoded.state

    logs: list[Tensor] = []
    ids: list[list[int]] = [[] for _ in numbers]
    sums = [log_prob for log_prob in started.log_probs for _ in range(best)]
    steps = generate(
        step,
        select_state(started.state, rows),
        started.last[rows],
        length=asked.length,
        end=vocabulary.eos_id,
        sampling=drawn,
        generators=() if drawn.greedy else row_generators(options.seed or 0, numbers),
        forbid=forbidden(vocabulary),
    )
    for chosen in steps:
        shares = logs.pop()
        for row, id in enumerate(chosen.tolist()):
            if id != FINISHED:
                ids[row].append(id)
                sums[row] += float(shares[row, id])
        if asked.watch is not None:
            asked.watch(np.array([*asked.prefix, *ids[0]], np.int64))
    made = [
        Hypothesis(np.array(some, np.int64), log_prob, log_prob, some[-1:] == [vocabulary.eos_id])
        for some, log_prob in zip(ids, sums, strict=True)
    ]
    return [made[start : start + best] for start in range(0, len(made), best)]


def force(
    decoder: Decoder, vocabulary: Vocabulary, source: Source, targets: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Give log p of each unit of the targets and of their ends, one target for each input, and whether each would have been the likeliest."""
    device = source.summary.device
    read, written = teacher(vocabulary, targets)
    log_probs, hits = decoder.log_probs(source, read.to(device), written.to(device))
    counts = [len(target) + 1 for target in targets]
    return (
        [log_probs[:count, row].cpu().numpy() for row, count in enumerate(counts)],
        [hits[:count, row].cpu().numpy() for row, count in enumerate(counts)],
    )


def attention_weights(
    decoder: Decoder, vocabulary: Vocabulary, source: Source, target: np.ndarray
) -> np.ndarray | None:
    """Give how much each of S parts of the one input counted for each of T units written and for the end, the heads' mean (T, S)."""
    read, _ = teacher(vocabulary, [target])
    weights = decoder.decode(read.to(source.summary.device), source, decoder.initial_state(source)).weights
    return None if weights is None else weights[:, 0].mean(1).cpu().numpy()
