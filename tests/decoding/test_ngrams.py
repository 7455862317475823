"""Language models that count, in a search: what they say of whole texts is what the models say."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.baselines import BackoffModel, KneserNey
from recurra.decoding import CtcSearch, LabelNgrams, WordNgrams, ngram_language, prefix_beam
from recurra.errors import DataError

LABELS = ["", "a", "b", " "]


def total(language, labels):
    """log p of a text and its end, by what each step says."""
    state, found = language.start(), 0.0
    for label in labels:
        found += language.next([state])[0, label]
        (state,) = language.advance([state], [label])
    return found + language.next([state])[0, 0]


def frames(labels):
    """Frames that say these labels, a blank behind each."""
    path = [step for label in labels for step in (label, 0)]
    return np.log(np.eye(len(LABELS))[path] * 0.6 + 0.1)


def test_labels_as_tokens():
    counted = KneserNey(3).fit([np.array([1, 3, 2]), np.array([1, 2])], size=5, bos_id=0, eos_id=4)
    model = BackoffModel.of(counted, ["<s>", "a", "b", "▁", "</s>"])
    language = ngram_language(model, LABELS, 3, "x.arpa")
    assert isinstance(language, LabelNgrams)
    assert total(language, [1, 3, 2]) == pytest.approx(counted.log_probs(np.array([1, 3, 2, 4])).sum())


def test_words_as_tokens():
    words = ["<s>", "</s>", "<unk>", "ab", "ba", "bb"]
    counted = KneserNey(2).fit([np.array([3, 4]), np.array([3, 5])], size=6, bos_id=0, eos_id=1)
    model = BackoffModel.of(counted, words)
    language = ngram_language(model, LABELS, 3, "x.arpa")
    assert isinstance(language, WordNgrams)
    assert total(language, [1, 2, 3, 2, 1]) == pytest.approx(counted.log_probs(np.array([3, 4, 1])).sum())
    assert total(language, [1, 3, 2, 2]) == pytest.approx(counted.log_probs(np.array([2, 5, 1])).sum())
    assert total(language, []) == pytest.approx(counted.log_probs(np.array([1])).sum())
    with pytest.raises(DataError, match=r"x.arpa: expected a model of the units that are written, such as a b"):
        ngram_language(model, ["", "a", "b"], None, "x.arpa")


def test_a_language_model_decides_what_the_frames_leave_open():
    counted = KneserNey(3).fit([np.array([1, 2])] * 5, size=5, bos_id=0, eos_id=4)
    language = LabelNgrams(BackoffModel.of(counted, ["<s>", "a", "b", "▁", "</s>"]), LABELS)
    values = frames([1, 1])
    plain = prefix_beam(values, CtcSearch())[0]
    guided = prefix_beam(values, CtcSearch(language_weight=2.0), language)[0]
    assert plain.ids.tolist() == [1, 1] and guided.ids.tolist() == [1, 2]


def test_what_a_model_does_not_know_is_unlikely_and_not_impossible():
    counted = KneserNey(2).fit([np.array([1, 2])], size=4, bos_id=0, eos_id=3)
    language = LabelNgrams(BackoffModel.of(counted, ["<s>", "a", "b", "</s>"]), LABELS)
    assert np.isfinite(total(language, [1, 3, 2])) and total(language, [1, 3, 2]) < total(language, [1, 2]) - 10
