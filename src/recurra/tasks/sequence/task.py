"""What tasks over whole sequences have in common when they are trained: their data, their batches, their evaluation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Self, cast

import numpy as np
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.data.datasets.locate import resolve_files
from recurra.tasks.base.defaults import TEXT_LEARNING_RATE
from recurra.tasks.base.predictor import ConfigT
from recurra.tasks.base.split_task import SplitTask
from recurra.tasks.base.task import Phase
from recurra.tasks.base.transfer import PretrainedLayers, layer_depths, take_settings
from recurra.tasks.sequence.data import Batch, Dataset, SplitT, align_channels, check_lengths
from recurra.tasks.sequence.predictor import SequencePredictor
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.tasks.sequence.pretraining import Pretraining, encode_texts
from recurra.tasks.sequence.transfer import begin_with


class SequenceTask(SplitTask[ConfigT, Dataset[SplitT]], Generic[ConfigT, SplitT]):
    """A task that learns from whole texts or series."""

    maximize = True

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self.given: PretrainedLayers | None = None
        """Of the run to begin with."""
        self._pretrained: Mapping[str, Tensor] | None = None

    # What each task gives

    @abstractmethod
    def encode(self, read: Any) -> SplitT:
        """Turn what was read from other files into a split."""

    @abstractmethod
    def batch(self, split: SplitT, indices: np.ndarray) -> Batch:
        """Put some of the examples of a split side by side."""

    @property
    def inputs(self) -> Preprocessor:
        """How sequences become numbers."""
        return self.preprocessor

    @property
    def reads_whole(self) -> bool:
        """Whether the network reads all of each sequence, and no excerpts of long ones."""
        return True

    # Data

    def count_dataset(self, dataset: Dataset[SplitT]) -> dict[str, int]:
        return {f"{name}_examples": len(split) for name, split in dataset.splits.items()}

    # Beginning with what was learnt before

    def take_over(self, given: PretrainedLayers) -> None:
        sections = cast(Any, self.config)
        take_settings([sections.data, sections.model], given)
        self.given = given

    def pretraining(self) -> Phase | None:
        if not (unlabelled := self.dataset.unlabelled):
            return None
        if self.reads_whole:  # not only after hours on the others
            check_lengths([len(encoded) for encoded in self.dataset.train.encoded], self.dataset.train.places)
        self.choose_defaults(None, lambda: 0.0)
        data, train = cast(Any, self.config).data, self.dataset.train.sequences
        texts = encode_texts([*unlabelled, *train], self.inputs)
        first = Pretraining(self.config, texts, lambda: cast(Any, self.build_network()).body.encoder, self.given)
        text = f"a language model of {len(unlabelled):,} texts without labels and {len(train):,} with"
        return Phase(first, text, data.pretraining_share, data.pretraining_epochs)

    def take_pretrained(self, weights: Mapping[str, Tensor], epochs: float) -> None:
        self._pretrained = weights
        cast(Any, self.config).data.pretraining_epochs = epochs

    def layer_depths(self, network: nn.Module) -> dict[str, int]:
        sections = cast(Any, self.config)
        if not sections.model.from_run and not getattr(sections.data, "unlabelled", []):
            return {}
        return layer_depths(network, stack="body.stack.", layers=sections.model.layers, units="body.encoder.")

    def initialize(self, network: nn.Module) -> str | None:
        """Begin with what was learnt before, where there is something."""
        if self._pretrained is not None:
            own = network.state_dict()
            network.load_state_dict(
                own | {name: one for name, one in self._pretrained.items() if name.startswith(("body.", "pooling."))}
            )
        elif self.given is not None:
            return begin_with(cast(Any, network).body, self.inputs, self.given)
        return None

    # Training

    def default_learning_rate(self) -> float | None:
        return TEXT_LEARNING_RATE if self.inputs.discrete else None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.dataset.train
        lengths = [len(encoded) for encoded in train.encoded]
        check_lengths(lengths, train.places)
        for indices in batches_by_length(lengths, batch, seed=seed, epoch=epoch)[start:]:
            yield self.batch(train, indices)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def on_part(self, part: SplitT) -> Self | None:
        return None if part.unseen else super().on_part(part)  # of a label that training never saw there is no loss

    # After training

    def read_split(
        self,
        predictor: SequencePredictor,
        data: list[str],
        progress: Callable[[str], None],  # noqa: ARG002
        options: Any,  # noqa: ARG002
    ) -> SplitT:
        files, settings = resolve_files(data)
        return self.encode(align_channels(predictor.read(files, settings), self.inputs, data[0]))
