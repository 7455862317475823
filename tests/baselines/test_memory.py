"""Counting some ids at a time gives the same numbers, and takes no more memory than is said."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from recurra.baselines import KneserNey, Uniform
from recurra.baselines.counts import CHUNK
from recurra.errors import UsageError


@pytest.mark.parametrize("end", [1, None])
def test_counting_in_pieces_changes_nothing(monkeypatch, end):
    """A piece may begin and end anywhere: between two documents, within an n-gram, within what follows a context."""
    rng = np.random.default_rng(5)
    corpus = [np.minimum(rng.zipf(1.5, length) + 1, 12) for length in rng.integers(0, 40, 30)]
    text = np.minimum(rng.zipf(1.5, 300) + 1, 12)
    whole = KneserNey(4).fit(corpus, 13, bos_id=0, eos_id=end)
    expected = whole.log_probs(text)
    for chunk in (1, 2, 7, 64):
        for module in ("counts", "orders"):
            monkeypatch.setattr(f"recurra.baselines.{module}.CHUNK", chunk)
        model = KneserNey(4).fit(corpus, 13, bos_id=0, eos_id=end)
        assert model.discounts == whole.discounts
        assert np.array_equal(model.log_probs(text), expected)


def test_a_text_that_takes_more_than_the_memory_is_counted_from_its_end():
    """Of noise nearly every n-gram is another one, and takes as much as is said; of a regular text hardly any is."""
    noise = np.random.default_rng(6).integers(2, 258, 40_000)
    model = KneserNey(4, memory=2**20).fit([noise], 258, bos_id=0, eos_id=None)
    assert model.trained_on == 5_000
    last = KneserNey(4).fit([noise[-5_000:]], 258, bos_id=0, eos_id=None)
    assert last.trained_on == 5_000
    assert np.array_equal(model.log_probs(noise[:500]), last.log_probs(noise[:500]))
    regular = np.tile(noise[:100], 400)
    assert KneserNey(4, memory=2**20).fit([regular], 258, bos_id=0, eos_id=None).trained_on == 40_000


def test_documents_are_counted_whole_from_the_last_on():
    rng = np.random.default_rng(7)
    corpus = [rng.integers(2, 258, length) for length in rng.integers(100, 900, 80)]
    units = sum(len(document) + 1 for document in corpus)
    model = KneserNey(4, memory=2**20).fit(corpus, 258, bos_id=0, eos_id=1)
    counted = [sum(len(document) + 1 for document in corpus[first:]) for first in range(len(corpus))]
    assert model.trained_on in counted and model.trained_on <= units // 2
    kept = corpus[counted.index(model.trained_on) :]
    same = KneserNey(4).fit(kept, 258, bos_id=0, eos_id=1)
    assert model.discounts == same.discounts
    assert np.array_equal(model.log_probs(corpus[0]), same.log_probs(corpus[0]))
    # A last document that is too long by itself is cut, and ends as it did.
    long = KneserNey(4, memory=2**20).fit([corpus[0], np.concatenate(corpus)], 258, bos_id=0, eos_id=1)
    part = np.concatenate(corpus)[-(long.trained_on - 1) :]
    assert np.array_equal(
        long.log_probs(corpus[0]), KneserNey(4).fit([part], 258, bos_id=0, eos_id=1).log_probs(corpus[0])
    )


@pytest.mark.parametrize("regular", [True, False])
def test_counting_takes_no_more_memory_than_is_said(regular):
    rng = np.random.default_rng(8)
    text = np.tile(rng.integers(2, 258, 1_000), 3_000) if regular else rng.integers(2, 258, 3_000_000)
    text, memory = text.astype(np.int32), 64 * 2**20
    tracemalloc.start()
    try:
        model = KneserNey(5, memory=memory).fit([text], 258, bos_id=0, eos_id=None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert model.trained_on == (3_000_000 if regular else 375_000)
    # What is sorted at a time comes on top: a constant, which does not grow with the text.
    assert peak < memory + 40 * CHUNK


@pytest.mark.parametrize(("end", "units"), [(None, 5), (1, 7)])
def test_all_is_counted_where_the_memory_suffices(end, units):
    for baseline in (Uniform(), KneserNey(3)):
        assert baseline.fit([np.array([2, 3, 2]), np.array([3, 3])], 4, 0, end).trained_on == units


@pytest.mark.parametrize("memory", [1e5, float("nan")])
def test_a_memory_that_holds_nothing_is_refused(memory):
    with pytest.raises(UsageError, match="memory: expected 1048576 bytes or more, got "):
        KneserNey(5, memory=memory)
