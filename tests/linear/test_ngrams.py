from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.linear.ngram_stream import NgramStream
from recurra.linear.ngrams import (
    MAX_WORD_LENGTH,
    NgramFamily,
    all_units,
    characters,
    count_keys,
    counted_ngrams,
    frequent_keys,
    ngram_keys,
    split_words,
    units_of,
)

TEXTS = ["the cat sat on the mat", "The mat, the cat!", "a  dog\tsat", "", "cat cat cat"]


def plain_ngrams(units: list, longest: int) -> Counter:
    return Counter(
        tuple(units[start : start + count])
        for count in range(1, longest + 1)
        for start in range(len(units) - count + 1)
    )


@pytest.mark.parametrize(("unit", "longest"), [("word", 2), ("char", 4), ("word", 1)])
def test_every_ngram_is_counted_as_a_plain_loop_counts_it(unit, longest):
    units = [units_of(text, unit).tolist() for text in TEXTS]
    expected = [plain_ngrams(each, longest) for each in units]
    keys, where = ngram_keys(*all_units(TEXTS, unit), longest)
    for number, counted in enumerate(expected):
        assert sorted(Counter(keys[where == number].tolist()).values()) == sorted(counted.values())
    assert len(set(keys.tolist())) == len(set().union(*expected))
    vocabulary, shared = frequent_keys(keys, where, 2, 10**6)
    assert (np.diff(vocabulary.astype(object)) > 0).all()
    texts_with = Counter(ngram for counted in expected for ngram in counted)
    assert sorted(shared.tolist()) == sorted(count for count in texts_with.values() if count >= 2)
    counts = count_keys(counted_ngrams(*all_units(TEXTS, unit), longest), vocabulary)
    kept = {ngram for ngram, count in texts_with.items() if count >= 2}
    total = sum(count for counted in expected for ngram, count in counted.items() if ngram in kept)
    assert counts.values.sum() == total


def test_of_too_many_ngrams_the_commonest_are_kept():
    keys, where = ngram_keys(*all_units(["a b", "a c", "a b", "d"], "word"), 1)
    vocabulary, counts = frequent_keys(keys, where, 1, 2)
    assert sorted(counts.tolist()) == [2, 3]
    assert set(vocabulary.tolist()) == {int(units_of(word, "word")[0]) for word in "ab"} or len(vocabulary) == 2


def test_rows_are_scikit_learns():
    text = pytest.importorskip("sklearn.feature_extraction.text", reason="scikit-learn is the reference")
    family = NgramFamily.from_texts(TEXTS, "word", 2, least=1)
    vectoriser = text.TfidfVectorizer(
        analyzer="word", token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True
    )
    expected, found = vectoriser.fit_transform(TEXTS).toarray(), family.rows(TEXTS).to_dense().numpy()
    assert found.shape == expected.shape
    assert np.sort(found, 1) == pytest.approx(np.sort(expected, 1), abs=1e-6)
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-6)


def test_words_are_cut_where_they_are_too_long_and_signs_stand_alone():
    assert split_words("so good!?") == ["so", "good", "!", "?"]
    assert [len(word) for word in split_words("x" * (2 * MAX_WORD_LENGTH + 1))] == [MAX_WORD_LENGTH, MAX_WORD_LENGTH, 1]
    assert split_words("房间很好。") == ["房间很好", "。"]


def test_characters_keep_where_words_begin_and_end():
    assert units_of(" So\n\tGOOD ", "char").tolist() == characters(" so good ").tolist()
    assert len(units_of("  ", "char")) == 0


WEIGHTS = np.random.default_rng(0)


def made(unit: str, longest: int) -> tuple[NgramFamily, np.ndarray]:
    texts = [*TEXTS, "ab ab_c ß İ 房间 很好", "x" * 70 + "!", "a.b.c"]
    family = NgramFamily.from_texts(texts, unit, longest, least=1)
    return family, WEIGHTS.normal(size=(len(family.vocabulary), 3)).astype(np.float32)


FAMILIES = [made("word", 2), made("char", 4)]


def whole(text: str) -> np.ndarray:
    found = np.zeros(3)
    for family, weights in FAMILIES:
        counts = family.counts([text])
        found += family.values(counts, 1) @ weights[counts.columns].astype(np.float64)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet="ab cß_İ房很!.x\n\t ", max_size=9), max_size=6))
def test_a_stream_of_pieces_has_at_each_the_sums_of_the_text_up_to_it(pieces):
    stream = NgramStream([family for family, _ in FAMILIES], [weights for _, weights in FAMILIES], 3)
    state, text = stream.initial_state(), ""
    for piece in pieces:
        text += piece
        found, state = stream.step(piece, state)
        assert found == pytest.approx(whole(text), abs=1e-9), repr(text)


def test_a_long_word_comes_letter_by_letter():
    stream = NgramStream([family for family, _ in FAMILIES], [weights for _, weights in FAMILIES], 3)
    state, text = stream.initial_state(), ""
    for letter in "x" * 140 + "! a":
        text += letter
        found, state = stream.step(letter, state)
        assert found == pytest.approx(whole(text), abs=1e-9)
