"""A trained classifier: the class of a text or series, alone, many at once, or after each of its elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.tasks.base.options import RankedOptions
from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.data import reading_options
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.results import class_probabilities, format_header, format_result, to_result
from recurra.tasks.classify.stream import ClassStream
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.predictor import SequencePredictor
from recurra.tasks.sequence.preprocessing import Preprocessor


class Classifier(SequencePredictor[ClassifierConfig]):
    """Predicts which class a whole text or series belongs to, with a probability for each.

    A result is {"text" or "series", "label" (or "labels"), "probabilities"}, with "steps" also the same after each element.
    """

    name = "classify"
    PredictOptions = RankedOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: ClassifierConfig) -> LabelledPreprocessor:
        return LabelledPreprocessor.load(folder, unit=config.data.unit)

    @classmethod
    def build_network(cls, config: ClassifierConfig, preprocessor: LabelledPreprocessor) -> ClassifierNetwork:
        model = config.model
        layer = preprocessor.inputs.input_layer(model.embedding, noise=model.noise or 0.0, cell=model.cell)
        return ClassifierNetwork(layer, len(preprocessor.labels), model, multi_label=config.data.multi_label)

    @property
    def inputs(self) -> Preprocessor:
        return self.preprocessor.inputs

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of their numbers."""
        return self.preprocessor.labels

    @property
    def multi_label(self) -> bool:
        """Whether an example may have several labels."""
        return self.config.data.multi_label

    def read(self, files: Sequence[str], settings: dict[str, Any], *, labelled: bool = True) -> Labelled:
        return read_labelled(files, reading_options(self.config.data.model_copy(update=settings), labelled=labelled))

    def outputs(self, inputs: Any, lengths: Tensor) -> list[np.ndarray]:
        return list(self.network(inputs, lengths).double().cpu().numpy())

    def logits(self, encoded: Sequence[Any], *, exact: bool = True) -> np.ndarray:
        """Give the logits of each encoded sequence, (N, C) float64."""
        rows = self.forward(encoded, exact=exact)
        return np.stack(rows) if rows else np.zeros((0, len(self.classes)))

    def probabilities(self, encoded: Sequence[Any], *, exact: bool = True) -> np.ndarray:
        """Give the probability of each class for each encoded sequence, (N, C) float64."""
        return class_probabilities(self.logits(encoded, exact=exact), multi_label=self.multi_label)

    def to_result(self, output: np.ndarray, sequence: Any, options: Any) -> dict[str, Any]:  # noqa: ARG002
        (probabilities,) = class_probabilities(output[None], multi_label=self.multi_label)
        return to_result(probabilities, self.classes, options.k, multi_label=self.multi_label)

    def stream_outputs(self, sequence: Any) -> Iterator[np.ndarray]:
        return (output[0].double().cpu().numpy() for output in self.make_stream().feed_all(sequence))

    def make_stream(self) -> ClassStream:
        return ClassStream(self.preprocessor, cast(ClassifierNetwork, self.network))

    def format_result(self, result: Mapping[str, Any]) -> str:
        return format_result(result)

    def format_header(self, result: Mapping[str, Any]) -> str | None:
        return format_header(result)
