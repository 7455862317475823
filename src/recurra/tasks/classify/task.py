"""The task `classify`: many to one, the class of a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.labelled.reader import Labelled
from recurra.errors import UsageError
from recurra.linear import linear_classifier
from recurra.metrics.calibration import fit_temperature
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.inference import evenly_spaced, to_device
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring
from recurra.tasks.base.task import CarriedState
from recurra.tasks.classify import evaluate, report
from recurra.tasks.classify.calibrate import default_share, fit_shares
from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.data import (
    Split,
    add_linear,
    balanced_weights,
    class_frequencies,
    encode,
    has_known_label,
    label_counts,
    read_dataset,
    take_excerpts,
)
from recurra.tasks.classify.defaults import choose_size
from recurra.tasks.classify.excerpts import DEFAULT_EXCERPT
from recurra.tasks.classify.network import ClassifierNetwork, summed_loss
from recurra.tasks.classify.predict import Classifier
from recurra.tasks.classify.preprocessing import ClassifierPreprocessor, linear_input
from recurra.tasks.sequence.data import Dataset
from recurra.tasks.sequence.preprocessing import Preprocessor, vector_size
from recurra.tasks.sequence.task import Batch, SequenceTask

MAX_LINEAR_CLASSES = 1500
"""Of more it would have no two texts of each within what it may hold (`linear.texts.MAX_VALUES`)."""
LINEAR_TIME_SHARE = 0.1
"""Share of the time for training that the linear classifier may take."""
LINEAR_SECONDS = 60.0
"""Time that it may take where there is no limit."""
MAX_LOGITS_FITTED = 2**24
"""By which is set how sure a network is: the logits of 1,600 examples of 10,000 classes, 128 MiB an array."""


@register_task
class ClassificationTask(SequenceTask[ClassifierConfig, Split]):
    """Trains a `Classifier`."""

    name = "classify"
    title = "Classifier"
    element = ("example", "examples")
    Config = ClassifierConfig
    Predictor = Classifier
    cli_examples = (
        "recurra train classify digits",
        "recurra train classify reviews.csv --text review --label sentiment --within 10m",
        "recurra train classify rt-polarity.pos rt-polarity.neg -o runs/movies",
        "recurra train classify GunPoint_TRAIN.ts --test GunPoint_TEST.ts --cell gru",
        "recurra train --resume runs/movies",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    @property
    def inputs(self) -> Preprocessor:
        return self.preprocessor.inputs

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of their numbers."""
        return self.preprocessor.labels

    @property
    def criterion(self) -> str:
        # Probabilities grow too sure long before the choices get worse, and `calibrate` mends them.
        if self.config.data.multi_label:
            return "micro_f1"
        return "balanced_accuracy" if self.config.model.class_weights == "balanced" else "accuracy"

    # Data

    def read_dataset(self, preprocessor: ClassifierPreprocessor | None) -> Dataset[Split]:
        return self._with_linear(read_dataset(self.config.data, preprocessor, self.given))

    def _with_linear(self, dataset: Dataset[Split]) -> Dataset[Split]:
        """Give the dataset with what a linear classifier, if there is one, says of what is held out, and chooses of long texts."""
        preprocessor, most = dataset.preprocessor, self.config.model.excerpt
        train = take_excerpts(dataset.train, preprocessor, most)
        held_out = (split and take_excerpts(split, preprocessor, most) for split in (dataset.valid, dataset.test))
        valid, test = (split and add_linear(split, preprocessor) for split in held_out)
        return replace(dataset, train=train, valid=valid, test=test)

    def encode(self, read: Labelled) -> Split:
        split = encode(read, self.preprocessor, self.config.data.multi_label)
        return add_linear(take_excerpts(split, self.preprocessor, self.config.model.excerpt), self.preprocessor)

    def count_dataset(self, dataset: Dataset[Split]) -> dict[str, int]:
        return super().count_dataset(dataset) | {"classes": len(self.classes)}

    def class_counts(self) -> dict[str, int]:
        return label_counts(self.dataset.train.targets, self.classes)

    # Training

    @property
    def _can_take_excerpts(self) -> bool:
        model = self.config.model
        return self.inputs.discrete and model.bidirectional and model.linear != "none"

    @property
    def reads_whole(self) -> bool:
        return not self._can_take_excerpts or self.config.model.excerpt == 0

    def fit_linear(self, seconds: float | None, progress: Callable[[str], None]) -> None:
        model = self.config.model
        if model.excerpt and not self._can_take_excerpts:
            raise UsageError(
                "excerpt: only of texts, read in both directions and with a linear classifier that chooses; "
                "leave it out, or set it to 0"
            )
        if model.excerpt is None:
            model.excerpt = DEFAULT_EXCERPT if self._can_take_excerpts else 0
        if model.linear == "none" or self.preprocessor.linear is not None:
            return
        if len(self.classes) > MAX_LINEAR_CLASSES:
            progress(f"the linear classifier is left out: it is for at most {MAX_LINEAR_CLASSES:,} classes")
            model.linear = "none"
            return
        if model.linear_seconds is None:
            model.linear_seconds = LINEAR_SECONDS if seconds is None else LINEAR_TIME_SHARE * seconds
        progress("fitting the linear classifier")
        linear, train = linear_classifier(self.inputs.kind)(), self.dataset.train
        weights = None
        if self.class_weights is not None and not self.config.data.multi_label:
            weights = self.class_weights.numpy()[train.targets]
        linear.fit(
            [linear_input(each) for each in train.sequences],
            train.targets,
            len(self.classes),
            weights=weights,
            seconds=model.linear_seconds,
        )
        self._preprocessor = replace(self.preprocessor, linear=linear)
        self._dataset = self._with_linear(replace(self.dataset, preprocessor=self._preprocessor))

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        model, inputs = self.config.model, self.inputs
        model.embedding = model.embedding or vector_size(inputs)
        return choose_size(model, len(self.dataset.train), text=inputs.discrete, words=inputs.reads_words)

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train))

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each class comes."""
        frequencies = class_frequencies(self.dataset.train.targets, len(self.classes))
        cast(ClassifierNetwork, network).init_output_bias(frequencies)
        return super().initialize(network)

    @cached_property
    def class_weights(self) -> Tensor | None:
        """What each class counts in the loss; None: 1."""
        if self.config.model.class_weights == "none":
            return None
        return balanced_weights(self.dataset.train.targets, len(self.classes))

    def batch(self, split: Split, indices: np.ndarray) -> Batch:
        encoded = [split.encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in encoded])
        return Batch(self.inputs.collate(encoded), lengths, torch.from_numpy(split.targets[indices]))

    def loss(
        self,
        network: nn.Module,
        batch: Batch,
        carried: CarriedState,  # noqa: ARG002
    ) -> tuple[Tensor, int, CarriedState]:
        device = next(network.parameters()).device
        logits = network(to_device(batch.inputs, device), batch.lengths)
        weights = None if self.class_weights is None else self.class_weights.to(device)
        loss = summed_loss(logits, batch.targets.to(device), weights, self.config.model.label_smoothing)
        return loss, len(batch.lengths), None

    def validate(self, predictor: Classifier) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        # By the network's own figures: in the sum a linear classifier that is nearly always right would hide them.
        metrics = evaluate.compute_metrics(predictor.network_probabilities(split, exact=False), split)
        wanted = dict.fromkeys((self.criterion, *evaluate.VALIDATION_METRICS))
        return {name: metrics[name] for name in wanted if name in metrics}

    def sample(self, predictor: Classifier, seed: int) -> str | None:  # noqa: ARG002
        return evaluate.preview_predictions(predictor, self.dataset.valid or self.dataset.train)

    # After training

    def calibrate(self, predictor: Classifier) -> None:
        """Set with which temperature, and with how much of the network, the validation examples are likeliest."""
        split, network = self.dataset.valid, cast(ClassifierNetwork, predictor.network)
        if split is None or not (known := np.flatnonzero(has_known_label(split))).size:
            if network.linear_shares is not None:
                cast(Tensor, network.shares).copy_(torch.tensor([default_share(len(self.dataset.train)), 1.0]))
            return
        temperature = cast(Tensor, network.temperature)
        temperature.fill_(1.0)
        # One or two numbers are found, from several arrays of all logits: of thousands of classes some examples say enough.
        chosen = known[evenly_spaced(len(known), max(1, MAX_LOGITS_FITTED // len(predictor.classes)))]
        logits = predictor.network_logits([split.encoded[place] for place in chosen])
        if split.linear is not None:
            shares = fit_shares(logits, split.linear[chosen].astype(np.float64), split.targets[chosen])
            cast(Tensor, network.shares).copy_(torch.tensor(shares))
            return
        multi_label = self.config.data.multi_label
        temperature.fill_(fit_temperature(logits, split.targets[chosen], multi=multi_label))

    def measure_split(self, predictor: Classifier, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
