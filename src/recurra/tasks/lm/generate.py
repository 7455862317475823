"""What a language model says: continuations of a prompt, the likeliest next units, the probability of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import FINISHED, Step, beam_search, generate, row_generators
from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.nn import State, map_state
from recurra.tasks.lm.native_generate import write_blocks, writes_natively
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import document_item, score_items
from recurra.tasks.lm.tokens import label
from recurra.text import Decoder

if TYPE_CHECKING:
    from recurra.tasks.lm.task import LanguageModel

SAMPLE_UNITS = 240
READ_AT_ONCE = 4096  # steps of a long prompt that are run in one call


@dataclass(frozen=True)
class Piece:
    """Text that has become certain: of which sample, and whether it was that sample's last."""

    sample: int
    text: str
    last: bool = False


@torch.inference_mode()
def read_prompt(task: LanguageModel, network: LanguageNetwork, prompt: str) -> tuple[Tensor, State]:
    """Read a prompt, and leave the network as it is used: without dropout.

    Gives the prompt's last id (1,), which is still to be fed, and the state before it; both are on the network's device.
    """
    network.eval()
    ids = np.concatenate(([task.context], task.vocabulary.encode(prompt))).astype(np.int64)
    read = torch.from_numpy(ids).to(next(network.parameters()).device)
    state = network.zero_state(1)
    with exact(required=False):
        for first in range(0, len(read) - 1, READ_AT_ONCE):
            chunk = read[first : min(first + READ_AT_ONCE, len(read) - 1)]
            _, state = network.stack(network.embedding(chunk.unsqueeze(1)), state)
    return read[-1:], state


def write_text(
    task: LanguageModel,
    network: LanguageNetwork,
    *,
    prompt: str = "",
    count: int = 1,
    length: int = 400,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Iterator[Piece]:
    """Go on from a prompt, `count` times at once; pieces of text come as they are made. Temperature 0 is argmax."""
    if count < 1:
        raise UsageError(f"count: expected at least one sample, got {count}")
    last, state = read_prompt(task, network, prompt)
    if count == 1 and writes_natively(network):
        blocks = write_blocks(
            network,
            state,
            int(last),
            length=length,
            end=task.end,
            generators=row_generators(seed, 1) if temperature > 0 else (),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            forbid=_forbidden(task),
        )
        return _pieces_of_one(task, blocks, task.vocabulary.decoder_after(prompt))
    rows = generate(
        _exact_step(network),
        map_state(lambda tensor: tensor.expand(count, -1).contiguous(), state),
        last.expand(count),
        length=length,
        end=task.end,
        generators=row_generators(seed, count) if temperature > 0 else (),
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        forbid=_forbidden(task),
    )
    return _pieces(task, rows, [task.vocabulary.decoder_after(prompt) for _ in range(count)])


def _exact_step(network: LanguageNetwork) -> Step:
    """One step whose result for a row does not depend on the others: of several texts each is the one that it is alone."""

    def step(ids: Tensor, state: State) -> tuple[Tensor, State]:
        with exact(required=False):
            return network.step(ids, state)

    return step


def _pieces(task: LanguageModel, rows: Iterator[np.ndarray], decoders: list[Decoder]) -> Iterator[Piece]:
    count = len(decoders)
    open_samples = set(range(count))
    for ids in rows:
        for sample in sorted(open_samples):
            if ids[sample] == FINISHED or ids[sample] == task.end:
                open_samples.discard(sample)
                yield Piece(sample, decoders[sample].flush(), last=True)
            elif text := decoders[sample].push(int(ids[sample])):
                yield Piece(sample, text)
    for sample in sorted(open_samples):
        yield Piece(sample, decoders[sample].flush(), last=True)


def _pieces_of_one(task: LanguageModel, blocks: Iterator[np.ndarray], decoder: Decoder) -> Iterator[Piece]:
    for block in blocks:
        ids = block.tolist()
        if ids[-1] == task.end:
            yield Piece(0, decoder.push_all(ids[:-1]) + decoder.flush(), last=True)
            return
        if text := decoder.push_all(ids):
            yield Piece(0, text)
    yield Piece(0, decoder.flush(), last=True)


def _forbidden(task: LanguageModel) -> list[int]:
    """The marks that must not be written: never the begin, and the end only where texts end."""
    return [task.vocabulary.begin] + ([task.vocabulary.end] if task.end is None else [])


def search_text(
    task: LanguageModel,
    network: LanguageNetwork,
    *,
    prompt: str = "",
    beam: int = 8,
    count: int = 1,
    length: int = 400,
    alpha: float = 0.6,
) -> list[dict[str, Any]]:
    """Find the likeliest continuations by beam search: `{"text", "log_prob", "score"}`, the best first."""
    last, state = read_prompt(task, network, prompt)
    found = beam_search(
        network.step,
        state,
        last,
        width=max(beam, count),
        length=length,
        end=task.end,
        alpha=alpha,
        count=count,
        forbid=_forbidden(task),
    )
    return [{"text": _after(task, prompt, h.ids), "log_prob": h.log_prob, "score": h.score} for h in found]


def _after(task: LanguageModel, prompt: str, ids: np.ndarray) -> str:
    decoder = task.vocabulary.decoder_after(prompt)
    return "".join([decoder.push(id) for id in ids.tolist()]) + decoder.flush()


def score_texts(task: LanguageModel, network: LanguageNetwork, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Give the probability of each text, and of each unit of it given those before; natural logarithms."""
    encoded = [task.vocabulary.encode(text) for text in texts]
    scored = score_items(network, [document_item(ids, task.context, task.end) for ids in encoded])
    return [
        _scored(task, text, ids, result.log_probs) for text, ids, result in zip(texts, encoded, scored, strict=True)
    ]


def _scored(task: LanguageModel, text: str, ids: np.ndarray, log_probs: np.ndarray) -> dict[str, Any]:
    starts = np.flatnonzero(task.vocabulary.starts(ids)).tolist()
    units: list[list[Any]] = []
    for first, last in pairwise([*starts, len(ids)]):
        shown = task.vocabulary.decode(ids[first:last])
        if not shown or "\ufffd" in shown:  # a part of a character: its bytes by their numbers
            shown = "".join(label(task.vocabulary, int(id)) for id in ids[first:last])
        units.append([shown, float(log_probs[first:last].sum())])
    if task.end is not None:
        units.append([label(task.vocabulary, task.end), float(log_probs[-1])])
    total = float(log_probs.sum())
    return {"text": text, "log_prob": total, "log_prob_per_unit": total / max(1, len(units)), "units": units}


@torch.inference_mode()
def next_units(task: LanguageModel, network: LanguageNetwork, text: str, k: int = 5) -> dict[str, Any]:
    """Give the k likeliest next units after a text: `{"text", "next": [[unit, probability], …]}`."""
    if k < 1:
        raise UsageError(f"k: expected at least one unit to show, got {k}")
    last, state = read_prompt(task, network, text)
    logits, _ = network.step(last, state)
    probabilities = logits[0].softmax(-1)
    top = probabilities.topk(min(k, task.vocabulary.size))
    pairs = [[label(task.vocabulary, int(i)), float(p)] for p, i in zip(top.values, top.indices, strict=True)]
    return {"text": text, "next": pairs}


def sample_text(task: LanguageModel, network: LanguageNetwork, seed: int) -> str:
    """Write a short sample, for a person who watches the training."""
    training = network.training
    text = "".join(piece.text for piece in write_text(task, network, length=SAMPLE_UNITS, temperature=0.8, seed=seed))
    network.train(training)
    return text


def gradient_lags(task: LanguageModel, network: LanguageNetwork, lags: int) -> list[float]:
    """Measure how far back the gradient reaches: ‖∂ loss_T / ∂ state‖ for the state that step T − k reads, k = 0 … lags.

    Lanes of the training text are read for lags + 1 steps, one step at a time so that each state can be asked; the norm is
    over all layers, states and lanes. A vanishing gradient falls by a factor with every step, an exploding one rises.
    """
    sequences = [ids for ids in task.examples.train.sequences if len(ids) > lags + 1]
    if not sequences:
        raise UsageError(f"gradient_lags: expected a text of more than {lags + 1} units, all are shorter")
    starts = np.linspace(0, len(sequences[0]) - lags - 2, 16).astype(int)
    lanes = np.stack([sequences[0][s : s + lags + 2] for s in starts], axis=1).astype(np.int64)
    ids = torch.from_numpy(lanes).to(next(network.parameters()).device)
    training = network.training
    network.eval()
    with torch.enable_grad():
        state = map_state(torch.Tensor.requires_grad_, network.zero_state(ids.shape[1]))
        states, logits = [], torch.empty(0)
        for t in range(lags + 1):
            states.append(state)
            logits, state = network.step(ids[t], state)
            # A view of its own for what the next step reads: a memory that its own output was made from is not asked twice.
            state = map_state(lambda tensor: tensor.view_as(tensor), state)
        loss = torch.nn.functional.cross_entropy(logits, ids[lags + 1])
        tensors = [tensor for state in states for layer in state for tensor in layer]
        gradients = torch.autograd.grad(loss, tensors)
    network.train(training)
    per_state = len(tensors) // len(states)
    squares = [float((g.double() ** 2).sum()) for g in gradients]
    norms = [sum(squares[first : first + per_state]) ** 0.5 for first in range(0, len(squares), per_state)]
    return norms[::-1]
