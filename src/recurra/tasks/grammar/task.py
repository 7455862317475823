"""The task `grammar`: the rule behind strings, from strings alone, so well that it holds beyond the lengths that were seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.grammar import grammar_names
from recurra.report.blocks import Block
from recurra.tasks.base.defaults import batch_size_for
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.split_task import Measuring, SplitTask
from recurra.tasks.base.task import CarriedState
from recurra.tasks.grammar import evaluate, report
from recurra.tasks.grammar.calibrate import calibrate
from recurra.tasks.grammar.config import GrammarConfig
from recurra.tasks.grammar.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.grammar.defaults import choose_size
from recurra.tasks.grammar.network import IGNORED, GrammarNetwork
from recurra.tasks.grammar.predict import GrammarModel, learns_legal, pad
from recurra.tasks.grammar.preprocessing import MARK, StringPreprocessor

LEARNING_RATE, LEARNING_RATE_OF_A_GRAMMAR = 0.003, 0.01
Batch = tuple[Tensor, Tensor, int]
"""Numbers (T, B), targets, and how many steps are no padding."""


@register_task
class GrammarTask(SplitTask[GrammarConfig, Dataset]):
    """Trains a `GrammarModel`."""

    name = "grammar"
    title = "Grammar learner"
    keep_last_of_equals = True
    element = ("symbol", "symbols")
    Config = GrammarConfig
    Predictor = GrammarModel
    generated_data = frozenset(grammar_names())
    cli_examples = (
        "recurra train grammar embedded-reber",
        "recurra train grammar anbn --cell graves-lstm --hidden 3 -o runs/counting",
        "recurra train grammar names.txt",
        "recurra train grammar gates.automaton",
    )
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE

    @property
    def criterion(self) -> str:
        return "behind_fault" if learns_legal(self.config, self.preprocessor) else "nll"

    # Data

    def read_dataset(self, preprocessor: StringPreprocessor | None) -> Dataset:
        return read_dataset(self.config.data, preprocessor)

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        strings = {f"{name}_strings": len(split) for name, split in dataset.splits.items()}
        return strings | {"symbols": len(dataset.preprocessor.symbols)}

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        lengths = self.dataset.train.lengths
        batches = self.batch_count(0, batch=self.default_batch_size(seconds), seed=0)
        return choose_size(self.config.model, int(lengths.sum()), int(lengths.max()), batches, known=self._is_known)

    @property
    def _is_known(self) -> bool:
        return self.preprocessor.grammar is not None

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return batch_size_for(len(self.dataset.train))

    def default_learning_rate(self) -> float | None:
        return LEARNING_RATE_OF_A_GRAMMAR if self._is_known else LEARNING_RATE

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        train = self.dataset.train
        legal = train.legal if learns_legal(self.config, self.preprocessor) else None
        for indices in batches_by_length(train.lengths, batch, seed=seed, epoch=epoch)[start:]:
            rows = indices.tolist()
            ids = [train.ids[row] for row in rows]
            targets = _next_numbers(ids) if legal is None else _all_legal([legal[row] for row in rows])
            yield torch.from_numpy(pad(ids)), torch.from_numpy(targets), int(train.lengths[indices].sum())

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(self, network: nn.Module, batch: Batch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        network = cast(GrammarNetwork, network)
        numbers, targets, steps = batch
        device = network.threshold.device
        return network.loss(numbers.to(device), targets.to(device)), steps, None

    def validate(self, predictor: GrammarModel) -> dict[str, float] | None:
        split = self.dataset.valid
        return None if split is None else evaluate.validation(predictor, split)

    def sample(self, predictor: GrammarModel, seed: int) -> str | None:
        return evaluate.preview(predictor, seed)

    # After training

    def calibrate(self, predictor: GrammarModel) -> None:
        calibrate(predictor, self.dataset.valid or self.dataset.train)

    def read_split(
        self,
        predictor: GrammarModel,
        data: list[str],
        progress: Callable[[str], None],
        options: Any,  # noqa: ARG002
    ) -> Split:
        return read_split(data, self.config.data, predictor.preprocessor, progress)

    def measure_split(self, predictor: GrammarModel, split: Split, how: Measuring) -> dict[str, Any]:
        return evaluate.evaluate(
            predictor, split, name=how.name, train=how.train, notes=how.notes, progress=how.progress
        )

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)


def _next_numbers(ids: list[np.ndarray]) -> np.ndarray:
    """Give what is to be predicted after each beginning, (T + 1, B): the next number, then the mark, then `IGNORED`."""
    found = np.full((max(map(len, ids)) + 1, len(ids)), IGNORED, np.int64)
    for row, each in enumerate(ids):
        found[: len(each), row] = each
        found[len(each), row] = MARK
    return found


def _all_legal(legal: list[np.ndarray]) -> np.ndarray:
    """Give what may follow each beginning, 1 or 0, and −1 in padding, float32 (T + 1, B, V)."""
    found = np.full((max(map(len, legal)), len(legal), legal[0].shape[1]), -1.0, np.float32)
    for row, each in enumerate(legal):
        found[: len(each), row] = each
    return found
