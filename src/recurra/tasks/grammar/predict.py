"""A trained grammar learner, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from recurra.arguments import checked
from recurra.errors import DataError
from recurra.formatting import visible
from recurra.tasks.base.chunks import TextChunk
from recurra.tasks.base.inference import run_in_batches
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.grammar.config import GenerateOptions, GrammarConfig, PredictOptions
from recurra.tasks.grammar.generate import likeliest_strings, write_strings
from recurra.tasks.grammar.network import GrammarNetwork
from recurra.tasks.grammar.preprocessing import BEGIN_LABEL, END_LABEL, MARK, StringPreprocessor

MAX_UNKNOWN_SHOWN = 20


class GrammarModel(Predictor[GrammarConfig]):
    """Knows what may follow the beginning of a string; so it judges strings, writes new ones, and says how likely given ones are.

    A result is {"text", "legal": [[symbol, probability], …], "fault"}: what may follow, the likeliest first, <end> among it where the string
    may end; and the number of the first symbol of the text that may not stand where it does, from 1, or None. With `steps`, also the same
    after each symbol.
    """

    name = "grammar"
    PredictOptions = PredictOptions
    GenerateOptions = GenerateOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: GrammarConfig) -> StringPreprocessor:
        return StringPreprocessor.load(folder, config.data)

    @classmethod
    def build_network(cls, config: GrammarConfig, preprocessor: StringPreprocessor) -> GrammarNetwork:
        return GrammarNetwork(preprocessor.size, config.model, all_legal=learns_legal(config, preprocessor))

    @property
    def grammar_network(self) -> GrammarNetwork:
        """The network, as what it is."""
        return cast(GrammarNetwork, self.network)

    def input_warnings(self, item: str) -> list[str]:
        units = self.preprocessor.unknown(self.preprocessor.split(item)) if self.preprocessor.grammar is None else []
        return [f"never met in training: {visible(' '.join(units[:MAX_UNKNOWN_SHOWN]))}"] if units else []

    def step_names(self, item: str) -> list[str]:
        """Name what the network reads at each step: the mark that a string begins after, then its symbols."""
        return [BEGIN_LABEL, *self.preprocessor.split(item)]

    # Predictions

    def encode(self, texts: Sequence[Any]) -> list[np.ndarray]:
        """Give the numbers of lines; raises `DataError`, with the number of the input, for one that cannot be read."""
        found = []
        for number, text in enumerate(texts, 1):
            if not isinstance(text, str):
                raise DataError(f"expected a text, got {type(text).__name__}", row=number)
            try:
                found.append(self.preprocessor.encode(self.preprocessor.split(text)))
            except DataError as error:
                raise DataError(str(error), row=number) from None
        return found

    def logits(self, ids: Sequence[np.ndarray], *, exact: bool = True) -> list[np.ndarray]:
        """Give the logits after each beginning of strings, from none to all of it, float32 (T + 1, V) each."""

        def run(some: np.ndarray, device: torch.device) -> list[np.ndarray]:
            numbers = torch.from_numpy(pad([ids[index] for index in some.tolist()])).to(device)
            values = self.grammar_network(numbers, self.grammar_network.zero_state(len(some)))[0].float().cpu().numpy()
            return [values[: len(ids[index]) + 1, row] for row, index in enumerate(some.tolist())]

        return run_in_batches(self.network, [len(each) + 1 for each in ids], run, exact=exact)

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        ids = self.encode(inputs)
        results = []
        for text, numbers, logits in zip(inputs, ids, self.logits(ids), strict=True):
            shares = self.probabilities(logits)
            result = {"text": text, "legal": self._legal(shares[-1], options.k), "fault": self._fault(shares, numbers)}
            if options.steps:
                symbols = self.preprocessor.split(text)
                result["steps"] = [
                    {
                        "text": self.preprocessor.join(symbols[:end]),
                        "legal": self._legal(shares[end], options.k),
                        "fault": self._fault(shares[: end + 1], numbers[:end]),
                    }
                    for end in range(1, len(symbols) + 1)
                ]
            results.append(result)
        return results

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Give of each symbol how likely it follows, or may follow, float64, by logits (T, V)."""
        with torch.no_grad():
            return self.grammar_network.probabilities(torch.from_numpy(logits)).numpy()

    @property
    def threshold(self) -> float:
        """The probability from which on a symbol counts as legal."""
        return float(self.grammar_network.threshold)

    def _legal(self, shares: np.ndarray, k: int | None) -> list[list[Any]]:
        order = [int(number) for number in np.argsort(-shares, kind="stable") if shares[number] >= self.threshold]
        order = [number for number in order if number not in self.preprocessor.forbidden]
        return [[self.preprocessor.label(number), float(shares[number])] for number in order[:k]]

    def _fault(self, shares: np.ndarray, numbers: np.ndarray) -> int | None:
        likely = shares[np.arange(len(numbers)), numbers]
        wrong = np.flatnonzero(likely < self.threshold)
        return int(wrong[0]) + 1 if len(wrong) else None

    def format_result(self, result: Mapping[str, Any]) -> str:
        return "\n".join(self._format(one) for one in result.get("steps") or [result])

    def _format(self, one: Mapping[str, Any]) -> str:
        legal = "  ".join(f"{visible(symbol)} {share:.3f}" for symbol, share in one["legal"])
        count = len(one["legal"])
        fault = "" if one["fault"] is None else f"\tsymbol {one['fault']} may not stand there"
        return f"{visible(one['text'])}\t{count} may follow: {legal or 'nothing'}{fault}"

    # What only some predictors can do

    @checked
    def score(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Give the log-probability of each string, nats, in all and for each symbol; its end counts as one."""
        lines = list(texts)
        ids = self.encode(lines)
        results = []
        for text, numbers, logits in zip(lines, ids, self.logits(ids), strict=True):
            values = self.log_shares(logits)[np.arange(len(numbers) + 1), [*numbers.tolist(), MARK]]
            total = float(values.sum())
            units = [
                [symbol, float(value)]
                for symbol, value in zip([*self.preprocessor.split(text), END_LABEL], values, strict=True)
            ]
            results.append({"text": text, "log_prob": total, "log_prob_per_unit": total / len(units), "units": units})
        return results

    def log_shares(self, logits: np.ndarray) -> np.ndarray:
        """Give the log-probability that each symbol is the next, float64, by logits (T, V)."""
        with torch.no_grad():
            return self.grammar_network.log_shares(torch.from_numpy(logits)).numpy()

    @checked
    def generate(self, prompts: Iterable[str], options: GenerateOptions) -> Iterator[TextChunk]:
        """Write strings; see `generate.write_strings`."""
        return write_strings(self.grammar_network, self.preprocessor, list(prompts), options)

    @checked
    def beam_search(self, prompts: Iterable[str], options: GenerateOptions) -> list[list[dict[str, Any]]]:
        """Find the likeliest strings; see `generate.likeliest_strings`."""
        return likeliest_strings(self.grammar_network, self.preprocessor, list(prompts), options)


def learns_legal(config: GrammarConfig, preprocessor: StringPreprocessor) -> bool:
    """Tell whether all that may follow is learnt, instead of the next symbol; raises `DataError` where nobody can say what may follow."""
    grammar, target = preprocessor.grammar, config.model.target
    if target != "auto":
        if target == "legal" and grammar is None:
            raise DataError(
                "target: what may follow is not known of these strings; name their --automaton, or leave --target out"
            )
        return target == "legal"
    return grammar is not None and grammar.probabilities(grammar.start) is None


def pad(ids: Sequence[np.ndarray]) -> np.ndarray:
    """Put strings side by side as the network reads them, (T + 1, B), each behind the mark; padding is the mark.

    >>> pad([np.array([1, 2]), np.array([3])]).tolist()
    [[0, 0], [1, 3], [2, 0]]
    """
    found = np.full((max(map(len, ids)) + 1, len(ids)), MARK, np.int64)
    for row, each in enumerate(ids):
        found[1 : len(each) + 1, row] = each
    return found
