"""What takes part in `translate_peer.py`: ours, plain torch, and joeynmt's recurrent model, to be trained and to be asked for translations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from joeynmt.batch import Batch
from joeynmt.builders import build_gradient_clipper
from joeynmt.model import Model, build_model
from joeynmt.search import search
from joeynmt.vocabulary import Vocabulary
from torch import Tensor, nn

import recurra
from recurra.kernels import exact
from recurra.runs.config import configure
from recurra.tasks import get_task
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.decoder import PADDING
from recurra.tasks.seq2seq.search import Asked, collate, find
from recurra.tasks.translate.task import PairBatch
from recurra.training.step import TrainState

HIDDEN, EMBEDDING, VOCABULARY = 320, 256, 8_000
LEARNING_RATE, CLIP = 1e-3, 1.0
BEAM, UNITS_WRITTEN = 5, 20
LENGTH_PENALTY = 1.0
UNITS = {"vocabulary": VOCABULARY, "joint": True, "source": "de", "target": "en"}
SIZES = {"hidden": HIDDEN, "embedding": EMBEDDING, "dropout": 0.0, "label_smoothing": 0.0, "clip": CLIP}
PLAIN = {"layer_norm": False, "ema": 0.0}
OURS: dict[str, dict[str, Any]] = {
    "recurra": PLAIN,
    "recurra, input feed": {**PLAIN, "input_feed": True},
    "recurra, as it comes": {"dropout": 0.3, "label_smoothing": 0.1},
}
TORCH = ("torch, step by step", "torch, all steps at once")
PEER = "joeynmt"
JOEY: dict[str, dict[str, Any]] = {
    PEER: {},
    f"{PEER}, input feed": {"input_feeding": True},
    f"{PEER}, Bahdanau": {"attention": "bahdanau"},
    f"{PEER}, accelerate": {"accelerate": True},
}
MARKS = 2
"""The peer's ids of units are ours and so many more: it has one for an unknown unit, and one for padding."""
PAD = 1

TrainStep = Callable[[PairBatch], float]
"""Learn from a batch; gives the loss of a unit."""


def make_step(name: str, precision: str, folder: Path, unit: str) -> tuple[nn.Module, TrainStep]:
    """Make an entrant that learns, in a precision; folder: where the vocabulary lies, of that unit."""
    torch.manual_seed(1)
    if name in OURS:
        state = make_state(name, precision, folder, unit)

        def step(batch: PairBatch) -> float:
            total, count, _ = state.step(batch, LEARNING_RATE)
            return total / count

        return state.network, step
    if name in TORCH:
        return torch_step(Loop(VOCABULARY) if name == TORCH[0] else AllAtOnce(VOCABULARY), precision)
    model = joey(**JOEY[name])
    return model, joey_step(model, precision)


def make_state(name: str, precision: str, folder: Path, unit: str) -> TrainState:
    """Make our network in training."""
    units = {**UNITS, "source_unit": unit, "target_unit": unit}
    configuration = configure("translate", {"data": ["-"], **units, **SIZES, **OURS[name], "precision": precision})
    task = get_task("translate")(configuration.settings)
    task.restore(folder)
    return TrainState(task, configuration.training, precision)


def our_translations(state: TrainState, batches: list[list[np.ndarray]]) -> list[int]:
    """Search for translations of encoded sources as `Translator.predict` does; gives how many units each has.

    state: with `never_end`, as the peer has a least length.
    """
    options = SearchedOptions(beam=BEAM, length_penalty=LENGTH_PENALTY)
    vocabulary, network = state.task.preprocessor.target, state.network
    lengths = []
    with eval_mode(network), exact(required=False):
        for sources in batches:
            ids, counts = collate(sources)
            asked = Asked(options, UNITS_WRITTEN, np.zeros(0, np.int64), range(len(sources)))
            found = find(network.decoder, vocabulary, network.encode(ids, counts), asked)
            lengths += [len(some[0].ids) for some in found]
    return lengths


@torch.no_grad()
def never_end(state: TrainState) -> TrainState:
    """Let our network's translations go on to the most units that are asked for."""
    state.network.get_parameter("decoder.output_bias")[state.task.preprocessor.target.eos_id] = -1e4
    return state


class Loop(nn.Module):
    """The translator of PyTorch's own tutorial: an encoder that reads all, and a cell that is called for each unit, after its attention.

    Its scores are the general ones, since those are faster than the tutorial's additive ones; padding is read, as there, which is faster
    than packing; the output layer sees all steps at once, and no padding, and has the table of vectors for its weights.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(size, EMBEDDING)
        nn.init.normal_(self.table.weight, std=EMBEDDING**-0.5)
        self.encoder = nn.GRU(EMBEDDING, HIDDEN, bidirectional=True)
        self.bridge = nn.Linear(2 * HIDDEN, HIDDEN)
        self.key = nn.Linear(2 * HIDDEN, HIDDEN, bias=False)
        self.cell: nn.Module = nn.GRUCell(EMBEDDING + 2 * HIDDEN, HIDDEN)
        self.readout = nn.Linear(3 * HIDDEN, EMBEDDING)
        self.output_bias = nn.Parameter(torch.zeros(size))

    def forward(self, batch: PairBatch) -> Tensor:
        """Give Σ −log p of the targets."""
        values, last = self.encoder(self._vectors(batch.sources))
        hidden = torch.tanh(self.bridge(torch.cat([last[0], last[1]], 1)))
        padding = torch.arange(len(values)) >= batch.lengths.unsqueeze(1)  # (B, S)
        keys, values = self.key(values).permute(1, 2, 0), values.transpose(0, 1)  # (B, H, S), (B, S, 2H)
        read = torch.tanh(self.readout(self.decode(self._vectors(batch.read), hidden, keys, values, padding)))
        there = batch.written != PADDING
        logits = F.linear(read[there], self.table.weight, self.output_bias)
        return F.cross_entropy(logits.float(), batch.written[there], reduction="sum")

    def decode(self, x: Tensor, hidden: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> Tensor:
        """x (T, B, E) → the states and their contexts (T, B, 3H)."""
        made = []
        for vector in x:
            context = self.attend(hidden.unsqueeze(1), keys, values, padding)[:, 0]
            hidden = self.cell(torch.cat([vector, context], 1), hidden)
            made.append(torch.cat([hidden, context], 1))
        return torch.stack(made)

    @staticmethod
    def attend(queries: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> Tensor:
        """queries (B, T, H) → contexts (B, T, 2H)."""
        scores = (queries @ keys).masked_fill(padding.unsqueeze(1), -torch.inf)
        return scores.softmax(-1) @ values

    def _vectors(self, ids: Tensor) -> Tensor:
        return self.table(ids) * EMBEDDING**0.5


class AllAtOnce(Loop):
    """Our own network in torch.nn: a layer, the attention for all steps in one product, another layer."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.cell = nn.GRU(EMBEDDING, HIDDEN)
        self.upper = nn.GRU(3 * HIDDEN, HIDDEN)
        self.upper_bridge = nn.Linear(HIDDEN, HIDDEN)

    def decode(self, x: Tensor, hidden: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> Tensor:
        above = torch.tanh(self.upper_bridge(hidden))
        x, _ = self.cell(x, hidden.unsqueeze(0))
        context = self.attend(x.transpose(0, 1), keys, values, padding).transpose(0, 1)
        x, _ = self.upper(torch.cat([x, context], 2), above.unsqueeze(0))
        return torch.cat([x, context], 2)


def torch_step(network: nn.Module, precision: str) -> tuple[nn.Module, TrainStep]:
    """Train a network of torch.nn, with torch's fastest optimizer."""
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, fused=True)

    def step(batch: PairBatch) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = network(batch)
        optimizer.zero_grad(set_to_none=True)
        (loss / batch.units).backward()
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        return float(loss.detach()) / batch.units

    return network, step


def joey(*, attention: str = "luong", input_feeding: bool = False, accelerate: bool = False) -> Model:
    """Make joeynmt's recurrent model; one table for both sides, the output layer apart, which it cannot tie at these sizes."""
    layer = {"type": "recurrent", "rnn_type": "gru", "hidden_size": HIDDEN, "num_layers": 1, "dropout": 0.0}
    layer["embeddings"] = {"embedding_dim": EMBEDDING, "scale": False, "dropout": 0.0}
    choice = {"attention": attention, "input_feeding": input_feeding, "hidden_dropout": 0.0, "init_hidden": "bridge"}
    settings = {"tied_embeddings": True, "encoder": {**layer, "bidirectional": True}, "decoder": {**layer, **choice}}
    names = {"unk": 0, "pad": PAD, "bos": 2, "eos": 3}
    marks = {f"{name}_id": id for name, id in names.items()} | {f"{name}_token": f"<{name}>" for name in names}
    known = SimpleNamespace(**marks, sep_token=None, lang_tags=[])
    vocabulary = Vocabulary([str(id) for id in range(VOCABULARY - MARKS)], known)
    model = build_model(settings, vocabulary, vocabulary)
    model.loss_function = ("crossentropy", 0.0)
    if accelerate:
        recurra.accelerate(model)
    return model


def joey_step(model: Model, precision: str) -> TrainStep:
    """Train joeynmt's model as its `TrainManager` does, but with torch's fastest optimizer."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
    clip = build_gradient_clipper({"clip_grad_norm": CLIP, "clip_grad_val": None})
    assert clip is not None
    made: dict[int, tuple[PairBatch, Batch]] = {}

    def step(given: PairBatch) -> float:
        batch = made.setdefault(id(given), (given, joey_batch(given)))[1]
        model.train()
        batch.sort_by_src_length()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss, _, _, right = model(return_type="loss", **vars(batch))
        loss = batch.normalize(loss, normalization="tokens")
        loss.backward()
        total, _ = loss.item(), right.item()
        clip(parameters=model.parameters())
        optimizer.step()
        model.zero_grad()
        return total

    return step


def joey_batch(given: PairBatch) -> Batch:
    """Give the same pairs as joeynmt reads them."""
    behind = torch.arange(len(given.sources)).unsqueeze(1) >= given.lengths
    sources = (given.sources + MARKS).masked_fill(behind, PAD)
    targets = torch.cat([given.read[:1], given.written]) + MARKS  # what stands behind an end becomes its padding
    return _joey_batch(sources, given.lengths, targets.T.contiguous())


def _joey_batch(sources: Tensor, lengths: Tensor, targets: Tensor | None) -> Batch:
    order, places = torch.arange(len(lengths)), {"pad_index": PAD, "eos_index": 3, "device": torch.device("cpu")}
    return Batch(sources.T.contiguous(), lengths, None, targets, None, order, is_train=targets is not None, **places)


def joey_translations(model: Model, precision: str, batches: list[list[np.ndarray]]) -> list[int]:
    """Search for translations with joeynmt; gives how many units each has."""
    model.eval()
    lengths = []
    for given in batches:
        sources, counts = collate([ids + MARKS for ids in given], PAD)
        batch = _joey_batch(sources, counts, None)
        batch.sort_by_src_length()
        autocast = {"device_type": "cpu", "dtype": torch.bfloat16, "enabled": precision == "bfloat16"}
        found, _, _ = search(
            model,
            batch,
            UNITS_WRITTEN,
            BEAM,
            LENGTH_PENALTY,
            min_output_length=UNITS_WRITTEN,
            generate_unk=False,
            autocast=autocast,
        )
        lengths += (found != PAD).sum(1).tolist()
    return lengths
