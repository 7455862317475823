"""A trained translator, and what can be asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.pairs import has_columns, length_problem, read_pairs
from recurra.decoding import Hypothesis
from recurra.errors import DataError
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.results import END, attention_lines, attention_to_json, units_of
from recurra.tasks.seq2seq.search import Watch
from recurra.tasks.translate.config import TranslatorConfig
from recurra.tasks.translate.explain import TranslatorExplainOptions, explain_translation
from recurra.tasks.translate.network import TranslationNetwork
from recurra.tasks.translate.preprocessing import TranslationPreprocessor
from recurra.tasks.translate.results import to_result
from recurra.tasks.translate.search import attention_weights, score, search
from recurra.text import Faults


class Translator(Predictor[TranslatorConfig]):
    """Turns a sequence into another.

    A result is {"text", "translation", "log_prob"}; with `best` also "alternatives", with `attention` also "attention": the units
    of both sides, and how much each of the source counted for each that was written.
    """

    name = "translate"
    PredictOptions = SearchedOptions
    ExplainOptions = TranslatorExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: TranslatorConfig) -> TranslationPreprocessor:
        return TranslationPreprocessor.load(folder, config.data)

    @classmethod
    def build_network(cls, config: TranslatorConfig, preprocessor: TranslationPreprocessor) -> TranslationNetwork:
        sizes = preprocessor.source.size, preprocessor.target.size
        return TranslationNetwork(*sizes, config.model, joint=preprocessor.joint)

    @property
    def _translation_network(self) -> TranslationNetwork:
        return cast(TranslationNetwork, self.network)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "text"

    @checked
    def parse(self, line: str) -> str:
        return self.preprocessor.check(line)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        if source == "-" or not has_columns(source):
            return None
        files, settings = resolve_files([source])
        faults = faults or Faults("stop")
        data = self.config.data.model_copy(update={**settings, "on_error": faults.on_error})
        read = read_pairs(files, data.reading(targets=False))
        faults.skipped += read.skipped
        return read.sources

    # Predictions

    def predict_with(self, inputs: list[Any], options: SearchedOptions) -> list[dict[str, Any]]:
        for number, text in enumerate(inputs, 1):
            self._check(text, number, len(inputs))
        options.check_for(self.config.model)
        results = self.translate(inputs, options)
        if options.steps:
            for text, result in zip(inputs, results, strict=True):
                result["steps"] = self.translate(self._prefixes(text), options)
        return results

    def _check(self, text: Any, number: int, count: int) -> None:
        try:
            self.preprocessor.check(text)
        except DataError as error:
            raise DataError(str(error), source=f"input {number}" if count > 1 else None) from None

    def _prefixes(self, text: str) -> list[str]:
        vocabulary = self.preprocessor.source
        ids = vocabulary.encode(self.preprocessor.check(text))
        ends = [*np.flatnonzero(vocabulary.unit_starts(ids))[1:].tolist(), len(ids)] if len(ids) else []
        return [vocabulary.decode(ids[:end]) for end in ends]

    def predict_live(self, item: Any, options: SearchedOptions, show: Callable[[str], None]) -> dict[str, Any]:
        """Translate one text, and show each piece of the translation as soon as it is certain."""
        options.check_for(self.config.model)
        decoder, shown = self.preprocessor.target.decoder(), 0

        def watch(ids: np.ndarray) -> None:
            nonlocal shown
            show(decoder.push_all([id for id in ids[shown:].tolist() if id != self.preprocessor.target.eos_id]))
            shown = max(shown, len(ids))

        return self.translate([item], options, watch if options.best == 1 else None)[0]

    def translate(
        self, texts: Sequence[str], options: SearchedOptions, watch: Watch | None = None
    ) -> list[dict[str, Any]]:
        """Give the result for each text; watch: of one text, what sees its translation come."""
        preprocessor, network = self.preprocessor, self._translation_network
        encoded = [preprocessor.encode_source(text) for text in texts]
        found = search(network, preprocessor, encoded, options, watch)
        results = []
        for text, source, hypotheses in zip(texts, encoded, found, strict=True):
            result = to_result(text, hypotheses, preprocessor.target, options.best)
            if options.attention:
                result["attention"] = self._attention(source, hypotheses[0])
            results.append(result)
        return results

    def _attention(self, source: np.ndarray, found: Hypothesis) -> dict[str, Any] | None:
        preprocessor = self.preprocessor
        target = found.ids[:-1] if found.ended else found.ids
        weights = attention_weights(self._translation_network, preprocessor, source, target)
        if weights is None:
            return None
        names = [*units_of(target, preprocessor.target), *([END] if found.ended else [])]
        return attention_to_json(weights[: len(names)], [*units_of(source[:-1], preprocessor.source), END], names)

    def format_result(self, result: Mapping[str, Any]) -> str:
        lines = []
        for one in result.get("steps") or [result]:
            several = [one, *one["alternatives"]] if "alternatives" in one else []
            lines += [f"{each['log_prob']:.2f}\t{each['translation']}" for each in several] or [one["translation"]]
            if one.get("attention"):
                lines += attention_lines(one["attention"])
        return "\n".join(lines)

    # What only some predictors can do

    @checked
    def explained(self, item: str, options: TranslatorExplainOptions) -> Explained:
        """Give the log-probability of a translation, or of a unit of it; see `explain.explain_translation`."""
        return explain_translation(self._translation_network, self.preprocessor, item, options)

    @checked
    def score(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Give the log-probability of targets, nats; each text is a source, a tab, and its target. Rows in errors are texts, from 1."""
        pairs = []
        for number, text in enumerate(texts, 1):
            source, tab, target = text.partition("\t")
            if not tab:
                raise DataError("expected a source, a tab and its target", row=number)
            for side, one in (("source", source), ("target", target)):
                if problem := length_problem(side, one):
                    raise DataError(problem, row=number, hint="cut it into sentences")
            pairs.append((source, target))
        preprocessor = self.preprocessor
        targets = [preprocessor.encode_target(target) for _, target in pairs]
        values, _ = score(
            self._translation_network,
            preprocessor,
            [preprocessor.encode_source(source) for source, _ in pairs],
            targets,
        )
        end = preprocessor.target.eos_id
        return [
            {
                "text": "\t".join(pair),
                "log_prob": float(each.sum()),
                "log_prob_per_unit": float(each.mean()),
                "units": [
                    list(unit)
                    for unit in zip(units_of(np.append(ids, end), preprocessor.target), each.tolist(), strict=True)
                ],
            }
            for pair, ids, each in zip(pairs, targets, values, strict=True)
        ]
