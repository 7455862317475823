"""The task `lm`: many to many, the next element of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.baselines import language_baselines
from recurra.data.windows import PADDING, DocumentWindows, TextWindows, Window, Windows
from recurra.errors import DataError
from recurra.nn import State, map_state
from recurra.tasks.base import Carry, Facts, Task, register_task
from recurra.tasks.lm import writing
from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.examples import Examples, read_examples, read_part
from recurra.tasks.lm.foreign import foreign_units
from recurra.tasks.lm.foretelling import foretell
from recurra.tasks.lm.measure import measure_baseline, measure_network
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.sizes import choose_batch, choose_size
from recurra.tasks.lm.stream import LanguageStream
from recurra.text import Vocabulary, load_vocabulary


@register_task
class LanguageModel(Task[LanguageModelConfig]):
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
        self._examples: Examples | None = None
        self._vocabulary: Vocabulary | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        if self._vocabulary is None:
            raise DataError("no vocabulary yet: read the data or load a run first")
        return self._vocabulary

    @property
    def examples(self) -> Examples:
        if self._examples is None:
            self.prepare()
        return cast(Examples, self._examples)

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

    def prepare(self, saved: Path | None = None) -> Facts:
        if self._examples is None:
            if saved is not None:
                self.restore(saved)
            self._examples = examples = read_examples(self.config.data, self._vocabulary)
            self._vocabulary = examples.vocabulary
            # From here on the kind of documents is known; a run says it, so that nothing has to be guessed again.
            self.config.data.documents = examples.documents
        examples = self._examples
        parts = {"train": examples.train, "valid": examples.valid, "test": examples.test}
        counts = {f"{name}_units": part.units for name, part in parts.items() if part}
        counts["vocabulary"] = self.vocabulary.size
        return Facts(counts, examples.fingerprint(), examples.notes)

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

    def _windows(self, batch: int, seed: int) -> Windows:
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

    @cached_property
    def _window_cache(self) -> dict[tuple[int, int], Windows]:
        return {}

    def _cached_windows(self, batch: int, seed: int) -> Windows:
        if (batch, seed) not in self._window_cache:
            self._window_cache[batch, seed] = self._windows(batch, seed)
        return self._window_cache[batch, seed]

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Window]:
        return self._cached_windows(batch, seed).epoch(epoch, start)

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        return self._cached_windows(batch, seed).count(epoch)

    def loss(self, network: nn.Module, batch: Window, carry: Carry) -> tuple[Tensor, int, Carry]:
        network = cast(LanguageNetwork, network)
        device = next(network.parameters()).device
        lanes = batch.inputs.shape[1]
        state: State = network.zero_state(lanes)
        if carry is not None:
            keep = (~batch.fresh).to(device).unsqueeze(-1)
            state = map_state(lambda old, zero: torch.where(keep, old, zero), carry, state)
        loss, state = network.loss(batch.inputs.to(device), batch.targets.to(device), state, ignore=PADDING)
        # Back-propagation ends at the window's edge; the state itself goes on.
        return loss, int((batch.targets != PADDING).sum()), map_state(Tensor.detach, state)

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

    @property
    def held_out(self) -> bool:
        return self.examples.test is not None or self.examples.valid is not None

    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        if data:
            part = read_part(data, self.config.data, self.vocabulary, progress)
        else:
            part = self.examples.test or self.examples.valid
        if part is None:
            raise DataError("this run has no held-out data: name some, as in `recurra evaluate RUN DATA`")
        name = " ".join(data) if data else "test" if self.examples.test else "valid"
        progress("measuring the model")
        model = measure_network(cast(LanguageNetwork, network), part, self.vocabulary, self.context, self.end, progress)
        beside = {}
        if baselines:
            for title, baseline in language_baselines().items():
                progress(f"measuring the baseline {title}")
                beside[title] = measure_baseline(baseline, self.examples.train, part, self.vocabulary, self.end)
                if baseline.trained_on < (units := self.examples.train.units):
                    progress(
                        f"{title}: learnt from the last {baseline.trained_on:,} of {units:,} units; more do not fit into memory"
                    )
        count = int(model.pop("count"))
        for figures in beside.values():
            figures.pop("count")
        result = {"task": self.name, "data": name, "count": count, "metrics": model, "baselines": beside}
        return {**result, "skipped": len(part.skipped)} if part.skipped else result

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
