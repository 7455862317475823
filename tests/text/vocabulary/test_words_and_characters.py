import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError, RunError, UsageError
from recurra.text.vocabulary import WordsAndCharacters
from recurra.text.vocabulary.words_and_characters import MAX_WORD_LENGTH

ENGLISH = ["The film is good; the actors are not.", "GOOD film!", "Not a good one…"]
CHINESE = ["房间很干净，服务也好。", "房间不好！", "wifi 很慢"]


def test_the_commonest_words_are_kept_without_regard_to_case():
    vocabulary = WordsAndCharacters.build(ENGLISH, max_words=4)
    assert vocabulary.words == ["good", "film", "not", "the"] and vocabulary.counts == [3, 2, 2, 2]
    cased = WordsAndCharacters.build(ENGLISH, max_words=4, fold=False)
    assert cased.words == ["film", "good", "!", "."]
    assert WordsAndCharacters.build(ENGLISH, min_count=3).words == ["good"]
    assert len(WordsAndCharacters.build(ENGLISH, max_words=None).words) == 13


def test_numbers_of_a_text():
    vocabulary = WordsAndCharacters.build(ENGLISH, max_words=4)
    text = vocabulary.encode("Good GOOD film, bad actors: good")
    assert text.places.tolist() == [0, 1, 2, 3, 4, 5, 6, 7] and len(text) == 8
    assert text.ids.tolist() == [1, 1, 2, 0, 0, 0, 0, 1] and text.counts.tolist() == [3, 3, 2, 0, 0, 0, 0, 3]
    letters = ["", *vocabulary.characters]
    assert "".join(letters[id] for id in text.spellings[2].tolist()) == "film"
    assert text.spellings[0].tolist() != text.spellings[7].tolist()  # case is kept in the characters
    again = vocabulary.encode("good good")
    assert again.places.tolist() == [0, 0] and len(again.spellings) == 1
    assert all(array.dtype == np.int32 for array in (text.places, text.ids, text.counts, *text.spellings))


def test_chinese_is_read_character_by_character():
    vocabulary = WordsAndCharacters.build(CHINESE)
    assert vocabulary.tokenize("房间好，wifi慢") == ["房", "间", "好", "，", "wifi", "慢"]
    text = vocabulary.encode("房间好")
    assert all(text.ids > 0) and [len(spelling) for spelling in text.spellings] == [1, 1, 1]
    unseen = vocabulary.encode("龘")
    assert unseen.ids.tolist() == [0] and unseen.spellings[0].tolist() == [0]


def test_lists_of_words_stay_as_they_are():
    vocabulary = WordsAndCharacters.build([["do", "n't", "New York", "", "do"], ["10\u00a0000"]])
    assert vocabulary.split == "punctuation"
    assert vocabulary.words == ["do", "10\u00a0000", "n't", "new york"]
    assert vocabulary.encode(["New York", "don't", ""]).ids.tolist() == [4, 0, 0]
    assert vocabulary.encode("don't").ids.tolist() == [0]


def test_characters_that_come_once_are_unknown():
    vocabulary = WordsAndCharacters.build(["aab abq", "bz"], split="space")
    assert vocabulary.characters == ["a", "b"]
    assert vocabulary.encode("baz").spellings[0].tolist() == [2, 1, 0]


def test_a_word_without_end_is_cut():
    vocabulary = WordsAndCharacters.build(["abc abc"], split="space")
    word = "a" * MAX_WORD_LENGTH + "b" * 10_000 + "c" * MAX_WORD_LENGTH
    assert vocabulary.encode(word).spellings[0].tolist() == [1] * (MAX_WORD_LENGTH // 2) + [3] * (MAX_WORD_LENGTH // 2)
    assert len(vocabulary.encode("a" * MAX_WORD_LENGTH).spellings[0]) == MAX_WORD_LENGTH


@pytest.mark.parametrize("text", ["", "  \n\r\n ", []])
def test_nothing_is_no_words(text):
    encoded = WordsAndCharacters.build(ENGLISH).encode(text)
    assert len(encoded) == len(encoded.ids) == len(encoded.spellings) == 0
    assert WordsAndCharacters.build([""]).words == []


@given(st.text(), st.booleans())
def test_every_text_has_numbers_in_range(text, fold):
    vocabulary = WordsAndCharacters.build(ENGLISH + CHINESE, fold=fold, max_words=9)
    words, encoded = vocabulary.tokenize(text), vocabulary.encode(text)
    assert len(encoded) == len(words) and "\n" not in words
    assert len(encoded.spellings) == len(encoded.ids) == len(encoded.counts) == len(set(words))
    for word, place in zip(words, encoded.places.tolist(), strict=True):
        folded = word.casefold() if fold else word
        assert encoded.ids[place] == (vocabulary.words.index(folded) + 1 if folded in vocabulary.words else 0)
        assert len(encoded.spellings[place]) == min(len(word), MAX_WORD_LENGTH)
        assert encoded.spellings[place].max() <= len(vocabulary.characters)


def test_composed_and_decomposed_letters_are_the_same():
    vocabulary = WordsAndCharacters.build(["café café"])
    assert vocabulary.encode("cafe\u0301").ids.tolist() == [1]


def test_it_is_saved_and_read_again(tmp_path):
    vocabulary = WordsAndCharacters.build(ENGLISH + CHINESE, max_words=9, fold=False)
    path = vocabulary.save(tmp_path)
    read = WordsAndCharacters.load(tmp_path)
    assert read == vocabulary and path.name == "vocabulary.json"
    first = path.read_bytes()
    assert read.save(tmp_path).read_bytes() == first
    text = read.encode("The 房间 is new")
    assert text.ids.tolist() == vocabulary.encode("The 房间 is new").ids.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "word"}, "unit: expected 'words and characters', got 'word'"),
        ({"split": "comma"}, "split: expected space or punctuation"),
        ({"fold": 1}, "fold: expected true or false, got 1"),
        ({"counts": [1]}, "counts: expected a list of"),
        ({"counts": 3}, "counts: expected a list of"),
        ({"words": ["a"], "counts": [0]}, r"counts\[0\]: expected a whole number from 1"),
        ({"words": ["a"], "counts": [True]}, r"counts\[0\]: expected a whole number from 1"),
        ({"words": ["a", "a"]}, "'a' is there twice"),
        ({"characters": ["ab"]}, r"characters\[0\]: expected one character, got 'ab'"),
        ({"extra": 1}, "expected the keys"),
        ({"version": 2}, "version: expected 1, got 2"),
    ],
)
def test_damage_is_found(tmp_path, change, message):
    path = WordsAndCharacters.build(ENGLISH).save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(RunError, match=message) as raised:
        WordsAndCharacters.load(tmp_path)
    assert str(path) in str(raised.value)


def test_what_makes_no_sense():
    with pytest.raises(UsageError, match="max_words: expected a whole number of at least 1, got 0"):
        WordsAndCharacters.build(ENGLISH, max_words=0)
    with pytest.raises(UsageError, match="split: expected auto, space or punctuation, got 'comma'"):
        WordsAndCharacters.build(ENGLISH, split="comma")
    with pytest.raises(UsageError, match="texts: expected a list of texts, got one text"):
        WordsAndCharacters.build("a text")
    with pytest.raises(DataError, match="lone surrogate U\\+D800"):
        WordsAndCharacters.build(ENGLISH).encode(["ok", "\ud800"])
    with pytest.raises(RunError, match="cannot be read: No such file"):
        WordsAndCharacters.load("/nowhere")
