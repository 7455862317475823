"""Bytes to text: what is wrong is found at its byte, and the hint names the likely encoding."""

from __future__ import annotations

import codecs
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError
from recurra.text.read.decode import decode, detect_encoding, find_defect, is_binary, normalise

POEM = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。\n"
NEWS = "中国的经济在这个时候发展得很好，人们都说这是一个大国的样子。\n"


@given(st.text(st.characters(exclude_characters="\0\r\ufeff", exclude_categories=["Cs"])))
def test_any_text_is_read_back(text: str) -> None:
    assert decode(text.encode(), "a") == text
    assert decode(codecs.BOM_UTF8 + text.encode(), "a") == text
    assert decode(text.replace("\n", "\r\n").encode(), "a") == text
    assert decode(text.replace("\n", "\r").encode(), "a") == text


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.sampled_from([b"\xff", b"\xc0"]))
def test_the_first_wrong_byte_is_named_with_its_line(text: str, wrong: bytes) -> None:
    before = codecs.BOM_UTF8 + text.encode()
    with pytest.raises(DataError) as caught:
        decode(before + wrong + b" and more", "a.txt")
    message = str(caught.value)
    assert message.startswith(
        f"a.txt: line {before.count(10) + 1}: byte {len(before)}: expected UTF-8 text, got byte 0x"
    )


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (POEM.encode("big5"), "looks like BIG5: convert it with 'iconv -f big5 -t utf-8 OLD > NEW'"),
        (POEM.encode("gb18030"), "looks like GB18030"),
        (NEWS.encode("gbk") * 50, "looks like GB18030: convert it with 'iconv -f gb18030 -t utf-8 OLD > NEW'"),
        (b"title: a long line that is ASCII\n" * 1000 + NEWS.encode("gbk"), "looks like GB18030"),
        ("Á".encode() + NEWS.encode("gbk"), "looks like GB18030"),  # begins as UTF-8 would
        ("杨柳青青".encode("gbk"), "GB18030"),
        ("le café est très bon, à côté\n".encode("latin-1"), "looks like Latin-1 or Windows-1252"),
        ("cafés".encode("latin-1"), "Latin-1"),
        ("широкая электрификация".encode("koi8-r"), "iconv -f"),
        (NEWS.encode() * 30 + b"\xff" + NEWS.encode() * 30, "the rest is UTF-8: mend or remove this byte"),
        ((NEWS * 30).encode()[:-2], "ends within a character: is it cut off?"),
        (NEWS.encode("utf-16"), "iconv -f utf-16 "),
        (NEWS.encode("utf-32"), "iconv -f utf-32 "),
        (b"plain".decode().encode("utf-16-le"), "iconv -f utf-16le "),
        (b"plain".decode().encode("utf-16-be"), "iconv -f utf-16be "),
        (b"\x1f\x8b\x08\x00", "got a gzip file; give it the suffix .gz"),
        (b"%PDF-1.4", "got a PDF document; export it as plain text"),
        (b"\x89PNG\r\n", "got a PNG image"),
    ],
)
def test_the_hint_names_what_the_file_may_be(data: bytes, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        decode(data, "a.txt")
    assert hint in str(caught.value)


def test_a_binary_file_is_named_with_its_first_nul() -> None:
    with pytest.raises(DataError, match=r"^a: byte 9: expected text, got a binary file \(a NUL byte\)$"):
        decode(b"one\ntwo x\0\xff", "a")


def test_what_is_binary_is_recognised_by_the_first_bytes() -> None:
    assert is_binary(b"\x7fELF") and is_binary(b"abc\0def")
    assert not is_binary(POEM.encode())
    assert not is_binary(POEM.encode("gbk"))
    assert not is_binary(POEM.encode("utf-16"))  # text, and so to be reported rather than passed over


@given(st.text())
def test_normalising_is_nfc_with_one_kind_of_line_break(text: str) -> None:
    expected = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert normalise(text) == expected
    assert normalise(expected) == expected


@given(st.text("e\u0301\u0316\u0327\u0f73\u0344\u0903가\u11a8", max_size=60), st.integers(64, 200))
def test_long_runs_of_marks_are_normalised_as_short_ones_are(text: str, count: int) -> None:
    hard = text + "\u0301\u0316\u0f73" * count + text
    assert normalise(hard) == unicodedata.normalize("NFC", hard)


def test_a_hostile_run_of_marks_takes_linear_time() -> None:
    start = time.perf_counter()
    assert len(normalise("e" + "\u0301\u0316" * 500_000)) == 1_000_000  # insertion sort: a quarter of an hour
    assert time.perf_counter() - start < 20


def test_defects() -> None:
    assert find_defect("春\n") is None
    assert "NUL" in (find_defect("a\0b") or "")
    assert find_defect("a\ud83d") == "holds half of a surrogate pair, \\ud83d"
    lenient = decode(b"caf\xe9", "a", lenient=True)
    assert find_defect(lenient, lenient=True) == "expected UTF-8 text, got byte 0xe9"


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16", "utf-32"])
def test_an_encoding_that_is_plain_is_known(encoding: str) -> None:
    assert detect_encoding((POEM * 20).encode(encoding)) == encoding


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        NEWS.encode(),
        codecs.BOM_UTF8 + NEWS.encode(),
        NEWS.encode() * 30 + b"\xff" + NEWS.encode() * 30,
        (NEWS * 30).encode()[:-2],
        "широкая электрификация".encode("koi8-r"),
        b"\x89PNG\r\n",
        b"nul \0 \xe9",
        codecs.BOM_UTF16_LE + b"x",
        b"undefined in Windows-1252: \x81 in a long line of plain text",
    ],
)
def test_no_encoding_is_known_where_there_is_none_or_doubt(data: bytes) -> None:
    assert detect_encoding(data) is None
