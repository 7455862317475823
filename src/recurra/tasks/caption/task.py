"""The task `caption`: one to many: a picture becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState, Phase
from recurra.tasks.caption import evaluate, report
from recurra.tasks.caption.batches import CaptionBatch, caption_batches, may_mirror
from recurra.tasks.caption.config import CaptionConfig, CaptionEvaluateOptions
from recurra.tasks.caption.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.caption.defaults import MIN_PICTURES_TO_PRETRAIN, choose_size
from recurra.tasks.caption.network import CaptionNetwork
from recurra.tasks.caption.predict import Captioner
from recurra.tasks.caption.preprocessing import CaptionPreprocessor
from recurra.tasks.caption.pretraining import WordFinding, choose_words

LEARNING_RATE = 0.001
PICTURES_AT_ONCE = 16
"""Pictures of a batch, each with its captions."""
PICTURES_TO_VALIDATE = 400
"""Of the validation part, each time while training: with all their captions they are as good a measure as all, and take less of the time."""
PICTURES = "pictures."
"""What the names of the weights begin with that are learnt before."""


@register_task
class CaptionTask(SplitTask[CaptionConfig, Dataset]):
    """Trains a `Captioner`."""

    name = "caption"
    title = "Captioner"
    element = ("word", "words")
    Config = CaptionConfig
    Predictor = Captioner
    cli_examples = (
        "recurra train caption captions.csv --images photos/ --within 30m",
        "recurra train caption captions.txt --images photos.zip --train-images train.txt --valid-images dev.txt --test-images test.txt",
        "recurra train caption captions.json --encoder resnet.onnx -o runs/photos",
        "recurra train --resume runs/photos",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    def __init__(self, config: CaptionConfig) -> None:
        super().__init__(config)
        self._pretrained: Mapping[str, Tensor] | None = None

    # Data

    def read_dataset(self, preprocessor: CaptionPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        pictures = {f"{name}_pictures": len(split) for name, split in dataset.splits.items()}
        return {
            **pictures,
            "train_captions": dataset.train.caption_count,
            "words": dataset.preprocessor.vocabulary.size,
        }

    @cached_property
    def _mirrored(self) -> np.ndarray:
        return may_mirror(self.dataset.train)

    # Beginning with what was learnt before

    @cached_property
    def _begins_with_words(self) -> bool:
        """Whether the convolutions are first taught to find words: not where all that is said is said of every picture."""
        train, most = self.dataset.train, self.config.model.content_words
        if not most or len(train) < MIN_PICTURES_TO_PRETRAIN or self.config.data.encoder:
            return False
        return bool(len(choose_words(train.encoded, self.preprocessor.vocabulary, most)))

    def pretraining(self) -> Phase | None:
        if not self._begins_with_words:
            return None
        self.choose_defaults(None, lambda: 0.0)
        first, model = WordFinding(self.config, self.dataset), self.config.model
        text = f"convolutions that find {len(first.words):,} words in {len(self.dataset.train):,} pictures"
        return Phase(first, text, model.pretraining_share, model.pretraining_epochs, "network")

    def take_pretrained(self, weights: Mapping[str, Tensor], epochs: float) -> None:
        self._pretrained = weights
        self.config.model.pretraining_epochs = epochs

    def layer_depths(self, network: nn.Module) -> dict[str, int]:
        if not self._begins_with_words:
            return {}
        return {name: int(name.startswith(PICTURES)) for name, _ in network.named_parameters()}

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        return choose_size(self.config.model, len(self.dataset.train))

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train), most=PICTURES_AT_ONCE, least=4)

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE

    def initialize(self, network: nn.Module) -> str | None:
        """Begin with the convolutions that were taught, and set the output's bias by how often each word comes."""
        network = cast(CaptionNetwork, network)
        if self._pretrained is not None:
            learnt = {name: one for name, one in self._pretrained.items() if name.startswith(PICTURES)}
            network.load_state_dict(network.state_dict() | learnt)
        vocabulary, train = self.preprocessor.vocabulary, self.dataset.train
        counts = np.ones(vocabulary.size)
        for ids in (ids for some in train.encoded for ids in some):
            np.add.at(counts, ids, 1.0)
        counts[vocabulary.eos_id] += train.caption_count
        network.decoder.init_output_bias(torch.from_numpy(counts / counts.sum()).float())
        return None

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[CaptionBatch]:
        vocabulary = self.preprocessor.vocabulary
        return caption_batches(
            self.dataset.train, self._mirrored, vocabulary, batch=batch, seed=seed, epoch=epoch, start=start
        )

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(self, network: nn.Module, batch: CaptionBatch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        network = cast(CaptionNetwork, network)
        device = next(network.parameters()).device
        source = network.encode(batch.pictures.to(device), batch.may_mirror)
        loss = network.loss(source, batch.rows.to(device), batch.read.to(device), batch.written.to(device))
        return loss, batch.units, None

    def validate(self, predictor: Captioner) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        return evaluate.likelihood(predictor, split.some(PICTURES_TO_VALIDATE), exact=False)

    def sample(self, predictor: Captioner, seed: int) -> str | None:  # noqa: ARG002
        return evaluate.preview(predictor, self.dataset.valid or self.dataset.train)

    # After training

    def read_split(
        self,
        predictor: Captioner,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,
    ) -> Split:
        images = (options or CaptionEvaluateOptions()).images
        return read_split(data, images, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: Captioner, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
