"""What a language model predicts after a text, and after each unit on the way; and all else that one can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from recurra.arguments import Positive, checked
from recurra.kernels import exact
from recurra.nn import State
from recurra.tasks.base.chunks import TextChunk
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.lm.config import EvaluateOptions, LanguageModelConfig, PredictOptions
from recurra.tasks.lm.explain import LanguageExplainOptions, explain_next
from recurra.tasks.lm.generate import beam_search_text, generate_text, prefill
from recurra.tasks.lm.mixture import begin_state, count_classes, mixed_step, mixture_of
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import score_texts
from recurra.tasks.lm.stream import LanguageStream
from recurra.tasks.lm.tokens import TextPreprocessor, token_label, unknown_tokens
from recurra.tasks.lm.transfer import give_layers
from recurra.text import Vocabulary

MAX_UNKNOWN_SHOWN = 20


class LanguageModel(Predictor[LanguageModelConfig]):
    """Predicts the next unit of a text; so it gives the probability of any sentence, and writes new ones.

    A result is {"text", "next": [[unit, probability], …]}, with "steps" also the same after each unit of the text.
    """

    name = "lm"
    PredictOptions = PredictOptions
    EvaluateOptions = EvaluateOptions
    GenerateOptions = GenerateOptions
    ExplainOptions = LanguageExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: LanguageModelConfig) -> TextPreprocessor:
        return TextPreprocessor.load(
            folder, continuous=config.data.documents == "none", unknown=config.data.unknown != "avoid"
        )

    @classmethod
    def build_network(cls, config: LanguageModelConfig, preprocessor: TextPreprocessor) -> LanguageNetwork:
        table = preprocessor.ngram
        return LanguageNetwork(
            preprocessor.vocabulary.size, config.model, 0 if table is None else count_classes(table.order)
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """The units, and their numbers."""
        return self.preprocessor.vocabulary

    @property
    def _language_network(self) -> LanguageNetwork:
        return cast(LanguageNetwork, self.network)

    def input_warnings(self, item: str) -> list[str]:
        """Name the characters or words of a text that are no units of the model."""
        units = unknown_tokens(self.vocabulary, item)
        more = " …" if len(units) > MAX_UNKNOWN_SHOWN else ""
        return [f"rare in training, or never met there: {' '.join(units[:MAX_UNKNOWN_SHOWN])}{more}"] if units else []

    def pretrained_layers(self, run: str) -> PretrainedLayers:
        """Give what a new training can begin with."""
        return give_layers(run, self._language_network, self.vocabulary, self.config.model)

    # Predictions

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        k = self.vocabulary.size if options.k is None else options.k
        return [self.predict_next(text, k, steps=options.steps) for text in inputs]

    @checked
    def predict_next(self, text: str, k: Positive, *, steps: bool = False) -> dict[str, Any]:
        """Give the k likeliest next units; steps: "steps" has the same after each unit of the text."""
        network, preprocessor = self._language_network, self.preprocessor
        result = {"text": text, "next": next_tokens(network, preprocessor, text, k)}
        return {**result, "steps": next_tokens_of_prefixes(network, preprocessor, text, k)} if steps else result

    def format_result(self, result: Mapping[str, Any]) -> str:
        return "\n".join(
            "\t".join([one["text"], *(f"{unit!r} {share:.3f}" for unit, share in one["next"])])
            for one in result.get("steps") or [result]
        )

    def step_names(self, item: str) -> list[str]:
        """Name what the network reads at each step of a text: the mark that it begins after, then its units."""
        return [token_label(self.vocabulary, id) for id in self.preprocessor.encode(item).tolist()]

    # What only some predictors can do

    @checked
    def score(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Give the log-probability of each text, nats, in all and for each unit; see `scoring.score_texts`."""
        return score_texts(self._language_network, self.preprocessor, list(texts))

    @checked
    def generate(self, prompts: Iterable[str], options: GenerateOptions) -> Iterator[TextChunk]:
        """Continue prompts; see `generate.generate_text`."""
        return generate_text(self._language_network, self.preprocessor, list(prompts), options)

    @checked
    def beam_search(self, prompts: Iterable[str], options: GenerateOptions) -> list[list[dict[str, Any]]]:
        """Find the likeliest continuations of prompts; see `generate.beam_search_text`."""
        return beam_search_text(self._language_network, self.preprocessor, list(prompts), options)

    @checked
    def explained(self, item: str, options: LanguageExplainOptions) -> Explained:
        """Give the log-probability of what follows a text; see `explain.explain_next`."""
        return explain_next(self._language_network, self.preprocessor, item, options)

    # One unit after another, of several texts

    def begin_state(self, rows: int) -> State:
        """Give the state in which texts begin."""
        network = self._language_network
        return begin_state(network, mixture_of(network, self.preprocessor), rows)

    def step(self, ids: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one unit of each text, ids (B,); gives logits or log-probabilities of the next, (B, V), and the state."""
        network = self._language_network
        return mixed_step(network.step, mixture_of(network, self.preprocessor))(ids, state)

    def why_not_streamable(self) -> str | None:
        return None

    @checked
    def stream(self, prompt: str = "") -> LanguageStream:
        """Give a stream that has read a prompt."""
        stream = LanguageStream(self._language_network, self.preprocessor)
        stream.read(prompt)
        return stream


@torch.inference_mode()
def next_tokens(network: LanguageNetwork, preprocessor: TextPreprocessor, text: str, k: int) -> list[list[Any]]:
    """Give the k likeliest next units after a text: [[unit, probability], …]."""
    mixture = mixture_of(network, preprocessor)
    last, state = prefill(network, preprocessor.encode(text), mixture)
    logits, _ = mixed_step(network.step, mixture)(last, state)
    return _likeliest(logits, preprocessor.vocabulary, k)[0]


@torch.inference_mode()
def next_tokens_of_prefixes(
    network: LanguageNetwork, preprocessor: TextPreprocessor, text: str, k: int
) -> list[dict[str, Any]]:
    """Give the k likeliest next units after each unit of a text: {"text": what was read by then, "next"}."""
    vocabulary, read = preprocessor.vocabulary, preprocessor.encode(text)
    ids = read[1:]
    ends = [*np.flatnonzero(vocabulary.unit_starts(ids))[1:].tolist(), len(ids)] if len(ids) else []
    network.eval()
    with exact(required=False):
        inputs = torch.from_numpy(read).to(next(network.parameters()).device).unsqueeze(1)
        logits, _ = network(inputs, network.zero_state(1))
    logits, mixture = logits[ends, 0], mixture_of(network, preprocessor)
    if mixture is not None:
        logits = mixture.log_probs(logits, mixture.table.places(read)[ends])
    likeliest = _likeliest(logits, vocabulary, k)
    return [{"text": vocabulary.decode(ids[:end]), "next": units} for end, units in zip(ends, likeliest, strict=True)]


def _likeliest(logits: Tensor, vocabulary: Vocabulary, k: int) -> list[list[list[Any]]]:
    """Give the k likeliest units for each row of logits (N, V)."""
    top = logits.softmax(-1).topk(min(k, vocabulary.size))
    return [
        [[token_label(vocabulary, id), share] for id, share in zip(ids, shares, strict=True)]
        for ids, shares in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]
