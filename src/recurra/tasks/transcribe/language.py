"""The language models that a search can ask: of the run's own transcripts, an ARPA file, or a run of `lm`; and lists of words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from recurra.baselines import read_arpa
from recurra.decoding import LabelNgrams, Lexicon, PrefixLanguage, concat_states, ngram_language, select_state
from recurra.errors import DataError, UsageError
from recurra.tasks.transcribe.config import ARPA, NONE, OWN, Decoding
from recurra.tasks.transcribe.preprocessing import UNSEEN, TranscriptPreprocessor
from recurra.text import Vocabulary

MAX_WORDS = 1_000_000


class LanguageRun(Protocol):
    """A trained language model, as far as a search asks it."""

    network: nn.Module
    preprocessor: Any

    @property
    def vocabulary(self) -> Vocabulary: ...


class Read(NamedTuple):
    """A prefix that a language model has read: its state after, and the log-probability of each label next, of 0 the end."""

    state: Any
    log_probs: np.ndarray


class NetworkLanguage(PrefixLanguage):
    """A run of `lm` as the language of a search: each label has to be one unit of it.

    Raises `DataError` where the run writes other units.
    """

    def __init__(self, run: LanguageRun, preprocessor: TranscriptPreprocessor, source: str) -> None:
        vocabulary, network = run.vocabulary, run.network
        ids = [vocabulary.encode(text).tolist() for text in preprocessor.label_texts[1:]]
        several = [text for text, each in zip(preprocessor.label_texts[1:], ids, strict=True) if len(each) != 1]
        if len(several) > len(ids) // 2:
            raise DataError(
                f"expected a language model of the units that are written ({preprocessor.vocabulary.unit}), got one of {vocabulary.unit}",
                source=source,
            )
        # What is no unit of the language model is as unlikely as its first piece.
        self._columns = np.array([vocabulary.eos_id, *(each[0] for each in ids)])
        self._network: Any = network.eval()
        self._device = next(network.parameters()).device
        self._first = self._read([run.preprocessor.bos_id], network_state(network))[0]

    def start(self) -> Read:
        return self._first

    def advance(self, states: Sequence[Read], labels: Sequence[int]) -> list[Read]:
        return self._read(self._columns[list(labels)].tolist(), concat_states([one.state for one in states]))

    def next(self, states: Sequence[Read]) -> np.ndarray:
        return np.stack([one.log_probs for one in states])

    @torch.inference_mode()
    def _read(self, ids: Sequence[int], state: Any) -> list[Read]:
        logits, after = self._network.step(torch.tensor(ids, device=self._device), state)
        values = logits.double().log_softmax(-1).cpu().numpy()[:, self._columns]
        return [Read(select_state(after, torch.tensor([row])), values[row]) for row in range(len(ids))]


def network_state(network: Any) -> tuple[tuple[Tensor, ...], ...]:
    """Give the state of a language model's network in which one text begins."""
    return network.zero_state(1)


def language_of(preprocessor: TranscriptPreprocessor, options: Decoding) -> PrefixLanguage | None:
    """Give the language model that is asked for; None: none is."""
    texts = preprocessor.label_texts
    if options.lm == NONE:
        return None
    if options.lm == OWN:
        return LabelNgrams(preprocessor.language, texts)
    if options.lm.lower().endswith(ARPA):
        return ngram_language(read_arpa(options.lm), texts, preprocessor.separator, options.lm)
    run = options.language_run
    if run is None or not hasattr(run, "vocabulary") or not hasattr(run.network, "zero_state"):
        kind = "" if run is None else f" of {run.name}"
        raise UsageError(f"lm: expected a run of lm, an ARPA file, {OWN} or {NONE}; got {options.lm!r}{kind}")
    return NetworkLanguage(run, preprocessor, options.lm)


def lexicon_of(preprocessor: TranscriptPreprocessor, path: str | None) -> Lexicon | None:
    """Read a list of words, a word a line; where lines have blanks, one whole line is written. None: there is none.

    Raises `DataError` for a word with a unit that no training text has.
    """
    if path is None:
        return None
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", source=path) from None
    except UnicodeDecodeError as error:
        raise DataError("expected UTF-8 text", source=path, byte=error.start) from None
    if len(lines) > MAX_WORDS:
        raise DataError(f"expected a list of at most {MAX_WORDS:,} words, got {len(lines):,}", source=path)
    words = []
    for number, line in enumerate(lines, 1):
        word = preprocessor.written(line)
        labels = preprocessor.encode(word) if word else np.zeros(0, np.int64)
        if UNSEEN in labels:
            strange = " ".join(preprocessor.unseen(word)) or word
            raise DataError(
                f"{word!r} has what no training text has, and so is never written: {strange}", source=path, line=number
            )
        if len(labels):
            words.append(labels.tolist())
    separator = preprocessor.separator
    phrases = separator is not None and any(separator in word for word in words)
    return Lexicon(words, preprocessor.size, None if phrases else separator)
