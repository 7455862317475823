import random
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.text.vocabulary import CharacterVocabulary
from recurra.text.vocabulary.graphemes import CODE_POINTS, always_separate, cluster_starts, code_points, split_blocks

PARTS = [
    *"abc .\t\r\n中春眠가각각กำकषति\u0301\u0308\u200d\ufe0f\u094d🏽👩❤🇫🇷🇩\u0600\0\u2028\ue000",
    *["\r\n", "é", "q\u0307\u0323", "👩‍👩‍👧", "👍🏽", "🇫🇷", "क्षि", "한국", "<end>", "𠮷", "葛\U000e0100"],
]
MIXED = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


def clusters(text: str) -> list[str]:
    """What the library finds in the whole text, without any of our short cuts."""
    return regex.findall(r"\X", unicodedata.normalize("NFC", text))


@settings(max_examples=400, deadline=None)
@given(text=MIXED | st.text())
def test_clusters_begin_where_the_whole_text_says(text):
    starts = cluster_starts(code_points(text))
    assert np.flatnonzero(starts).tolist() == [match.start() for match in regex.finditer(r"\X", text)]


def test_code_points_that_stand_alone_never_join_each_other():
    ours = [chr(code) for code in np.flatnonzero(always_separate()) if not 0xD800 <= code <= 0xDFFF]
    assert len(ours) > 1_000_000
    # Every code point between two others, in an order that mixes scripts.
    random.Random(0).shuffle(ours)
    ours = ours[:150_000]
    assert len(regex.findall(r"\X", "".join(ours))) == len(ours)
    # Nothing that joins anything is among them.
    for letter in "\r\u0301\u200d\ufe0f\u094d\u0903각🏽🇫\u0600":
        assert not always_separate()[ord(letter)]


@settings(max_examples=200, deadline=None)
@given(text=MIXED, size=st.integers(1, 5))
def test_blocks_never_cut_a_cluster(text, size):
    cut = list(split_blocks(text, size))
    assert "".join(cut) == text
    assert [cluster for block in cut for cluster in regex.findall(r"\X", block)] == regex.findall(r"\X", text)


@settings(max_examples=400, deadline=None)
@given(known=MIXED, text=MIXED)
def test_there_are_as_many_starts_as_clusters(known, text):
    vocabulary = CharacterVocabulary.build([known], min_count=1)
    ids = vocabulary.encode(text)
    assert vocabulary.unit_starts(ids).sum() == len(clusters(text))
    assert vocabulary.decode(ids) == unicodedata.normalize("NFC", text)
    # Each stretch from start to start is one cluster.
    cuts = [*np.flatnonzero(vocabulary.unit_starts(ids)).tolist(), len(ids)]
    assert [vocabulary.decode(ids[a:b]) for a, b in pairwise(cuts)] == clusters(text)


@settings(max_examples=200, deadline=None)
@given(text=MIXED)
def test_known_clusters_are_one_id_each(text):
    vocabulary = CharacterVocabulary.build([text], min_count=1)
    assert len(vocabulary.encode(text)) == len(clusters(text))
    assert sorted(vocabulary.units) == sorted(set(clusters(text)))


@settings(max_examples=200, deadline=None)
@given(text=MIXED, ids=st.lists(st.integers(0, 300), max_size=30))
def test_starts_of_any_ids_are_well_defined(text, ids):
    vocabulary = CharacterVocabulary.build([text + "abc"], min_count=1)
    ids = [id % vocabulary.size for id in ids]
    starts = vocabulary.unit_starts(ids)
    for id, start in zip(ids, starts, strict=True):
        if id < 2:
            assert start
        elif 2 + 0x80 <= id < 2 + 0xC0:
            assert not start
    # A mark keeps what is left of it from what is right of it.
    assert vocabulary.unit_starts([*ids, vocabulary.eos_id, *ids]).tolist() == [*starts, True, *starts]


def test_fallback_goes_by_code_points_first_and_bytes_then():
    vocabulary = CharacterVocabulary.build(["e e 👩 👩"])
    assert [vocabulary.label(id) for id in vocabulary.encode("e\u0302\u0323")] == ["<0xE1>", "<0xBB>", "<0x87>"]
    ids = vocabulary.encode("👩\u200de\u0332")
    assert [vocabulary.label(id) for id in ids] == ["👩", "<0xE2>", "<0x80>", "<0x8D>", "e", "<0xCC>", "<0xB2>"]
    assert vocabulary.unit_starts(ids).tolist() == [True, False, False, False, True, False, False]


def test_units_come_by_count_then_by_code_point():
    vocabulary = CharacterVocabulary.build(["bbb", "aa中中cc", "x"])
    assert vocabulary.units == ["b", "a", "c", "中"]
    assert vocabulary.size == 2 + 256 + 4
    assert [vocabulary.label(id) for id in vocabulary.encode("xb")] == ["x", "b"]
    assert vocabulary.encode("x").tolist() == [2 + ord("x")]
    assert CharacterVocabulary.build(["bbbaa中中cc"], max_size=260).units == ["b", "a"]
    with pytest.raises(UsageError, match="max_size: expected a whole number of at least 258"):
        CharacterVocabulary.build(["a"], max_size=257)


def test_the_line_break():
    assert CharacterVocabulary.build(["a\na\n"]).line_break_id == 2 + 256
    windows = CharacterVocabulary.build(["a\r\nb\r\n"])
    assert windows.label(windows.line_break_id or 0) == "\r\n"
    assert CharacterVocabulary.build(["one line"]).line_break_id is None


def test_long_texts_are_encoded_by_blocks_as_if_whole(monkeypatch):
    text = "".join(random.Random(1).choices(PARTS, k=3000))
    vocabulary = CharacterVocabulary.build([text])
    whole = vocabulary.encode(text).tolist()
    monkeypatch.setattr("recurra.text.vocabulary.characters.split_blocks", lambda text: split_blocks(text, 17))
    assert vocabulary.encode(text).tolist() == whole
    assert CharacterVocabulary.build([text]) == vocabulary


def test_a_table_has_a_place_for_each_code_point():
    assert len(always_separate()) == CODE_POINTS == 0x110000
