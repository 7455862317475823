import bz2
import gzip
import lzma
import resource
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError, UsageError
from recurra.text.vectors import read_vectors

GLOVE = "the 0.1 -0.2 3e-1\n, 1 2 3\n中 4 5 6\n. . . 7 8 9\nat name@domain.com 1 1 1\nTHE 9 9 9\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def test_glove(write):
    matrix, found = read_vectors(write(GLOVE), ["中", "cat", "the", ". . .", "at name@domain.com", ","])
    assert matrix.dtype == np.float32 and found.dtype == np.bool_
    assert found.tolist() == [True, False, True, True, True, True]
    wanted = [[4, 5, 6], [0, 0, 0], [0.1, -0.2, 0.3], [7, 8, 9], [1, 1, 1], [1, 2, 3]]
    assert np.array_equal(matrix, np.array(wanted, dtype=np.float32))


@pytest.mark.parametrize("ends", ["\n", " \n", "\r\n", " \r\n"])
@pytest.mark.parametrize("space", [" ", "\t"])
def test_word2vec_and_fasttext_with_their_first_line(write, ends, space):
    lines = ["3 2", f"the 1{space}2", f"a\u00a0b{space}3 4", f"7{space}5 6"]
    for text in ("".join(line + ends for line in lines), ends.join(lines), "\ufeff" + ends.join(lines)):
        matrix, found = read_vectors(write(text), ["7", "a\u00a0b", "3", "the"])
        assert found.tolist() == [True, True, False, True]
        assert matrix.tolist() == [[5, 6], [3, 4], [0, 0], [1, 2]]


@pytest.mark.parametrize(
    ("name", "pack"),
    [("v.txt.gz", gzip.compress), ("v.vec.xz", lzma.compress), ("v.txt.bz2", bz2.compress), ("v.txt.zst", None)],
)
def test_compressed_files(write, name, pack):
    if pack is None:
        pack = pytest.importorskip("zstandard").ZstdCompressor().compress
    text = "".join(f"word{number} {number} {-number}\n" for number in range(5000)).encode()
    whole = write(pack(text[:20_000]) + pack(text[20_000:]), name)  # as `cat one.gz two.gz` makes it
    matrix, found = read_vectors(whole, ["word0", "word4999", "word5000"])
    assert found.tolist() == [True, True, False] and matrix[1].tolist() == [4999, -4999]
    content = whole.read_bytes()
    with pytest.raises(DataError, match=r"v\.\w+\.\w+: line \d+: the compressed data is cut off or damaged"):
        read_vectors(write(content[:-30], name), ["word0"])
    with pytest.raises(DataError, match="line 1: the compressed data is cut off or damaged"):
        read_vectors(write(b"no such thing\n", name), ["word0"])


def test_the_first_of_doubles_counts(write):
    assert read_vectors(write("a 1\nb 2\na 3\nA 4\n"), ["a", "A", "b"])[0].tolist() == [[1], [4], [2]]


def test_case(write):
    path = write("PARIS 1\nParis 2\nparis 3\nRome 4\nÉté 5\nstrasse 6\n")
    wanted = {
        "Paris": 2,
        "paris": 3,
        "PARIS": 1,
        "pAris": 3,
        "rome": 4,
        "Rome": 4,
        "ROME": 4,
        "été": 5,
        "STRASSE": 6,
        "Straße": 6,
    }
    matrix, found = read_vectors(path, list(wanted))
    assert found.all() and matrix[:, 0].tolist() == list(wanted.values())


def test_composed_and_decomposed_letters_are_the_same(write):
    assert read_vectors(write("cafe\u0301 1\n"), ["café"])[1].all()
    assert read_vectors(write("café 1\n"), ["cafe\u0301"])[1].all()


def test_words_may_bring_their_rows(write):
    matrix, found = read_vectors(write(GLOVE), {"the": 3, ",": 1, "x": 5})
    assert matrix.shape == (6, 3) and found.tolist() == [False, True, False, True, False, False]
    assert read_vectors(write(GLOVE), [])[0].shape == (0, 3)
    with pytest.raises(UsageError, match="words: expected rows from 0"):
        read_vectors(write(GLOVE), {"the": -1})


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters=" \t\r\n", codec="utf-8"), min_size=1).filter(
    lambda word: not word.isdigit()), st.lists(st.floats(-1e3, 1e3, width=32), min_size=4, max_size=4)), min_size=1, max_size=9))  # fmt: skip
def test_what_was_written_is_read(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("vectors") / "v.txt"
    path.write_bytes("".join(f"{word} {' '.join(map(repr, row))}\n" for word, row in pairs).encode())
    words = list(dict.fromkeys(word for word, _ in pairs))
    matrix, found = read_vectors(path, words)
    assert found.all() and matrix.shape == (len(words), 4)

    first: dict[str, list[float]] = {}
    for word, row in pairs:
        first.setdefault(unicodedata.normalize("NFC", word), row)
    for word, row in zip(words, matrix.tolist(), strict=True):
        assert row == first[unicodedata.normalize("NFC", word)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 1 2 3\na 1 2\n", "vectors.txt: line 2: expected a word and 3 numbers, got 2"),
        ("the 1 2 3\n\nthe 1 2 3 4\n", "vectors.txt: line 3: expected a word and 3 numbers, got 4"),
        ("2 3\nthe 1 2\nthe 1 2 3\n", "vectors.txt: line 2: expected a word and 3 numbers, got 2"),
        ("the 1 2 3\na 1 x 3\n", "vectors.txt: line 2: expected 3 numbers after the word, got 'x'"),
        ("the 1 2 3\na 1 nan 3\n", "vectors.txt: line 2: expected finite numbers"),
        ("the 1 2 3\na 1 1e99 3\n", "vectors.txt: line 2: expected finite numbers"),
        ("3 2\nthe 1 2\na 3 4\n", "expected 3 vectors, as its first line says, got 2: the file is cut off"),
        ("the\na\n", "vectors.txt: line 1: expected a word and its numbers, divided by spaces, got 'the'"),
        (b"3 2\nthe \x00\x01\x02\x03\n", "vectors.txt: line 2: expected a word and 2 numbers, got 1"),
        ("", "vectors.txt: expected word vectors, got an empty file"),
        ("\n\n", "vectors.txt: expected word vectors, got an empty file"),
        ("x" * (1 << 20), "got one of over a million bytes"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(write, text, message):
    with pytest.raises(DataError, match=message):
        read_vectors(write(text), ["the", "a"])


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(DataError, match=r"none.txt: cannot be read \(No such file or directory\)"):
        read_vectors(tmp_path / "none.txt", ["a"])
    with pytest.raises(DataError, match="is an archive, of which this reads none; unpack it"):
        read_vectors(write(b"PK\x03\x04", "glove.zip"), ["a"])


def test_memory_holds_what_is_wanted_only(tmp_path):
    line = " ".join(["0.123456"] * 300)
    path = tmp_path / "large.txt"
    with path.open("w", encoding="utf-8") as file:
        for number in range(30_000):
            file.write(f"word{number} {line}\n")
    assert path.stat().st_size > 80e6
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, found = read_vectors(path, [f"word{number}" for number in range(0, 30_000, 1000)])
    assert found.all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
