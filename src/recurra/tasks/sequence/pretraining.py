"""What comes before a training with labels: a language model of texts that have none, on the very layers that will read the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_by_length, inference_batches
from recurra.errors import DataError
from recurra.tasks.base.config import SequenceModel
from recurra.tasks.base.inference import eval_mode, to_device
from recurra.tasks.base.settings import Settings
from recurra.tasks.base.task import CarriedState, Task
from recurra.tasks.base.transfer import PretrainedLayers, layer_depths
from recurra.tasks.sequence.data import Batch, fingerprint
from recurra.tasks.sequence.language_network import NO_TARGET, LanguageEncoder
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.tasks.sequence.transfer import begin_with

MAX_STEPS = 128
"""Units of a piece that is read at once: of a longer text the state is not carried on."""
UNITS_TO_LEARN = 3e6
"""Units read after which the vectors and the cells have most of what these texts will give."""
MOST_PASSES = 10.0
VALID_SHARE = 0.05
MAX_VALIDATION_UNITS = 30_000
BATCH_SIZE = 32
LEARNING_RATE = 0.003
DROPOUT = 0.3
"""Of every kind: there are more texts than labels, and more is to be learnt of each."""
STEPS_PER_BATCH = 4_000
"""Units of a batch that is measured on, all of whose logits are made at once."""


@dataclass(frozen=True)
class Texts:
    """Texts to learn from, cut into pieces and encoded; preprocessor: how they became numbers."""

    train: list[Any]
    valid: list[Any] | None
    preprocessor: Preprocessor
    fingerprint: str
    notes: list[str]
    test: None = None


def encode_texts(sequences: Sequence[Any], inputs: Preprocessor) -> Texts:
    """Cut and encode texts, one in every few to validate on; raises `DataError` where there is nothing to learn."""
    texts = [inputs.pieces(inputs.encode(sequence), MAX_STEPS) for sequence in sequences]
    every = round(1 / VALID_SHARE)
    train = [piece for number, pieces in enumerate(texts) if number % every for piece in pieces if len(piece) > 1]
    valid, units = list[Any](), 0
    for pieces in texts[::every]:
        valid += [piece for piece in pieces if len(piece) > 1]
        units += sum(map(len, pieces))
        if units > MAX_VALIDATION_UNITS:
            break
    if not train:
        raise DataError("unlabelled: expected texts of two words or more to learn from, got none")
    digest = fingerprint([((sequence, ()) for sequence in sequences)], inputs)
    return Texts(train, valid or None, inputs, digest, [])


class Pretraining(Task[Settings, Texts]):
    """Trains the language model, whose `body.` weights another network begins with.

    config: of that network, with its sizes chosen.  build_layer() builds its input layer.  given: what the language model begins with.
    """

    name = "pretraining"
    title = "Language model to begin with"
    element = ("unit", "units")

    def __init__(
        self, config: Settings, texts: Texts, build_layer: Callable[[], Any], given: PretrainedLayers | None = None
    ) -> None:
        super().__init__(config)
        self.build_layer, self.given = build_layer, given
        self._dataset, self._preprocessor = texts, texts.preprocessor

    # Data

    def read_dataset(self, preprocessor: Any | None) -> Texts:  # noqa: ARG002
        return self.dataset

    def count_dataset(self, dataset: Texts) -> dict[str, int]:
        return {"train_units": sum(map(len, dataset.train)), "train_texts": len(dataset.train)}

    @property
    def model(self) -> SequenceModel:
        """The network's settings, but for dropout."""
        dropped = dict.fromkeys(("dropout", "input_dropout", "output_dropout"), DROPOUT)
        return cast(Any, self.config).model.model_copy(update=dropped)

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        return min(MOST_PASSES, max(1.0, UNITS_TO_LEARN / sum(map(len, self.dataset.train))))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return BATCH_SIZE

    def default_learning_rate(self) -> float:
        return LEARNING_RATE

    def build_network(self) -> nn.Module:
        layer = self.build_layer()
        counts = np.ones(layer.table.num_embeddings)
        for piece in self.dataset.train:
            ids = self.preprocessor.unit_ids(self.preprocessor.collate([piece])).numpy()
            np.add.at(counts, ids[ids != NO_TARGET], 1.0)
        pooling = getattr(self.model, "pooling", None)
        return LanguageEncoder(layer, self.model, torch.from_numpy(counts / counts.sum()), pooling)

    def initialize(self, network: nn.Module) -> str | None:
        return (
            None
            if self.given is None
            else begin_with(cast(LanguageEncoder, network).body, self.preprocessor, self.given)
        )

    def layer_depths(self, network: nn.Module) -> dict[str, int]:
        if self.given is None:
            return {}
        return layer_depths(network, stack="body.stack.", layers=self.model.layers, units="body.encoder.")

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.dataset.train
        for indices in batches_by_length([len(piece) for piece in train], batch, seed=seed, epoch=epoch)[start:]:
            yield self.batch([train[index] for index in indices])

    def batch(self, pieces: Sequence[Any]) -> Batch:
        """Put pieces side by side."""
        inputs = self.preprocessor.collate(pieces)
        lengths = torch.tensor([len(piece) for piece in pieces])
        return Batch(inputs, lengths, self.preprocessor.unit_ids(inputs))

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(
        self,
        network: nn.Module,
        batch: Batch,
        carried: CarriedState,  # noqa: ARG002
    ) -> tuple[Tensor, int, CarriedState]:
        device = next(network.parameters()).device
        loss, count = cast(LanguageEncoder, network).loss(
            to_device(batch.inputs, device), batch.lengths, batch.targets.to(device)
        )
        return loss, count, None

    def predictor(self, network: nn.Module) -> Any:
        """Give the network itself: nobody asks it anything but this task."""
        return network

    def validate(self, predictor: nn.Module) -> dict[str, float] | None:
        pieces = self.dataset.valid
        if pieces is None:
            return None
        total, count = 0.0, 0
        with eval_mode(predictor):
            for indices in inference_batches([len(piece) for piece in pieces], STEPS_PER_BATCH):
                loss, predicted, _ = self.loss(predictor, self.batch([pieces[index] for index in indices]), None)
                total, count = total + float(loss), count + predicted
        nll = total / max(1, count)
        return {"nll": nll, "perplexity": float(np.exp(min(nll, 700.0)))}

    def evaluate(
        self,
        predictor: nn.Module,
        data: list[str] | None,  # noqa: ARG002
        progress: Callable[[str], None],  # noqa: ARG002
        *,
        baselines: bool = True,  # noqa: ARG002
        options: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"task": self.name, "metrics": self.validate(predictor) or {}}
