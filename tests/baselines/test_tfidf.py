"""TF-IDF with logistic regression: what it learns, in which units, and what it does where there is nothing to learn."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.baselines import Majority, TfidfLogistic
from recurra.baselines.tfidf import STRENGTHS, folds, unit_of
from recurra.errors import MissingExtraError, UsageError

pytest.importorskip("sklearn")

ENGLISH = {
    "good": ["a fine film", "fine acting, truly", "what a joy !"],
    "bad": ["a dull film", "dull acting", "what a bore !"],
}
CHINESE = {"good": ["房间很干净", "服务很好，干净", "很满意"], "bad": ["房间很脏", "服务很差，脏", "不满意"]}


def examples(kinds: dict[str, list[str]], times: int = 8) -> tuple[list[str], np.ndarray]:
    pairs = [(text, number) for number, texts in enumerate(kinds.values()) for text in texts] * times
    return [text for text, _ in pairs], np.array([number for _, number in pairs])


@pytest.mark.parametrize(
    ("kinds", "asked"),
    [(ENGLISH, ["fine !", "dull !"]), (CHINESE, ["早餐干净", "厕所脏"])],
    ids=["words", "characters"],
)
def test_it_learns_what_words_and_characters_say(kinds, asked):
    texts, targets = examples(kinds)
    model = TfidfLogistic().fit(texts, targets, classes=2)
    predicted = model.probabilities([*asked, ""])
    assert predicted.argmax(1)[:2].tolist() == [0, 1]
    assert predicted.sum(1) == pytest.approx(np.ones(3)) and predicted.shape == (3, 2)
    again = TfidfLogistic().fit(texts, targets, classes=2)
    assert (again.probabilities(asked) == predicted[:2]).all() and again.strength == model.strength


def test_the_penalty_suits_the_noise():
    """Labels by chance want the strongest penalty; labels that each text spells out want a weak one."""
    chance = np.random.default_rng(0)
    texts = [" ".join(chance.choice(list("abcdefghijklmnop"), 12)) for _ in range(300)]
    random = TfidfLogistic("word").fit(texts, chance.integers(0, 2, 300), classes=2)
    clear = TfidfLogistic("word").fit(texts, np.array([text.count("a") > 0 for text in texts]).astype(int), classes=2)
    assert random.strength == STRENGTHS[0] and clear.strength >= 10


def test_folds_share_every_class_out():
    targets = np.array([0] * 50 + [1] * 10 + [2] * 5)
    dealt = folds(targets, 5)
    assert [[int(((dealt == fold) & (targets == kind)).sum()) for fold in range(5)] for kind in range(3)] == [
        [10] * 5,
        [2] * 5,
        [1] * 5,
    ]


def test_large_data_choose_by_one_fold(monkeypatch):
    texts, targets = examples(ENGLISH)
    monkeypatch.setattr("recurra.baselines.tfidf.MANY_TEXTS", 10)
    assert TfidfLogistic().fit(texts, targets, classes=2).probabilities(["fine"]).argmax() == 0


def test_a_class_without_training_texts_keeps_what_its_count_says():
    texts, targets = examples(ENGLISH)
    predicted = TfidfLogistic().fit(texts, targets + 1, classes=4).probabilities(["fine", "dull"])
    assert predicted[:, [0, 3]] == pytest.approx(np.full((2, 2), 1 / 52))
    assert predicted.sum(1) == pytest.approx(np.ones(2)) and predicted.argmax(1).tolist() == [1, 2]


def test_several_labels_are_learnt_one_against_the_rest():
    texts, targets = examples(ENGLISH)
    marks = np.stack([targets == 0, np.array(["film" in text for text in texts]), np.ones(48), np.zeros(48)], 1)
    predicted = TfidfLogistic().fit(texts, marks, classes=4).probabilities(["fine film", "dull acting"])
    assert (predicted[:, :2] > 0.5).tolist() == [[True, True], [False, False]]
    assert predicted[:, 2:] == pytest.approx(np.array([[0.98, 0.02]] * 2))  # what all have, what none has


@pytest.mark.parametrize(
    ("texts", "targets"),
    [(["a", "b"], [1, 1]), (["", "  "], [0, 1]), (["a"], [2]), (["a", "b"], [[1, 0, 0], [1, 0, 0]])],
    ids=["one class", "no text", "one example", "the same labels"],
)
def test_where_there_is_nothing_to_learn_it_says_what_the_counts_say(texts, targets):
    model = TfidfLogistic().fit(texts, np.array(targets), classes=3)
    plain = Majority().fit(texts, np.array(targets), classes=3)
    assert (model.probabilities(["a", "x"]) == plain.probabilities(["a", "x"])).all()


def test_a_class_that_is_left_out_of_a_fold_is_no_fault():
    model = TfidfLogistic().fit(["a b", "a c", "d e", "d f", "g"], np.array([0, 0, 1, 1, 2]), classes=3)
    assert model.probabilities(["a", "d", "g"]).argmax(1).tolist() == [0, 1, 2]


def test_texts_decide_the_unit():
    assert unit_of(["ภาษาไทย"]) == unit_of(["ひらがな と カタカナ"]) == unit_of(["好 good", "很好很好很好"]) == "char"
    assert unit_of(["좋은 영화"]) == unit_of([]) == unit_of(["Привет, мир"]) == "word"


def test_faults():
    with pytest.raises(UsageError, match="unit: expected word, char"):
        TfidfLogistic("byte")
    with pytest.raises(UsageError, match="call fit first"):
        TfidfLogistic().probabilities(["a"])


def test_without_scikit_learn_it_names_the_extra(monkeypatch):
    def missing(name: str):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'recurra\[learn\]'"):
        TfidfLogistic().fit(["a", "b"], np.array([0, 1]), classes=2)
