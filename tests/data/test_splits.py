"""Splits partition, keep copies together, never move a document, and cut a text where its published split does."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recurra.data.splits import SplitIndices, hash_fraction, split_documents, split_text
from recurra.errors import DataError, RecurraError, UsageError

shares = st.integers(0, 45).map(lambda percent: percent / 100)
many = [f"document {index}" for index in range(2000)]


def sides(documents: list[str], split: SplitIndices) -> dict[str, str]:
    return {
        documents[index]: part
        for part, indices in (("train", split.train), ("valid", split.valid), ("test", split.test))
        for index in indices
    }


def split_or_none(documents: list[str], valid: float, test: float) -> SplitIndices | None:
    try:
        return split_documents(documents, valid, test)
    except DataError:
        return None


@given(st.text(), st.text(max_size=20))
def test_a_share_lies_in_0_to_1_and_is_a_function_of_its_arguments(key: str, salt: str) -> None:
    assert 0 <= hash_fraction(key, salt) < 1
    assert hash_fraction(key, salt) == hash_fraction(str(key), str(salt))
    assert hash_fraction(key) == hash_fraction(key.encode())


def test_shares_are_the_published_numbers_and_so_the_same_on_every_machine() -> None:
    assert hash_fraction("") == (0xE4A6A0577479B2B4 >> 11) / 2**53  # BLAKE2b-64 of nothing
    assert hash_fraction("abc", salt="a") != hash_fraction("abc", salt="b")


def test_shares_are_uniform() -> None:
    # 2,000 draws: the standard deviation of the count below 0.1 is 13.4.
    for salt in ("", "a", "春"):
        assert abs(sum(hash_fraction(document, salt) < 0.1 for document in many) - 200) < 60


@given(st.lists(st.text(max_size=8), max_size=60), shares, shares)
def test_every_document_falls_into_one_part(documents: list[str], valid: float, test: float) -> None:
    split = split_or_none(documents, valid, test)
    assume(split is not None)
    assert split is not None
    assert sorted(split.train + split.valid + split.test) == list(range(len(documents)))
    for part, share in ((split.train, 1.0), (split.valid, valid), (split.test, test)):
        assert part == sorted(part)
        assert bool(part) == (share > 0)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=30), st.integers())
def test_no_document_moves_when_others_are_added_or_reordered_and_copies_stay_together(documents, seed) -> None:
    before = sides(many, split_documents(many, 0.1, 0.2))
    together = many + documents + documents
    Random(seed).shuffle(together)
    after = sides(together, split := split_documents(together, 0.1, 0.2))
    assert all(after[document] == part for document, part in before.items())
    parts = [{together[index] for index in part} for part in (split.train, split.valid, split.test)]
    assert sum(map(len, parts)) == len(set(together))


@given(shares, shares, shares, shares)
def test_a_larger_share_only_takes_from_training(valid: float, test: float, more: float, still: float) -> None:
    valid, more = sorted((valid, more))
    test, still = sorted((test, still))
    small, large = split_documents(many, valid, test), split_documents(many, more, still)
    assert set(small.valid) <= set(large.valid)
    assert set(small.test) <= set(large.test)
    assert set(small.train) >= set(large.train)


@given(st.integers(0, 10**9), shares, shares)
def test_a_text_is_cut_in_order_and_the_held_out_parts_are_at_its_end(length: int, valid: float, test: float) -> None:
    try:
        end_train, end_valid = split_text(length, valid, test)
    except DataError:
        assert length < 100
        return
    assert 0 < end_train <= end_valid <= length
    # Rounded down, in whole hundredths, which integers give without rounding.
    assert end_valid == length * (100 - round(100 * test)) // 100
    assert end_train == length * (100 - round(100 * test) - round(100 * valid)) // 100


@given(st.integers(1000, 10**7), shares, shares)
def test_more_text_never_shortens_a_part_by_more_than_its_rounding(length: int, valid: float, test: float) -> None:
    before, after = split_text(length, valid, test), split_text(length + 1, valid, test)
    assert all(old <= new <= old + 1 for old, new in zip(before, after, strict=True))


def test_tiny_shakespeare_is_split_as_published() -> None:
    length = 1_115_394
    assert split_text(length, 0, 0.1)[1] == int(0.9 * length) == 1_003_854
    end_train, end_valid = split_text(length, 0.05, 0.1)
    assert (end_valid, end_train) == (1_003_854, math.floor(length * 85 / 100))


@pytest.mark.parametrize(("valid", "test"), [(-0.1, 0), (0, 1), (0.5, 0.5), (0.9, 0.2), (math.nan, 0), (0, math.inf)])
def test_shares_that_are_none_are_refused(valid: float, test: float) -> None:
    for split in (lambda: split_text(100, valid, test), lambda: split_documents(many, valid, test)):
        with pytest.raises(UsageError, match=r"share|nothing to train on"):
            split()


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (lambda: split_documents(["one"], 0, 0.1), "1 documents puts none into the test share of 0.1"),
        (lambda: split_documents(["a", "a"], 0.1, 0), r"\(only 1 different\) puts none into the valid share"),
        (lambda: split_documents([], 0, 0), "none to train on"),
        (lambda: split_text(1, 0.1, 0.1), "1 units of text puts none into the valid share"),
        (lambda: split_text(1, 0, 0.1), "none to train on"),
        (lambda: split_text(0, 0, 0), "none to train on"),
    ],
)
def test_too_little_data_says_what_to_do(split, message: str) -> None:
    with pytest.raises(RecurraError, match=message) as caught:
        split()
    assert isinstance(caught.value, DataError)
    assert "; " in str(caught.value)
