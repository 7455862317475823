"""A trained classifier: the class of a text or series, alone, many at once, or after each of its elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.options import RankedOptions
from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.data import Split, reading_options
from recurra.tasks.classify.excerpts import encode_excerpts
from recurra.tasks.classify.explain import ClassifierExplainOptions, ClassOutput, explain_class
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.preprocessing import ClassifierPreprocessor, linear_pieces
from recurra.tasks.classify.results import class_probabilities, format_header, format_result, to_result
from recurra.tasks.classify.stream import ClassStream
from recurra.tasks.sequence.predictor import PREFIXES_PER_BATCH, SequencePredictor
from recurra.tasks.sequence.preprocessing import Preprocessor


class Classifier(SequencePredictor[ClassifierConfig]):
    """Predicts which class a whole text or series belongs to, with a probability for each.

    A result is {"text" or "series", "label" (or "labels"), "probabilities"}, with "steps" also the same after each element.
    """

    name = "classify"
    PredictOptions = RankedOptions
    ExplainOptions = ClassifierExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: ClassifierConfig) -> ClassifierPreprocessor:
        return ClassifierPreprocessor.load(folder, unit=config.data.unit)

    @classmethod
    def build_network(cls, config: ClassifierConfig, preprocessor: ClassifierPreprocessor) -> ClassifierNetwork:
        model = config.model
        layer = preprocessor.inputs.input_layer(model.embedding, noise=model.noise or 0.0, cell=model.cell)
        linear, multi_label = preprocessor.linear is not None, config.data.multi_label
        return ClassifierNetwork(layer, len(preprocessor.labels), model, multi_label=multi_label, linear=linear)

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

    @property
    def shares(self) -> tuple[float, float]:
        """What the logits of the network and of the linear classifier count in their sum."""
        network = cast(ClassifierNetwork, self.network)
        return network.linear_shares or (1.0, 0.0)

    def network_logits(self, encoded: Sequence[Any], *, exact: bool = True) -> np.ndarray:
        """Give the network's own logits of each encoded sequence, (N, C) float64."""
        rows = self.forward(encoded, exact=exact)
        logits = np.empty((len(rows), len(self.classes)))
        for number in range(len(rows)):  # each is given free at once: of thousands of classes all are gigabytes
            logits[number], rows[number] = rows[number], None
        return logits

    def logits(self, encoded: Sequence[Any], linear: np.ndarray | None, *, exact: bool = True) -> np.ndarray:
        """Give the logits of each encoded sequence, (N, C) float64; linear: those of the linear classifier, where there is one."""
        network, other = self.shares
        if linear is None:
            return self.network_logits(encoded, exact=exact)
        if not network:
            return other * linear.astype(np.float64)
        logits = self.network_logits(encoded, exact=exact)
        for own, others in zip(
            logits, linear, strict=True
        ):  # row by row: of thousands of classes each copy of all is gigabytes
            own[:] = network * own + other * others
        return logits

    def probabilities(self, split: Split, *, exact: bool = True) -> np.ndarray:
        """Give the probability of each class for each example, (N, C) float64."""
        logits = self.logits(split.encoded, split.linear, exact=exact)
        return class_probabilities(logits, multi_label=self.multi_label, out=logits)

    def network_probabilities(self, split: Split, *, exact: bool = True) -> np.ndarray:
        """Give the probability of each class by the network alone, (N, C) float64."""
        logits = self.network_logits(split.encoded, exact=exact)
        return class_probabilities(logits, multi_label=self.multi_label, out=logits)

    def run(self, sequences: Sequence[Any]) -> list[np.ndarray]:
        encoded = [self.inputs.encode(sequence) for sequence in sequences]
        encoded = encode_excerpts(sequences, encoded, self.preprocessor, self.config.model.excerpt)
        return list(self.logits(encoded, self.preprocessor.linear_logits(sequences)))

    def to_result(self, output: np.ndarray, sequence: Any, options: Any) -> dict[str, Any]:  # noqa: ARG002
        (probabilities,) = class_probabilities(output[None], multi_label=self.multi_label)
        return to_result(probabilities, self.classes, options.k, multi_label=self.multi_label)

    def forward_prefixes(self, sequence: Any) -> Iterator[np.ndarray]:
        linear = self.preprocessor.linear
        if linear is None or self.can_stream:
            yield from super().forward_prefixes(sequence)
            return
        (network, other), state = self.shares, linear.initial_state()
        outputs = self._prefix_outputs(sequence)
        for output, piece in zip(outputs, linear_pieces(self.inputs, sequence), strict=True):
            logits, state = linear.step(piece, state)
            yield network * output + other * logits

    def _prefix_outputs(self, sequence: Any) -> Iterator[np.ndarray]:
        """Give the network's own logits of what there is after each element, each prefix read by itself."""
        shown = (prefix.get("text") for prefix in self.inputs.prefixes_json(sequence))
        prefixes = zip(self.inputs.prefixes(sequence), shown, strict=True)
        while batch := list(islice(prefixes, PREFIXES_PER_BATCH)):
            encoded, texts = [one for one, _ in batch], [text for _, text in batch]
            yield from self.forward(encode_excerpts(texts, encoded, self.preprocessor, self.config.model.excerpt))

    def stream_outputs(self, sequence: Any) -> Iterator[np.ndarray]:
        return (output[0].double().cpu().numpy() for output in self.make_stream().feed_all(sequence))

    def make_stream(self) -> ClassStream:
        return ClassStream(self.preprocessor, cast(ClassifierNetwork, self.network))

    def explained(self, item: Any, options: ClassifierExplainOptions) -> Explained:
        """Give the log-odds of a class; see `explain.explain_class`."""
        (sequence,) = self.preprocess([item])
        network, excerpt = cast(ClassifierNetwork, self.network), self.config.model.excerpt
        output = ClassOutput(network, self.preprocessor, sequence, options, shares=self.shares, excerpt=excerpt)
        return explain_class(output, self.classes, options, multi_label=self.multi_label)

    def format_result(self, result: Mapping[str, Any]) -> str:
        return format_result(result)

    def format_header(self, result: Mapping[str, Any]) -> str | None:
        return format_header(result)
