"""The task `lm`: many to many, the next element of a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.tbptt import PADDING, DocumentWindows, TBPTTBatch, TextWindows, Windows
from recurra.errors import DataError
from recurra.nn import State
from recurra.report.blocks import Block
from recurra.tasks.base.registry import register_task
from recurra.tasks.base.tbptt import TBPTTTask
from recurra.tasks.base.transfer import PretrainedLayers, layer_depths, take_settings
from recurra.tasks.lm import evaluate, report
from recurra.tasks.lm.adapt import choose_adaptation
from recurra.tasks.lm.calibrate import calibrate
from recurra.tasks.lm.config import EvaluateOptions, LanguageModelConfig
from recurra.tasks.lm.data import Dataset, Split, read_dataset, read_split
from recurra.tasks.lm.defaults import choose_batch, choose_size
from recurra.tasks.lm.gradients import gradient_norms_by_lag
from recurra.tasks.lm.mixture import count_ngrams
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.tasks.lm.transfer import begin_with

VALIDATION_METRICS = ("nll", "perplexity")
"""Metrics that are looked at while training."""


@register_task
class LanguageModelingTask(TBPTTTask[LanguageModelConfig, Dataset, TBPTTBatch]):
    """Trains a `LanguageModel`."""

    name = "lm"
    title = "Language model"
    element = ("unit", "units")
    samples_title, usage = report.SAMPLES_TITLE, report.USAGE
    Config = LanguageModelConfig
    Predictor = LanguageModel
    cli_examples = (
        "recurra train lm python-docs --within 1m",
        "recurra train lm novel.txt -o runs/novel --within 20m",
        "recurra train lm poems/*.json --text paragraphs --cell gru",
        "recurra train lm train.txt --valid valid.txt --test test.txt --unit word",
        "zcat books.gz | recurra train lm - -o runs/books",
        "recurra train --resume runs/novel",
    )

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self.given: PretrainedLayers | None = None
        """Of the run to begin with."""

    # Data

    def read_dataset(self, preprocessor: TextPreprocessor | None) -> Dataset:
        dataset = read_dataset(self.config.data, None if preprocessor is None else preprocessor.vocabulary)
        # From here on the kind of documents is known; a run says it, so that nothing has to be guessed again.
        self.config.data.documents = dataset.documents
        if preprocessor is not None:
            return replace(dataset, preprocessor=preprocessor)
        if dataset.preprocessor.vocabulary.unknown_id is not None:
            self.config.data.unknown = "write" if dataset.preprocessor.unknown else "avoid"
        return dataset

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        counts = {f"{name}_units": split.units for name, split in dataset.splits.items()}
        return counts | {"vocabulary": dataset.preprocessor.vocabulary.size}

    def on_part(self, part: Split) -> Self | None:
        other = copy(self)
        other._dataset, other._windows = replace(self.dataset, train=part), {}
        return other

    # Beginning with what was learnt before

    def take_over(self, given: PretrainedLayers) -> None:
        take_settings([self.config.data, self.config.model], given)
        self.given = given

    def layer_depths(self, network: nn.Module) -> dict[str, int]:
        model = self.config.model
        return layer_depths(network, stack="stack.", layers=model.layers, units="embedding.") if model.from_run else {}

    # Before training

    def fit_linear(self, seconds: float | None, progress: Callable[[str], None]) -> None:
        if self.config.model.ngram == "none" or self.preprocessor.ngram is not None:
            return
        if self.config.model.ngram == "auto" and self.dataset.valid is None:
            progress("the n-grams are left out: nothing is held out to choose their weight by")
            return
        progress("counting the n-grams")
        table = count_ngrams(self.dataset.train.sequences, self.preprocessor, seconds)
        self._preprocessor = replace(self.preprocessor, ngram=table)
        self._dataset = replace(self.dataset, preprocessor=self._preprocessor)

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
        return choose_size(self.config.model, self.dataset.train.units, seconds, measure_seconds)

    def default_batch_size(self, seconds: float | None) -> int:
        vocabulary = self.preprocessor.vocabulary
        return choose_batch(self.dataset.train.units, self.config.data.bptt, seconds, vocabulary.size)

    def initialize(self, network: nn.Module) -> str | None:
        """Set the output's bias by how often each unit comes: the first steps need not be spent on learning that."""
        if self.config.model.init != "uniform":
            self._set_output_bias(cast(LanguageNetwork, network))
        if self.given is None:
            return None
        return begin_with(cast(LanguageNetwork, network), self.preprocessor.vocabulary, self.given)

    def _set_output_bias(self, network: LanguageNetwork) -> None:
        train, preprocessor = self.dataset.train.sequences, self.preprocessor
        counts = np.ones(preprocessor.vocabulary.size)
        for ids in train:
            np.add.at(counts, ids, 1.0)  # without a copy: a long text has hundreds of millions of ids
        if preprocessor.eos_id is not None:
            counts[preprocessor.eos_id] += len(train)
        network.init_output_bias(torch.from_numpy(counts / counts.sum()))

    # Training

    def make_windows(self, batch: int, seed: int) -> Windows[TBPTTBatch]:
        data, train, preprocessor = self.config.data, self.dataset.train, self.preprocessor
        if preprocessor.continuous:
            return TextWindows(
                train.sequences[0],
                bos_id=preprocessor.bos_id,
                lanes=batch,
                steps=data.bptt,
                seed=seed,
                random_offset=data.random_offset,
            )
        return DocumentWindows(
            train.sequences,
            bos_id=preprocessor.vocabulary.bos_id,
            eos_id=preprocessor.vocabulary.eos_id,
            lanes=batch,
            steps=data.bptt,
            seed=seed,
        )

    def window_loss(self, network: nn.Module, window: TBPTTBatch, state: State) -> tuple[Tensor, int, State]:
        network = cast(LanguageNetwork, network)
        device = next(network.parameters()).device
        loss, state = network.loss(window.inputs.to(device), window.targets.to(device), state, ignore=PADDING)
        return loss, int((window.targets != PADDING).sum()), state

    def validate(self, predictor: LanguageModel) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        metrics = evaluate.compute_metrics(predictor, split)
        return {name: metrics[name] for name in VALIDATION_METRICS}

    def sample(self, predictor: LanguageModel, seed: int) -> str | None:
        return evaluate.sample_text(predictor, seed)

    def gradient_norms_by_lag(self, network: nn.Module, lags: int) -> list[float] | None:
        return gradient_norms_by_lag(cast(LanguageNetwork, network), self.dataset.train.sequences, lags)

    # After training

    def calibrate(self, predictor: LanguageModel) -> None:
        calibrate(predictor, self.dataset.valid, required=self.config.model.ngram != "auto")

    def evaluate(
        self,
        predictor: LanguageModel,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        options: EvaluateOptions | None = None,
    ) -> dict[str, Any]:
        if data:
            split, name = read_split(data, self.config.data, predictor.vocabulary, progress), " ".join(data)
        else:
            split, name = self.held_out_split()
        train = self.dataset.train if baselines else None
        result = evaluate.evaluate(predictor, split, name=name, train=train, progress=progress)
        if options is None or not (options.cache or options.dynamic):
            return result
        if self.dataset.valid is None:
            raise DataError("cache, dynamic: their parameters are chosen by the validation text, and this run has none")
        chosen, roots = choose_adaptation(
            predictor,
            self.dataset.valid,
            self.dataset.train,
            cache=options.cache,
            dynamic=options.dynamic,
            progress=progress,
        )
        progress("measuring the model as it learns from the text")
        return evaluate.add_adapted(result, predictor, split, chosen, roots)

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        return report.blocks(evaluation)
