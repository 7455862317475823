"""Kneser–Ney against a corpus worked out by hand and against a plain recursive definition in exact fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import KneserNey, Uniform, counts, guesses, language_baselines
from recurra.errors import DataError, UsageError

BOS, EOS, A, B, C, D = range(6)
# Four documents, with the marks ⟨ and ⟩:  ⟨ a b c ⟩   ⟨ a b d ⟩   ⟨ a b d ⟩   ⟨ a c ⟩
CORPUS = [np.array(ids) for ids in ([A, B, C], [A, B, D], [A, B, D], [A, C])]


def probability(model: KneserNey, word: int, *context: int) -> float:
    return float(np.exp(model.log_probs(np.array([word]), np.array(context))[0]))


def test_bigram_by_hand():
    """
    Counts of bigrams: ⟨a 4, ab 3, bd 2, c⟩ 2, d⟩ 2, bc 1, ac 1   →  n₁ = 2, n₂ = 3, n₃ = 1, n₄ = 1
        Y = 2 / (2 + 6) = 1/4
        D₁ = 1 − 2·(1/4)·(3/2) = 1/4     D₂ = 2 − 3·(1/4)·(1/3) = 7/4     D₃₊ = 3 − 4·(1/4)·(1/1) = 2
    Ids to the left: a {⟨} 1, b {a} 1, c {a b} 2, d {b} 1, ⟩ {c d} 2; in all 7   →  n₁ = 3, n₂ = 2, n₃ = 0
        no n₃, so one discount: D = 3 / (3 + 4) = 3/7
        left for the uniform distribution over a b c d ⟩: 5·(3/7) / 7 = 15/49, so 3/49 to each
        p(a) = p(b) = p(d) = (1 − 3/7)/7 + 3/49 = 1/7        p(c) = p(⟩) = (2 − 3/7)/7 + 3/49 = 2/7
    """
    model = KneserNey(2).fit(CORPUS, size=6, bos_id=BOS, eos_id=EOS)
    single, modified = model.discounts
    assert (single.estimate, single.counts) == ("single", (3, 2, 0, 0))
    assert single.values == pytest.approx([3 / 7] * 3, rel=1e-15)
    assert (modified.estimate, modified.counts) == ("modified", (2, 3, 1, 1))
    assert modified.values == pytest.approx([1 / 4, 7 / 4, 2], rel=1e-15)

    # After ⟨: a 4 of 4. After a: b 3, c 1 of 4. After b: d 2, c 1 of 3. After c: ⟩ 2 of 2.
    gamma_begin, gamma_a, gamma_b, gamma_c = F(2) / 4, (F(2) + F(1, 4)) / 4, (F(7, 4) + F(1, 4)) / 3, F(7, 4) / 2
    expected = {
        (A, BOS): (4 - F(2)) / 4 + gamma_begin * F(1, 7),
        (C, BOS): gamma_begin * F(2, 7),
        (B, A): (3 - F(2)) / 4 + gamma_a * F(1, 7),
        (C, A): (1 - F(1, 4)) / 4 + gamma_a * F(2, 7),
        (A, A): gamma_a * F(1, 7),
        (D, B): (2 - F(7, 4)) / 3 + gamma_b * F(1, 7),
        (EOS, B): gamma_b * F(2, 7),
        (EOS, C): (2 - F(7, 4)) / 2 + gamma_c * F(2, 7),
    }
    assert expected[B, A] == F(37, 112)
    for (word, context), value in expected.items():
        assert probability(model, word, context) == pytest.approx(float(value), rel=1e-14)


def test_trigram_by_hand_keeps_the_counts_that_start_with_the_begin_mark():
    """
    Counts of trigrams: ⟨ab 3, abd 2, bd⟩ 2, ⟨ac 1, abc 1, bc⟩ 1, ac⟩ 1   →  n₁ = 4, n₂ = 2, n₃ = 1, n₄ = 0
        one discount: D = 4 / (4 + 4) = 1/2
    Bigrams, by ids to the left: ab {⟨} 1, ac {⟨} 1, bc {a} 1, bd {a} 1, c⟩ {b a} 2, d⟩ {b} 1; but ⟨a keeps its 4
        n₁ = 5, n₂ = 1, n₃ = 0, n₄ = 1; one discount: D = 5 / (5 + 2) = 5/7
    Single ids are those of the bigram model.
    """
    model = KneserNey(3).fit(CORPUS, size=6, bos_id=BOS, eos_id=EOS)
    assert [order.counts for order in model.discounts] == [(3, 2, 0, 0), (5, 1, 0, 1), (4, 2, 1, 0)]
    assert [order.values[0] for order in model.discounts] == pytest.approx([3 / 7, 5 / 7, 1 / 2], rel=1e-15)

    first = (4 - F(5, 7)) / 4 + F(5, 7) / 4 * F(1, 7)
    b_after_a = (1 - F(5, 7)) / 2 + 2 * F(5, 7) / 2 * F(1, 7)
    second = (3 - F(1, 2)) / 4 + 2 * F(1, 2) / 4 * b_after_a
    end_after_b = 2 * F(5, 7) / 2 * F(2, 7)
    third = 2 * F(1, 2) / 3 * end_after_b  # a b ⟩ was not seen; after a b come d 2 and c 1
    assert np.exp(model.log_probs(np.array([A, B, EOS]))) == pytest.approx([float(first), float(second), float(third)])


documents = st.lists(st.lists(st.integers(2, 5), max_size=9), min_size=1, max_size=6)
orders = st.integers(1, 5)


def plain_probability(corpus: list[list[int]], order: int, size: int, context: tuple[int, ...], word: int) -> F:
    """Chen & Goodman's definition, read aloud: no table is kept and no number is rounded."""
    seen = [Counter(d[i : i + n] for d in map(tuple, corpus) for i in range(len(d) - n + 1)) for n in range(order + 2)]

    def count(gram: tuple[int, ...]) -> int:
        if gram == (0,):
            return 0
        if len(gram) == order or gram[0] == 0:
            return seen[len(gram)][gram]
        return len({longer[0] for longer in seen[len(gram) + 1] if longer[1:] == gram})

    def discount(gram: tuple[int, ...]) -> F:
        of = Counter(count(other) for other in seen[len(gram)])
        if not (of[1] and of[2]):
            return F(1, 2)
        y = F(of[1], of[1] + 2 * of[2])
        if of[3] and of[4]:
            three = [1 - 2 * y * F(of[2], of[1]), 2 - 3 * y * F(of[3], of[2]), 3 - 4 * y * F(of[4], of[3])]
            if all(0 < three[c - 1] < c for c in (1, 2, 3)):
                return three[min(count(gram), 3) - 1]
        return y

    def likelihood(history: tuple[int, ...], w: int) -> F:
        followers = [gram for gram in seen[len(history) + 1] if gram[:-1] == history and count(gram)]
        shorter = likelihood(history[1:], w) if history else F(1, size - 1)
        if not followers:
            return shorter
        total = sum(count(gram) for gram in followers)
        kept = sum(count(gram) - discount(gram) for gram in followers if gram[-1] == w)
        return (kept + sum(discount(gram) for gram in followers) * shorter) / total

    return likelihood(context[max(0, len(context) - order + 1) :], word)


@settings(max_examples=40, deadline=None)
@given(documents, orders, st.booleans(), st.lists(st.integers(1, 6), max_size=6))
def test_agrees_with_the_plain_definition(corpus, order, marked, text):
    if not marked and not any(corpus):
        corpus = [[3]]
    model = KneserNey(order).fit([np.array(d, np.int32) for d in corpus], 7, bos_id=0, eos_id=1 if marked else None)
    padded = [[0, *d, 1] if marked else [0, *d] for d in corpus]
    expected = [float(plain_probability(padded, order, 7, (0, *text[:i]), w)) for i, w in enumerate(text)]
    assert np.exp(model.log_probs(np.array(text, np.int32))) == pytest.approx(expected, rel=1e-12)


def test_agrees_with_the_plain_definition_where_the_discounts_are_modified_ones():
    rng = np.random.default_rng(1)
    corpus = [[int(w) for w in np.minimum(rng.zipf(1.4, 30) + 1, 12)] for _ in range(5)]
    model = KneserNey(3).fit([np.array(d) for d in corpus], 13, bos_id=0, eos_id=1)
    assert [order.estimate for order in model.discounts] == ["single", "modified", "modified"]
    text = corpus[0][:6] + corpus[1][3:6]
    padded = [[0, *d, 1] for d in corpus]
    expected = [float(plain_probability(padded, 3, 13, (0, *text[:i]), w)) for i, w in enumerate(text)]
    assert np.exp(model.log_probs(np.array(text))) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(documents, orders, st.booleans(), st.lists(st.integers(0, 6), max_size=6), st.booleans())
def test_probabilities_sum_to_one_in_every_context(corpus, order, marked, context, from_begin):
    """Seen and unseen contexts, with ids that no document has, with the begin mark at any place."""
    sequences = [np.array(d, np.int64) for d in corpus] + [np.array([2, 3])]
    model = KneserNey(order).fit(sequences, 7, bos_id=0, eos_id=1 if marked else None)
    before = np.array([0, *context] if from_begin else context, np.int64)
    probs = model.distribution(before)
    assert probs[0] == 0 and (probs[1:] > 0).all()
    assert probs.sum() == pytest.approx(1, abs=1e-12)
    one_by_one = [probability(model, word, *before) for word in range(1, 7)]
    assert probs[1:] == pytest.approx(one_by_one, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(documents, orders, st.booleans(), st.lists(st.integers(1, 6), max_size=8), st.booleans())
def test_a_hit_is_the_likeliest_of_the_whole_distribution(corpus, order, marked, text, cut):
    """Every id is tried after every context; where several are equally likely, exactly one of them is the hit."""
    sequences = [np.array(d, np.int64) for d in corpus] + [np.array([2, 3])]
    model = KneserNey(order).fit(sequences, 7, bos_id=0, eos_id=1 if marked else None)
    for place in range(len(text) + 1):
        context = np.array(text[:place] if cut else [0, *text[:place]], np.int64)
        probs = model.distribution(context)
        right = [word for word in range(1, 7) if model.top1(np.array([word]), context)[0]]
        assert len(right) == 1 and probs[right[0]] == pytest.approx(probs.max(), rel=1e-12)


def test_top1_of_a_text_are_those_of_its_ids_one_by_one(monkeypatch):
    rng = np.random.default_rng(5)
    train, text = np.minimum(rng.zipf(1.5, 3000) + 1, 29), np.minimum(rng.zipf(1.5, 400) + 1, 29)
    model = KneserNey(4).fit([train], 30, bos_id=0, eos_id=None)
    whole = model.top1(text)
    assert 0.2 < whole.mean() < 0.9 and set(whole.tolist()) == {0.0, 1.0}
    one_by_one = [model.top1(text[i : i + 1], np.array([0, *text[:i]]))[0] for i in range(len(text))]
    assert whole.tolist() == one_by_one
    monkeypatch.setattr(counts, "CHUNK", 64)
    monkeypatch.setattr(guesses, "CHUNK", 64)
    in_pieces = KneserNey(4).fit([train], 30, bos_id=0, eos_id=None)
    assert in_pieces.top1(text).tolist() == whole.tolist()


def test_uniform_guesses_at_random():
    assert Uniform(5).top1(np.array([2, 4, 1])).tolist() == pytest.approx([1 / 4] * 3)


def test_a_begin_mark_that_is_not_the_first_id():
    moved = {BOS: 5, EOS: 0, A: 1, B: 2, C: 3, D: 4}
    there = KneserNey(3).fit([np.array([moved[w] for w in d]) for d in CORPUS.copy()], 6, bos_id=5, eos_id=0)
    here = KneserNey(3).fit(CORPUS, 6, bos_id=BOS, eos_id=EOS)
    text = [A, B, B, D, EOS]
    assert there.log_probs(np.array([moved[w] for w in text])) == pytest.approx(here.log_probs(np.array(text)))


def test_history_goes_as_far_as_the_order_and_no_further():
    rng = np.random.default_rng(3)
    model = KneserNey(4).fit([rng.integers(2, 8, 400)], 8, bos_id=0, eos_id=None)
    text = rng.integers(2, 8, 50)
    whole = model.log_probs(text)
    for cut in (3, 4, 20):
        assert np.array_equal(model.log_probs(text[cut:], text[:cut]), whole[cut:])
        assert np.array_equal(model.log_probs(text[cut:], text[cut - 3 : cut]), whole[cut:])
    assert not np.array_equal(model.log_probs(text[20:], text[18:20]), whole[20:])
    assert len(model.log_probs(text[:0])) == 0


def test_longer_orders_than_the_text_has_n_grams():
    model = KneserNey(6).fit([np.array([2])], size=4, bos_id=0, eos_id=None)
    assert [order.estimate for order in model.discounts] == ["fixed"] * 6
    # Half of the one count goes to 1, 2 and 3 alike: p(2) = 1/2 + 1/6, and after ⟨: 1/2 + 1/2·(2/3).
    assert np.exp(model.log_probs(np.array([2, 2, 3]))) == pytest.approx([5 / 6, 2 / 3, 1 / 6], rel=1e-15)


def test_uniform_and_the_names_of_the_baselines():
    text = np.array([A, B, EOS])
    baselines = language_baselines()
    scores = {name: model.fit(CORPUS, 6, BOS, EOS).log_probs(text) for name, model in baselines.items()}
    assert scores["uniform"] == pytest.approx([np.log(1 / 5)] * 3)
    assert np.array_equal(scores["bigram"], KneserNey(2).fit(CORPUS, 6, BOS, EOS).log_probs(text))
    assert np.array_equal(scores["kneser-ney-5"], KneserNey(5).fit(CORPUS, 6, BOS, EOS).log_probs(text))
    assert all(values.dtype == np.float64 for values in scores.values())


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: KneserNey(0), "order: expected 1 or more, got 0"),
        (lambda: KneserNey(2).log_probs(np.array([2])), "call fit first"),
        (lambda: Uniform().log_probs(np.array([2])), "give it a size, or call fit first"),
        (lambda: Uniform(1), "size: expected 2 or more"),
        (lambda: KneserNey().fit(CORPUS, 6, 0, 0), "two different ids, got 0"),
        (lambda: KneserNey().fit(CORPUS, 6, 9, 1), "bos_id: expected an id from 0 to 5, got 9"),
        (lambda: KneserNey().fit(CORPUS, 5, 0, 1), "sequence 2: expected ids from 0 to 4, got ids from 2 to 5"),
        (lambda: KneserNey().fit([np.array([0, 2])], 6, 0, 1), r"sequence 1: .* got the begin mark \(0\)"),
        (lambda: KneserNey().fit([np.array([2, 1])], 6, 0, 1), r"sequence 1: .* got the end mark \(1\)"),
        (lambda: KneserNey(2).fit(CORPUS, 6, 0, 1).log_probs(np.array([0])), "the sequence: .* got the begin mark"),
        (
            lambda: KneserNey(2).fit(CORPUS, 6, 0, 1).log_probs(CORPUS[0], np.array([7])),
            "the context: expected ids from",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt()


@pytest.mark.parametrize("sequences", [[], [np.array([], np.int64)]])
def test_nothing_to_count(sequences):
    with pytest.raises(DataError, match="expected text to count, got none"):
        KneserNey(3).fit(sequences, 6, bos_id=0, eos_id=None)
