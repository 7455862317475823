import lzma
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.text.vocabulary import WordVocabulary
from recurra.text.vocabulary.words import guess_split, split_words

ENGLISH = '"Well," she said, "it\'s 3.14 (or so) -- isn\'t it?" He paid $1,000 to the U.S.\nThe well-known end...\n'
CHINESE = "“春眠不觉晓，处处闻啼鸟。”\n夜来风雨声——花落知多少？《春晓》写于2024年。\n"
PTB = " mr. <unk> is chairman of <unk> n.v. the dutch publishing group \n it is n't a $ N a share offer \n"


@pytest.mark.parametrize(
    ("text", "split"),
    [
        (ENGLISH, "punctuation"),
        (CHINESE, "punctuation"),
        ("春眠不觉晓 处处闻啼鸟", "punctuation"),
        ("今日はいい天気です", "punctuation"),
        ("The cat sat.\nThe dog sat.\n", "punctuation"),
        (PTB, "space"),
        ("The cat , the dog .\nIt 's so .\n", "space"),
        ("我们 喜欢 春天 。\n他 也 喜欢 。\n", "space"),
        ("the cat sat on the mat", "space"),
        ("", "space"),
    ],
)
def test_the_split_is_guessed(text, split):
    assert guess_split([text]) == split
    assert guess_split(["", *text.splitlines()] if text.endswith("\n") else [text]) == split


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, "Don't stop—go on/off: 'yes'.\n", "100% of [them] ¿sí? «oui»!\n"])
def test_raw_text_comes_back(text):
    vocabulary = WordVocabulary.build([text], min_count=1, split="punctuation")
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_raw_words():
    assert split_words("I can't, o’er <unk> <br>.\r\n《春》が好き：２つ👩‍👩‍👧!", "punctuation") == [
        *["I", "can't", ",", "o’er", "<unk>", "<br>", ".", "\n"],
        *["《", "春", "》", "が", "好", "き", "：", "２", "つ", "👩‍👩‍👧", "!"],
    ]
    assert split_words("a\rb\u2028c\x1cd \u0600 e", "punctuation") == ["a", "\n", "b", "c", "d", "\u0600", "e"]


def test_chinese_and_english_side_by_side():
    vocabulary = WordVocabulary.build(["我 爱 NLP ， 2024 年 (a) 春 ! ok"], min_count=1, split="punctuation")
    assert vocabulary.decode(vocabulary.encode("我爱NLP，2024年 (a) 春! ok")) == "我爱 NLP，2024年(a)春! ok"


def test_the_penn_convention():
    vocabulary = WordVocabulary.build([PTB])
    assert vocabulary.split == "space"
    ids = vocabulary.encode(PTB)
    assert [vocabulary.label(id) for id in ids][:3] == ["mr.", "<unk>", "is"]
    assert ids[1] == 2 == vocabulary.encode("zebra")[0]
    assert vocabulary.label(ids[-1]) == "<eos>" and ids[-1] == vocabulary.line_break_id
    assert vocabulary.size == 2 + len(set(PTB.split())) + 1
    assert vocabulary.decode(ids) == "\n".join(" ".join(line.split()) for line in PTB.splitlines()) + "\n"


def test_counts_and_sizes():
    assert WordVocabulary.build(["a a b"], split="space").words == ["a"]
    assert WordVocabulary.build(["a a b <unk>"], split="space").words == ["a", "b"]
    assert WordVocabulary.build(["b b a a c\n"], split="space").words == ["a", "b", "\n"]
    assert WordVocabulary.build(["b b a a c\n"], split="space", max_size=5).words == ["a", "\n"]
    assert WordVocabulary.build(["b b a a c\n"], split="space", max_size=5).size == 5
    assert WordVocabulary.build(["a a"], split="space").line_break_id is None
    with pytest.raises(UsageError, match="max_size"):
        WordVocabulary.build(["a"], max_size=3)


def test_a_word_that_looks_like_a_mark_is_a_word():
    for split in ("space", "punctuation"):
        vocabulary = WordVocabulary.build(["<end> <end> <begin> <begin>"], split=split)
        ids = vocabulary.encode("<end> <begin>")
        assert ids.min() > 2
        assert vocabulary.decode(ids) == "<end> <begin>"


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="ab\n \t.中<\r\u3000", max_size=40), data=st.data())
def test_with_spaces_any_ids_come_back(text, data):
    vocabulary = WordVocabulary.build([text + " a b\n"], min_count=1, split="space")
    ids = data.draw(st.lists(st.integers(2, vocabulary.size - 1)))
    assert vocabulary.encode(vocabulary.decode(ids)).tolist() == ids


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_raw_text_loses_nothing_but_space(text):
    vocabulary = WordVocabulary.build([text], min_count=1, split="punctuation")
    decoded = vocabulary.decode(vocabulary.encode(text))
    assert "".join(decoded.split()) == "".join(unicodedata.normalize("NFC", text).split())


@pytest.mark.skipif("RECURRA_DATA" not in os.environ, reason="RECURRA_DATA does not name a folder with the set ptb")
def test_the_penn_treebank_has_ten_thousand_words():
    folder = Path(os.environ["RECURRA_DATA"]) / "ptb"
    train = lzma.decompress((folder / "ptb.train.txt.xz").read_bytes()).decode("utf-8")
    vocabulary = WordVocabulary.build([train])
    assert vocabulary.split == "space"
    assert vocabulary.size == 10_000 + 2
    assert len(vocabulary.encode(train)) == 929_589
    assert len(vocabulary.encode((folder / "ptb.test.txt").read_text(encoding="utf-8"))) == 82_430
