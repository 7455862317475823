from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from recurra.errors import UsageError
from recurra.linear import NgramClassifier, linear_classifier, texts
from recurra.linear.texts import CHARACTER_FAMILIES, MIN_TEXTS_TO_LEARN, STRENGTHS, WORD_FAMILIES, choose_ngrams


def noisy(count: int, flips: float = 0.0, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts whose class a word says, now and then the wrong one; sorted by class, as files often are."""
    rng = np.random.default_rng(seed)
    targets = np.sort(rng.integers(0, 3, count))
    written = np.where(rng.random(count) < flips, rng.integers(0, 3, count), targets)
    words = [" ".join(f"w{word}" for word in rng.integers(0, 300, 8)) for _ in range(count)]
    return [f"{text} {('goal', 'vote', 'stock')[kind]}" for text, kind in zip(words, written, strict=True)], targets


def test_it_is_right_as_often_as_its_words_are_and_about_as_sure():
    sequences, targets = noisy(900, flips=0.3)
    new, wanted = noisy(900, flips=0.3, seed=1)
    probabilities = torch.from_numpy(NgramClassifier().fit(sequences, targets, 3).logits(new)).softmax(1).numpy()
    assert (probabilities.argmax(1) == wanted).mean() == pytest.approx(0.8, abs=0.04)
    assert probabilities.max(1).mean() == pytest.approx(0.8, abs=0.1)


def test_the_penalty_is_chosen_by_texts_of_every_class_where_they_are_sorted(monkeypatch):
    monkeypatch.setattr(texts, "MAX_TEXTS_TO_CHOOSE", 150)
    sequences, targets = noisy(900, flips=0.3)
    model = NgramClassifier()
    model.fit(sequences, targets, 3)
    assert model.strength < STRENGTHS[-1]  # by one class alone, the weakest penalty would be the best


def test_two_classes_and_several_labels():
    sequences, targets = noisy(300)
    two = (targets > 0).astype(np.int64)
    model = NgramClassifier().fit(sequences, two, 2)
    assert model.logits(sequences).shape == (300, 2)
    assert (model.logits(sequences).argmax(1) == two).all()
    marks = np.stack([targets == 0, targets >= 1], 1).astype(np.float32)
    model = NgramClassifier().fit(sequences, marks, 2)
    assert ((model.logits(sequences) > 0) == (marks > 0)).all()


def test_one_text_with_several_labels_is_learnt_from():
    model = NgramClassifier().fit(["so good"], np.array([[1, 0, 1]]), 3)
    assert (model.logits(["so good"])[0] > 0).tolist() == [True, False, True]


def test_an_example_that_counts_nothing_teaches_nothing():
    sequences, targets = noisy(300)
    weights = np.where(np.arange(300) % 2, 1.0, 0.0)
    wrong = np.where(weights > 0, targets, (targets + 1) % 3)
    model = NgramClassifier()
    model.fit(sequences, wrong, 3, weights=weights)
    assert (model.logits(sequences).argmax(1) == targets).mean() > 0.97


def test_it_is_the_same_again_from_what_is_saved():
    sequences, targets = noisy(200)
    model = NgramClassifier()
    model.fit(sequences, targets, 3)
    again = linear_classifier("text").from_state(model.settings(), load(save(model.tensors())))
    assert np.array_equal(again.logits(sequences), model.logits(sequences))
    piece, _ = again.step("a goal", again.initial_state())
    assert piece == pytest.approx(model.logits(["a goal"])[0], abs=1e-6)
    assert again.prior() == pytest.approx(model.logits([""])[0], abs=1e-6)
    with pytest.raises(ValueError, match="expected"):
        NgramClassifier.from_state(model.settings(), {**model.tensors(), "0.weights": torch.zeros(2, 3)})


def test_texts_that_share_nothing_leave_how_common_the_classes_are():
    model = NgramClassifier().fit(["a", "b", "c", "d"], np.array([0, 0, 0, 1]), 2)
    assert model.logits(["e", ""]).argmax(1).tolist() == [0, 0]
    with pytest.raises(UsageError, match="got none"):
        NgramClassifier().fit([], np.zeros(0, np.int64), 2)


def test_which_ngrams_goes_by_the_script_and_by_the_time():
    english, chinese = ["so good it is"] * 50, ["房间很干净而且很大"] * 50
    assert choose_ngrams(english, 1, None) == (WORD_FAMILIES[0], 50)
    assert choose_ngrams(chinese, 1, None) == (CHARACTER_FAMILIES[0], 50)
    long = ["word " * 2000] * 4000
    assert choose_ngrams(long, 1, 15.0) == (WORD_FAMILIES[2], 4000)
    assert choose_ngrams(long, 1, 0.0) == (WORD_FAMILIES[-1], MIN_TEXTS_TO_LEARN)
    assert choose_ngrams(english, 1_000_000, None)[1] == 6  # of more texts the coefficients would not fit into memory


def test_of_too_many_texts_some_of_every_class_are_learnt_from(monkeypatch):
    sequences, targets = noisy(900)
    monkeypatch.setattr(texts, "MAX_VALUES", 3 * 300)
    model = NgramClassifier().fit(sequences, targets, 3)
    assert (model.logits(sequences).argmax(1) == targets).mean() > 0.97
    whole = NgramClassifier()
    monkeypatch.undo()
    assert len(model.families[0].vocabulary) < len(whole.fit(sequences, targets, 3).families[0].vocabulary)
