"""What a trained model is, and how it is used: everything that needs no training data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
from torch import nn

from recurra.arguments import PathName, checked
from recurra.errors import DataError
from recurra.tasks.base.options import EvaluateOptions, PredictOptions, read_options
from recurra.tasks.base.results import is_finite
from recurra.tasks.base.settings import Settings
from recurra.tasks.base.weights import load_network
from recurra.text import Faults

WEIGHTS = "model.safetensors"
ConfigT = TypeVar("ConfigT", bound=Settings)
InputKind = Literal["text", "series", "table", "sound", "picture", "pen", "json"]
"""What a predictor reads: a line of text, a line of numbers, rows of a table (or numbers, where no other column is read), a signal, or
something else that a line has as JSON."""


class Predictor(ABC, Generic[ConfigT]):
    """A network, with what its inputs and outputs mean: what training leaves, and what a user asks.

    config: of the run.  preprocessor: turns what a user hands over into numbers; it is made from the training data, and saved with the run
    by a `save(folder)` that gives the names of its files.
    """

    name: ClassVar[str]
    """The task's name."""
    PredictOptions: ClassVar[type[PredictOptions]] = PredictOptions
    """What `predict` takes; the command line, its help and the docs read it."""
    EvaluateOptions: ClassVar[type[EvaluateOptions]] = EvaluateOptions
    """What `evaluate` takes beside the data."""

    def __init__(self, config: ConfigT, network: nn.Module, preprocessor: Any) -> None:
        self.config, self.network, self.preprocessor = config, network, preprocessor

    # From a run folder

    @classmethod
    @abstractmethod
    def load_preprocessor(cls, folder: Path, config: ConfigT) -> Any:
        """Read what the preprocessor's `save` wrote; raises `RunError` when it is damaged."""

    @classmethod
    @abstractmethod
    def build_network(cls, config: ConfigT, preprocessor: Any) -> nn.Module:
        """Build the network, with fresh weights drawn from torch's generator; no data are looked at.

        Its sizes may not depend on the numbers in a tensor: when a run is loaded, it is first built on the meta device.
        """

    @classmethod
    def load(cls, folder: Path, config: ConfigT) -> Predictor[ConfigT]:
        """Load a trained model from its run folder; raises `RunError` when a file is damaged or does not fit the others."""
        preprocessor = cls.load_preprocessor(folder, config)
        network = load_network(folder / WEIGHTS, lambda: cls.build_network(config, preprocessor))
        return cls(config, network, preprocessor)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        """What an input is. Of a sound or a picture, and of what is to be JSON and is none, a line is the name of a file.

        A predictor that reads lines in a way of its own says so, where they are never the names of files: others must not open any.
        """
        return "text" if type(self).parse is Predictor.parse else "json"

    @checked
    def parse(self, line: str) -> Any:
        """Read one line, of a pipe or a file, as what `predict` takes; raises `DataError` for one that cannot be read so."""
        return line

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:  # noqa: ARG002
        """Read a file that holds what `predict` takes in a form of its own; None where each line is an input.

        faults: takes what of it cannot be read; None: the first such thing is an error.
        """
        return None

    def read_pipe(self, first: bytes, rest: Callable[[], bytes]) -> list[Any] | None:  # noqa: ARG002
        """Read the whole of a pipe as `read_file` does a file, where its first line says that it is one; None where each line is an input.

        rest: gives what follows the first line, and waits for its end.
        """
        return None

    def input_warnings(self, item: Any) -> list[str]:  # noqa: ARG002
        """Say, in a sentence each, why little may be expected of a prediction for an input; nothing in most cases."""
        return []

    # Predictions

    @checked
    def predict(self, inputs: Iterable[Any], **options: Any) -> list[dict[str, Any]]:
        """Predict for some inputs; options: those of `PredictOptions`. Raises `UsageError` for others, and `DataError` for a bad input, or where not all of a result is finite."""
        return self.finite_results(list(inputs), read_options(self.PredictOptions, options, self.name))

    def finite_results(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:
        """Do as `predict`, with an instance of `PredictOptions`."""
        with np.errstate(
            all="ignore"
        ):  # what is not finite in the end is an error, and numpy's warnings would come before it
            results = self.predict_with(inputs, options)
        if not is_finite(results):
            raise DataError(
                "no prediction is a finite number here; the values are too far from those of training, or the run's weights are damaged"
            )
        return results

    @abstractmethod
    def predict_with(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:
        """Predict, with an instance of `PredictOptions`; what is not finite in a result is found by its caller."""

    def format_result(self, result: Mapping[str, Any]) -> str:
        """Write a result of `predict` in a line for people, or one for each step; by default all of it, as it is."""
        return "\t".join(f"{name}: {value}" for name, value in result.items())

    def format_header(self, result: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """Name the columns of the table that `format_result` writes of such results, tabs between; None where it is no table."""
        return None
