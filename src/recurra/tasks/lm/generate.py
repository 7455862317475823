"""What a language model writes: continuations of prompts, drawn by chance or the likeliest of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import (
    FINISHED,
    SearchOptions,
    Step,
    beam_search,
    concat_states,
    generate,
    row_generators,
    select_state,
)
from recurra.kernels import exact
from recurra.nn import State
from recurra.tasks.base.chunks import TextChunk, sampling_of
from recurra.tasks.base.options import DEFAULT_BEAM, GenerateOptions
from recurra.tasks.lm.mixture import Mixture, mixed_step, mixture_of
from recurra.tasks.lm.native_generate import can_generate_natively, generate_blocks, packed_step
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.spelling import Spelling, has_spelling
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import Decoder

STEPS_PER_PREFILL = 4096
"""Steps of a long prompt that are run in one call."""
ROWS_PER_BATCH = 256
"""Samples or hypotheses that are made together, those of one prompt at least."""
DEFAULT_LENGTH_PENALTY = 0.6


@torch.inference_mode()
def prefill(network: LanguageNetwork, ids: np.ndarray, mixture: Mixture | None = None) -> tuple[Tensor, State]:
    """Read a prompt, (T,) as `TextPreprocessor.encode` gives it, and leave the network as it is used: without dropout.

    Gives the prompt's last id (1,), which is still to be fed, and the state before it; both are on the network's device, but for the
    places of the n-grams, which the state of a mixture has too.
    """
    network.eval()
    read = torch.from_numpy(ids).to(next(network.parameters()).device)
    state = network.zero_state(1)
    with exact(required=False):
        for first in range(0, len(read) - 1, STEPS_PER_PREFILL):
            chunk = read[first : min(first + STEPS_PER_PREFILL, len(read) - 1)]
            _, state = network.stack(network.embedding(chunk.unsqueeze(1)), state)
    if mixture is not None:
        table = mixture.table
        places = table.places(ids[:-1])[-1:] if len(ids) > 1 else table.start(1)
        state = (*state, (torch.from_numpy(places),))
    return read[-1:], state


def prefill_all(
    network: LanguageNetwork, prompts: Sequence[np.ndarray], rows_each: int = 1, mixture: Mixture | None = None
) -> tuple[Tensor, State]:
    """Read P prompts of any lengths; gives what `prefill` does, as a batch of P × `rows_each` rows, those of a prompt together."""
    last, states = zip(*(prefill(network, ids, mixture) for ids in prompts), strict=True)
    rows = torch.arange(len(prompts)).repeat_interleave(rows_each)
    return torch.cat(last).repeat_interleave(rows_each), select_state(concat_states(states), rows)


@dataclass(frozen=True)
class Writer:
    """What a text is written by: a step of the network, or of the mixture, and what is open of a character in each row.

    step, state: as `decoding.generate` takes them.  last: of each row, the id that is still to be fed.
    allowed: which ids may come next in a state; None: all that are not forbidden.
    """

    step: Step
    state: Any
    last: Tensor
    allowed: Callable[[Any], Tensor] | None


def make_writer(
    network: LanguageNetwork,
    preprocessor: TextPreprocessor,
    prompts: Sequence[np.ndarray],
    rows_each: int = 1,
    *,
    step: Step | None = None,
    packed: bool = False,
) -> Writer:
    """Read prompts, each to be continued in `rows_each` rows.

    step: of the network, by default one in exact mode.  packed: there is one row, and the engine takes its steps.
    """
    mixture, spelling = mixture_of(network, preprocessor), Spelling.of(preprocessor.vocabulary)
    last, state = prefill_all(network, prompts, rows_each, mixture)
    if packed:
        own = state if mixture is None else state[:-1]
        step, state = packed_step(network, own), state[len(own) :]
    mixed = mixed_step(exact_step(network) if step is None else step, mixture)
    if spelling is None:
        return Writer(mixed, state, last, None)
    opened = torch.tensor([spelling.open_after(ids[:-1]) for ids in prompts]).repeat_interleave(rows_each)

    def spelled(ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        logits, inner = mixed(ids, state[0])
        return logits, (inner, spelling.after[state[1], ids.cpu()].clamp(min=0))

    return Writer(spelled, (state, opened), last, lambda state: spelling.allowed(state[1]).to(last.device))


def exact_step(network: LanguageNetwork) -> Step:
    """Give a step whose result for a row does not depend on the others: of several texts each is the one that it is alone."""

    def step(ids: Tensor, state: State) -> tuple[Tensor, State]:
        with exact(required=False):
            return network.step(ids, state)

    return step


def generate_text(
    network: LanguageNetwork, preprocessor: TextPreprocessor, prompts: Sequence[str], options: GenerateOptions
) -> Iterator[TextChunk]:
    """Continue each prompt `count` times; chunks of text come as they are made.

    The samples are numbered through: those of the first prompt, of the second, and so on. A sample is fixed by its prompt, the
    seed and its number among those of its prompt, whatever other prompts there are. Without a seed that is 0.
    Raises `DataError` for a prompt that is no Unicode text, at the call.
    """
    encoded = [preprocessor.encode(prompt) for prompt in prompts]
    packed = len(prompts) == options.count == 1 and can_generate_natively(network)
    if packed and mixture_of(network, preprocessor) is None and not has_spelling(preprocessor.vocabulary):
        return _generate_one(network, preprocessor, prompts[0], encoded[0], options)
    return _generate_batches(network, preprocessor, prompts, encoded, options, packed=packed)


def _generate_one(
    network: LanguageNetwork, preprocessor: TextPreprocessor, prompt: str, ids: np.ndarray, options: GenerateOptions
) -> Iterator[TextChunk]:
    end, sampling = preprocessor.eos_id, sampling_of(options)
    (generator,) = row_generators(options.seed or 0, 1)
    last, state = prefill(network, ids)
    blocks = generate_blocks(
        network,
        state,
        int(last),
        length=options.length,
        end=end,
        sampling=sampling,
        generator=None if sampling.greedy else generator,
        forbid=preprocessor.forbidden,
    )
    decoder = preprocessor.vocabulary.decoder_after(prompt)
    for block in blocks:
        made = block.tolist()
        if made[-1] == end:
            yield TextChunk(0, decoder.push_all(made[:-1]) + flush_whole(decoder), last=True)
            return
        if text := decoder.push_all(made):
            yield TextChunk(0, text)
    yield TextChunk(0, flush_whole(decoder), last=True)


def _generate_batches(
    network: LanguageNetwork,
    preprocessor: TextPreprocessor,
    prompts: Sequence[str],
    encoded: Sequence[np.ndarray],
    options: GenerateOptions,
    *,
    packed: bool,
) -> Iterator[TextChunk]:
    sampling, count = sampling_of(options), options.count
    for batch in _batches(len(prompts), count):
        writer = make_writer(network, preprocessor, encoded[batch], count, packed=packed)
        rows = generate(
            writer.step,
            writer.state,
            writer.last,
            length=options.length,
            end=preprocessor.eos_id,
            sampling=sampling,
            generators=[one for _ in prompts[batch] for one in row_generators(options.seed or 0, count)],
            forbid=preprocessor.forbidden,
            allowed=writer.allowed,
        )
        decoders = [preprocessor.vocabulary.decoder_after(prompt) for prompt in prompts[batch] for _ in range(count)]
        yield from _chunks(rows, decoders, preprocessor.eos_id, batch.start * count)


def flush_whole(decoder: Decoder) -> str:
    """Give what is still held back, but for a character that is not whole."""
    return decoder.flush().rstrip("\ufffd")


def _batches(prompts: int, rows_each: int) -> Iterator[slice]:
    some = max(1, ROWS_PER_BATCH // rows_each)
    for first in range(0, prompts, some):
        yield slice(first, first + some)


def _chunks(
    rows: Iterator[np.ndarray], decoders: Sequence[Decoder], end: int | None, first: int
) -> Iterator[TextChunk]:
    """Give the text of the ids of each row as it becomes certain; first: the number of the first row's sample."""
    unfinished = dict(enumerate(decoders))
    for ids in rows:
        for row, decoder in list(unfinished.items()):
            if ids[row] == FINISHED or ids[row] == end:
                del unfinished[row]
                yield TextChunk(first + row, flush_whole(decoder), last=True)
            elif text := decoder.push(int(ids[row])):
                yield TextChunk(first + row, text)
    for row, decoder in unfinished.items():
        yield TextChunk(first + row, flush_whole(decoder), last=True)


def beam_search_text(
    network: LanguageNetwork, preprocessor: TextPreprocessor, prompts: Sequence[str], options: GenerateOptions
) -> list[list[dict[str, Any]]]:
    """Find the likeliest continuations of each prompt by beam search: `{"text", "log_prob", "score"}`, the best first."""
    encoded = [preprocessor.encode(prompt) for prompt in prompts]
    search = SearchOptions(
        width=options.beam or max(DEFAULT_BEAM, options.count),
        length=options.length,
        end=preprocessor.eos_id,
        length_penalty=DEFAULT_LENGTH_PENALTY if options.length_penalty is None else options.length_penalty,
        count=options.count,
        forbid=preprocessor.forbidden,
    )
    # Of several prompts none may depend on the others; one alone keeps the last bits that torch's own product gives it.
    step = network.step if len(prompts) == 1 else None
    results = []
    for batch in _batches(len(prompts), search.width):
        writer = make_writer(network, preprocessor, encoded[batch], step=step)
        found_all = beam_search(writer.step, writer.state, writer.last, search, allowed=writer.allowed)
        for prompt, found in zip(prompts[batch], found_all, strict=True):
            results.append(
                [
                    {"text": _after(preprocessor, prompt, one.ids), "log_prob": one.log_prob, "score": one.score}
                    for one in found
                ]
            )
    return results


def _after(preprocessor: TextPreprocessor, prompt: str, ids: np.ndarray) -> str:
    decoder = preprocessor.vocabulary.decoder_after(prompt)
    return decoder.push_all(ids.tolist()) + flush_whole(decoder)
