"""New strings, symbol by symbol, and the likeliest ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import FINISHED, SearchOptions, Step, beam_search, generate, row_generators, select_state
from recurra.kernels import exact
from recurra.nn import State
from recurra.tasks.base.chunks import TextChunk, sampling_of
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.options import DEFAULT_BEAM
from recurra.tasks.grammar.config import GenerateOptions
from recurra.tasks.grammar.network import GrammarNetwork
from recurra.tasks.grammar.preprocessing import MARK, StringPreprocessor

ROWS_PER_BATCH = 256
"""Strings that are written side by side."""


def write_strings(
    network: GrammarNetwork, preprocessor: StringPreprocessor, prompts: Sequence[str], options: GenerateOptions
) -> Iterator[TextChunk]:
    """Go on with each prompt `count` times; a string is fixed by its prompt, the seed and its number among those of its prompt."""
    read = [preprocessor.encode(preprocessor.split(prompt)) for prompt in prompts]
    return _write(network, preprocessor, read, options)


def _write(
    network: GrammarNetwork, preprocessor: StringPreprocessor, prompts: Sequence[np.ndarray], options: GenerateOptions
) -> Iterator[TextChunk]:
    for place, prompt in enumerate(prompts):
        for first in range(0, options.count, ROWS_PER_BATCH):
            rows = range(first, min(options.count, first + ROWS_PER_BATCH))
            generators = row_generators(options.seed or 0, options.count)[first : rows.stop]
            last, state = _prefill(network, prompt, len(rows))
            made = generate(
                legal_step(network),
                state,
                last,
                length=options.length,
                end=MARK,
                sampling=sampling_of(options),
                generators=generators,
                forbid=preprocessor.forbidden,
            )
            yield from _chunks(made, preprocessor, place * options.count + first, len(rows), spaced=bool(len(prompt)))


def draw_strings(
    network: GrammarNetwork, preprocessor: StringPreprocessor, count: int, seed: int, length: int
) -> list[list[str]]:
    """Write so many strings of at most so many symbols; one that does not end by then is as long as that."""
    strings: list[list[str]] = [[] for _ in range(count)]
    with eval_mode(network):
        for first in range(0, count, ROWS_PER_BATCH):
            generators = row_generators(seed, count)[first : first + ROWS_PER_BATCH]
            last, state = _prefill(network, np.zeros(0, np.int64), len(generators))
            steps = generate(legal_step(network), state, last, length=length, end=MARK, generators=generators, forbid=preprocessor.forbidden)  # fmt: skip
            for ids in steps:
                for row, number in enumerate(ids.tolist()):
                    if number not in (FINISHED, MARK):
                        strings[first + row].append(preprocessor.label(number))
    return strings


def legal_step(network: GrammarNetwork) -> Step:
    """Give a step whose result for a row depends on no other; only what counts as legal is written, where there is such a symbol."""

    def step(numbers: Tensor, state: State) -> tuple[Tensor, State]:
        with exact(required=False):
            logits, state = network(numbers.unsqueeze(0), state)
        legal = network.probabilities(logits[0]) >= network.threshold
        shares = network.log_shares(logits[0]).masked_fill(~legal & legal.any(-1, keepdim=True), -torch.inf)
        return shares, state

    return step


@torch.inference_mode()
def _prefill(network: GrammarNetwork, prompt: np.ndarray, rows: int) -> tuple[Tensor, State]:
    """Read a prompt; gives its last number, still to be fed, and the state before it, for so many rows."""
    network.eval()
    numbers = torch.from_numpy(np.concatenate([[MARK], prompt])).to(network.threshold.device)
    state = network.zero_state(1)
    if len(numbers) > 1:
        with exact(required=False):
            _, state = network.read(numbers[:-1].unsqueeze(1), state)
    places = torch.zeros(rows, dtype=torch.int64)
    return numbers[-1:].repeat(rows), select_state(state, places)


def _chunks(
    rows: Iterator[np.ndarray], preprocessor: StringPreprocessor, first: int, count: int, *, spaced: bool
) -> Iterator[TextChunk]:
    unfinished = dict.fromkeys(range(count), spaced)
    for ids in rows:
        for row in list(unfinished):
            number = int(ids[row])
            if number in (FINISHED, MARK):
                del unfinished[row]
                yield TextChunk(first + row, "", last=True)
                continue
            space = " " if preprocessor.words and unfinished[row] else ""
            unfinished[row] = True
            yield TextChunk(first + row, space + preprocessor.label(number))
    for row in unfinished:
        yield TextChunk(first + row, "", last=True)


def likeliest_strings(
    network: GrammarNetwork, preprocessor: StringPreprocessor, prompts: Sequence[str], options: GenerateOptions
) -> list[list[dict[str, Any]]]:
    """Find the likeliest continuations of each prompt by beam search: {"text", "log_prob", "score"}, the best first."""
    search = SearchOptions(
        width=options.beam or max(DEFAULT_BEAM, options.count),
        length=options.length,
        end=MARK,
        length_penalty=options.length_penalty or 0.0,
        count=options.count,
        forbid=preprocessor.forbidden,
    )
    results = []
    for prompt in prompts:
        last, state = _prefill(network, preprocessor.encode(preprocessor.split(prompt)), 1)
        (found,) = beam_search(legal_step(network), state, last, search)
        results.append([{"text": _text(preprocessor, prompt, one.ids), "log_prob": one.log_prob, "score": one.score} for one in found])  # fmt: skip
    return results


def _text(preprocessor: StringPreprocessor, prompt: str, ids: np.ndarray) -> str:
    text = preprocessor.join([preprocessor.label(number) for number in ids.tolist() if number != MARK])
    return f" {text}" if preprocessor.words and prompt and text else text
