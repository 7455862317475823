"""The task `lm`: many to many, the next element of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.tbptt import PADDING, DocumentWindows, TextWindows, Window, Windows
from recurra.nn import State
from recurra.tasks.base.split import known
from recurra.tasks.base.task import register_task
from recurra.tasks.base.tbptt import WindowedTask
from recurra.tasks.lm import generate as writing
from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.data import Examples, read_examples, read_part
from recurra.tasks.lm.defaults import choose_batch, choose_size
from recurra.tasks.lm.evaluate import evaluation, measure_network
from recurra.tasks.lm.foreign import foreign_units
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import foretell
from recurra.tasks.lm.stream import LanguageStream
from recurra.text import Vocabulary, load_vocabulary


@register_task
class LanguageModel(WindowedTask[LanguageModelConfig, Examples, Window]):
    """Predicts the next unit of a text; so it gives the probability of any sentence, and writes new ones."""

    name = "lm"
    title = "Language model"
    Config = LanguageModelConfig
    commands = (
        "recurra train lm python-docs --within 1m",
        "recurra train lm novel.txt -o runs/novel --within 20m",
        "recurra train lm poems/*.json --text paragraphs --cell gru",
        "recurra train lm train.txt --valid valid.txt --test test.txt --unit word",
        "zcat books.gz | recurra train lm - -o runs/books",
        "recurra train --resume runs/novel",
    )

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self._vocabulary: Vocabulary | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return known(self._vocabulary, "no vocabulary")

    @property
    def continuous(self) -> bool:
        """Whether the corpus is one long text, without documents."""
        return self.config.data.documents == "none"

    @property
    def context(self) -> int:
        """The id that a text begins after: the begin mark of a document, or a line break in a continuous text.

        A text of bytes may be without line breaks; the id is learnt all the same, since every lane begins with it.
        """
        line_break = self.vocabulary.line_break
        return line_break if self.continuous and line_break is not None else self.vocabulary.begin

    @property
    def end(self) -> int | None:
        """The id that ends a document, where there are documents."""
        return None if self.continuous else self.vocabulary.end

    # Data

    def read_data(self) -> Examples:
        examples = read_examples(self.config.data, self._vocabulary)
        self._vocabulary = examples.vocabulary
        # From here on the kind of documents is known; a run says it, so that nothing has to be guessed again.
        self.config.data.documents = examples.documents
        return examples

    def counts(self, examples: Examples) -> dict[str, int]:
        parts = {"train": examples.train, "valid": examples.valid, "test": examples.test}
        counts = {f"{name}_units": part.units for name, part in parts.items() if part}
        return counts | {"vocabulary": self.vocabulary.size}

    def save(self, folder: Path) -> list[str]:
        return [self.vocabulary.save(folder).name]

    def restore(self, folder: Path) -> None:
        self._vocabulary = load_vocabulary(folder)

    # Training

    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:
        return choose_size(self.config.model, self.examples.train.units, seconds, measure)

    def batch_size(self, seconds: float | None) -> int:
        return choose_batch(self.examples.train.units, self.config.data.window, seconds, self.vocabulary.size)

    def network(self) -> LanguageNetwork:
        network = LanguageNetwork(self.vocabulary.size, self.config.model)
        if self._examples is not None and self.config.model.init != "uniform":
            # Begun at the units' frequencies, the output need not spend its first steps on learning them.
            train = self._examples.train.sequences
            counts = np.ones(self.vocabulary.size)
            for ids in train:
                np.add.at(counts, ids, 1.0)  # without a copy: a long text has hundreds of millions of ids
            if self.end is not None:
                counts[self.end] += len(train)
            network.set_frequencies(torch.from_numpy(counts / counts.sum()))
        return network

    def windows(self, batch: int, seed: int) -> Windows[Window]:
        data, train = self.config.data, self.examples.train
        if self.continuous:
            return TextWindows(
                train.sequences[0], context=self.context, lanes=batch, steps=data.window, seed=seed, shift=data.shift
            )
        return DocumentWindows(
            train.sequences,
            begin=self.vocabulary.begin,
            end=self.vocabulary.end,
            lanes=batch,
            steps=data.window,
            seed=seed,
        )

    def window_loss(self, network: nn.Module, window: Window, state: State) -> tuple[Tensor, int, State]:
        network = cast(LanguageNetwork, network)
        device = next(network.parameters()).device
        loss, state = network.loss(window.inputs.to(device), window.targets.to(device), state, ignore=PADDING)
        return loss, int((window.targets != PADDING).sum()), state

    def validate(self, network: nn.Module) -> dict[str, float] | None:
        part = self.examples.valid
        if part is None:
            return None
        measured = measure_network(cast(LanguageNetwork, network), part, self.vocabulary, self.context, self.end)
        return {name: measured[name] for name in ("nll", "perplexity")}

    def sample(self, network: nn.Module, seed: int) -> str | None:
        return writing.sample_text(self, cast(LanguageNetwork, network), seed)

    def gradient_lags(self, network: nn.Module, lags: int) -> list[float] | None:
        return writing.gradient_lags(self, cast(LanguageNetwork, network), lags)

    # After training

    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        if data:
            part, name = read_part(data, self.config.data, self.vocabulary, progress), " ".join(data)
        else:
            part, name = self.held_out_part()
        return evaluation(self, cast(LanguageNetwork, network), part, name, progress, baselines=baselines)

    # What a language model can be asked

    def score(self, network: LanguageNetwork, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Give the probability of each text; see `writing.score_texts`."""
        return writing.score_texts(self, network, texts)

    def predict(
        self, network: LanguageNetwork, inputs: Sequence[str], *, k: int | None = None, steps: bool = False
    ) -> list[dict[str, Any]]:
        """Give the k likeliest next units after each text, 5 by default; see `foretelling.foretell`.

        steps: also what was likeliest after each unit on the way.
        """
        return [foretell(self, network, text, 5 if k is None else k, steps=steps) for text in inputs]

    def write(self, network: LanguageNetwork, **options: Any) -> Iterator[writing.Piece]:
        """Go on from a prompt; see `writing.write_text`."""
        return writing.write_text(self, network, **options)

    def search(self, network: LanguageNetwork, **options: Any) -> list[dict[str, Any]]:
        """Find the likeliest continuations; see `writing.search_text`."""
        return writing.search_text(self, network, **options)

    def warnings(self, item: str) -> list[str]:
        """Name the characters or words of a text that are no units of the model."""
        units = foreign_units(self.vocabulary, item)
        more = " …" if len(units) > 20 else ""
        return [f"rare in training, or never met there: {' '.join(units[:20])}{more}"] if units else []

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        shown = result.get("steps") or [result]
        return "\n".join(
            "\t".join([said["text"], *(f"{unit!r} {share:.3f}" for unit, share in said["next"])]) for said in shown
        )

    def stream(self, network: LanguageNetwork, prompt: str) -> LanguageStream:
        """Give a stream that has read a prompt."""
        stream = LanguageStream(self, network)
        stream.read(prompt)
        return stream
