"""A trained embedder: the vectors of texts or series, and how these lie to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from recurra.arguments import checked
from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.errors import DataError
from recurra.tasks.base.explanation import Explained
from recurra.tasks.embed.clustering import cluster, nearest_neighbours
from recurra.tasks.embed.config import EmbedderConfig, PredictOptions
from recurra.tasks.embed.data import reading_options
from recurra.tasks.embed.explain import EmbedderExplainOptions, explain_similarity
from recurra.tasks.embed.network import NETWORKS, EmbedderNetwork
from recurra.tasks.embed.results import format_header, format_result, neighbours_to_json, to_result
from recurra.tasks.embed.stream import VectorStream
from recurra.tasks.embed.targets import Targets, build_targets
from recurra.tasks.sequence.predictor import SequencePredictor
from recurra.tasks.sequence.preprocessing import Preprocessor, load_preprocessor


class Embedder(SequencePredictor[EmbedderConfig]):
    """Gives each text or series a vector, near those of the sequences that are like it.

    A result is {"text" or "series", "vector"}, with "steps" also the same after each element. With the option cluster it has
    "cluster", a number from 1, the largest first, or None for one that belongs to none: by k-means for a number of clusters, by
    HDBSCAN for "auto". With neighbours it has "neighbours", so many of the others, the nearest first, each with its "number"
    (from 1, in the order of the inputs) and "distance". Both are of the inputs of one call: a run does not keep the data that it
    learnt from.
    """

    name = "embed"
    PredictOptions = PredictOptions
    ExplainOptions = EmbedderExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: EmbedderConfig) -> Preprocessor:
        return load_preprocessor(folder, unit=config.data.unit)

    @classmethod
    def build_network(cls, config: EmbedderConfig, preprocessor: Preprocessor) -> EmbedderNetwork:
        model = config.model
        layer = preprocessor.input_layer(model.embedding, noise=model.noise or 0.0, cell=model.cell)
        return NETWORKS[model.objective](layer, model, build_targets(preprocessor, model))

    @property
    def targets(self) -> Targets:
        """What is predicted or given back of each sequence."""
        return cast(EmbedderNetwork, self.network).targets

    def read(self, files: Sequence[str], settings: dict[str, Any], *, labelled: bool = True) -> Labelled:
        return read_labelled(files, reading_options(self.config.data.model_copy(update=settings), labelled=labelled))

    def outputs(self, inputs: Any, lengths: Tensor) -> list[np.ndarray]:
        return list(self.network(inputs, lengths).float().cpu().numpy())

    def vectors(self, encoded: Sequence[Any], *, exact: bool = True) -> np.ndarray:
        """Give the vector of each encoded sequence, (N, D) float32."""
        rows = self.forward(encoded, exact=exact)
        if not all(np.isfinite(row).all() for row in rows):
            raise DataError(
                "no vector is of finite numbers here; the values are too far from those of training, or the run's weights are damaged"
            )
        size = cast(EmbedderNetwork, self.network).vector_size
        return np.stack(rows) if rows else np.zeros((0, size), np.float32)

    @checked
    def embed(self, inputs: Iterable[Any]) -> np.ndarray:
        """Give the vector of each sequence, (N, D) float32; it depends on no other one."""
        return self.vectors([self.inputs.encode(sequence) for sequence in self.preprocess(list(inputs))])

    def to_result(self, output: np.ndarray, sequence: Any, options: Any) -> dict[str, Any]:  # noqa: ARG002
        return to_result(output)

    def relate(self, results: list[dict[str, Any]], outputs: list[np.ndarray], options: PredictOptions) -> None:
        """Add in which cluster each is, and which others are nearest to it, where these are asked for."""
        if not results:
            return
        vectors = np.stack(outputs)
        if options.cluster is not None:
            for result, number in zip(results, cluster(vectors, options.cluster), strict=True):
                result["cluster"] = number
        if options.neighbours is not None:
            for result, near in zip(results, nearest_neighbours(vectors, options.neighbours), strict=True):
                result["neighbours"] = neighbours_to_json(near)

    def stream_outputs(self, sequence: Any) -> Iterator[np.ndarray]:
        return (output[0].float().cpu().numpy() for output in self.make_stream().feed_all(sequence))

    def make_stream(self) -> VectorStream:
        return VectorStream(self.inputs, cast(EmbedderNetwork, self.network))

    def explained(self, item: Any, options: EmbedderExplainOptions) -> Explained:
        """Give how like the sequence is to another, or to itself; see `explain.explain_similarity`."""
        (sequence,) = self.preprocess([item])
        return explain_similarity(cast(EmbedderNetwork, self.network), self.inputs, sequence, options)

    def format_result(self, result: Mapping[str, Any]) -> str:
        return format_result(result)

    def format_header(self, result: Mapping[str, Any]) -> str | None:
        return format_header(result)
