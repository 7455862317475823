"""A trained tagger: the tags of a sentence or series, alone, many at once, or after each of its elements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from recurra.arguments import checked
from recurra.data.labelled.tagged import Tagged, read_tagged
from recurra.kernels import exact
from recurra.metrics import marks_spans
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.inference import eval_mode, to_device
from recurra.tasks.base.options import RankedOptions
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.predictor import PREFIXES_PER_BATCH, SequencePredictor
from recurra.tasks.sequence.preprocessing import Preprocessor, WordPreprocessor
from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.data import reading_options
from recurra.tasks.tag.explain import TaggerExplainOptions, explain_tag
from recurra.tasks.tag.network import TaggerNetwork
from recurra.tasks.tag.results import Tagging, format_result, spans_to_json, to_result
from recurra.tasks.tag.stream import TagStream


class Tagger(SequencePredictor[TaggerConfig]):
    """Predicts what each word of a sentence or each step of a series is, with a probability for each tag.

    A result is {"tokens" or "series", "tags", "probabilities"}, and "spans" where the tags of words mark some; with "steps" also the
    same of all steps so far, after each of them.
    """

    name = "tag"
    PredictOptions = RankedOptions
    ExplainOptions = TaggerExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: TaggerConfig) -> LabelledPreprocessor:  # noqa: ARG003
        return LabelledPreprocessor.load(folder, unit="word")

    @classmethod
    def build_network(cls, config: TaggerConfig, preprocessor: LabelledPreprocessor) -> TaggerNetwork:
        model = config.model
        layer = preprocessor.inputs.input_layer(
            model.embedding,
            noise=model.noise or 0.0,
            cell=model.cell,
            characters_for="all",
            characters=(model.characters, model.characters),
        )
        return TaggerNetwork(layer, preprocessor.labels, model)

    @property
    def inputs(self) -> Preprocessor:
        return self.preprocessor.inputs

    @property
    def tags(self) -> list[str]:
        """The tags, in the order of their numbers."""
        return self.preprocessor.labels

    @property
    def tags_mark_spans(self) -> bool:
        """Whether the tags mark spans, as B-PER, I-PER and O do."""
        return marks_spans(self.tags)

    def read(self, files: Sequence[str], settings: dict[str, Any], *, labelled: bool = True) -> Tagged:
        return read_tagged(files, reading_options(self.config.data.model_copy(update=settings), labelled=labelled))

    # What a user hands over

    @checked
    def parse(self, line: str) -> Any:
        """Read a line: a sentence, cut as the training data is; a JSON list of words as it is; or a series."""
        if self.inputs.discrete and line.lstrip().startswith("["):
            try:
                words = json.loads(line)
            except (ValueError, RecursionError):
                words = None
            if isinstance(words, list) and all(isinstance(word, str) for word in words):
                return self.inputs.validate(words)
        return self._cut(self.inputs.parse(line))

    def preprocess(self, inputs: Sequence[Any]) -> list[Any]:
        return [self._cut(sequence) for sequence in super().preprocess(inputs)]

    def _cut(self, sequence: Any) -> Any:
        """Cut a text into its words; what is cut already, and a series, stays as it is."""
        return (
            cast(WordPreprocessor, self.inputs).vocabulary.tokenize(sequence) if isinstance(sequence, str) else sequence
        )

    # Predictions

    def outputs(self, inputs: Any, lengths: Tensor) -> list[Tagging]:
        return self._decode(self.network(inputs, lengths), lengths)

    def _decode(self, scores: Tensor, lengths: Tensor) -> list[Tagging]:
        """Give what scores (T, B, K) mean for each row."""
        network, tags = cast(TaggerNetwork, self.network), self.tags
        chosen = network.decode(scores, lengths)
        probabilities = network.probabilities(scores, lengths).double().cpu().numpy()
        return [
            Tagging([tags[number] for number in numbers], probabilities[: len(numbers), row])
            for row, numbers in enumerate(chosen)
        ]

    def describe(self, sequence: Any) -> dict[str, Any]:
        return {"tokens" if self.inputs.discrete else self.inputs.kind: self.inputs.to_json(sequence)}

    def to_result(self, output: Tagging, sequence: Any, options: Any) -> dict[str, Any]:
        result = to_result(output, self.tags, options.k)
        if self.tags_mark_spans and self.inputs.discrete:
            result["spans"] = spans_to_json(sequence, output.tags)
        return result

    def predict_prefixes(self, sequence: Any, options: Any) -> Iterator[dict[str, Any]]:
        for output in self.forward_prefixes(sequence):
            prefix = sequence[: len(output.tags)]
            yield {**self.describe(prefix), **self.to_result(output, prefix, options)}

    def stream_outputs(self, sequence: Any) -> Iterator[Tagging]:
        # The scores of a prefix are those of the whole, cut off; only which tags they make is found again for each.
        encoded = self.inputs.encode(sequence)
        with eval_mode(self.network) as device, exact(required=False):
            lengths = torch.tensor([len(encoded)])
            scores = self.network(to_device(self.inputs.collate([encoded]), device), lengths)  # (T, 1, K)
            for first in range(0, len(encoded), PREFIXES_PER_BATCH):
                ends = torch.arange(first, min(first + PREFIXES_PER_BATCH, len(encoded))) + 1
                yield from self._decode(scores[: ends[-1]].expand(-1, len(ends), -1), ends)

    def make_stream(self) -> TagStream:
        return TagStream(self.preprocessor, cast(TaggerNetwork, self.network))

    def explained(self, item: Any, options: TaggerExplainOptions) -> Explained:
        """Give the log-odds of a word's or a step's tag; see `explain.explain_tag`."""
        (sequence,) = self.preprocess([item])
        return explain_tag(cast(TaggerNetwork, self.network), self.preprocessor, sequence, options)

    def format_result(self, result: Mapping[str, Any]) -> str:
        return format_result(result)
