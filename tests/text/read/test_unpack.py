"""Compressed files and archives: whole ones are read, and no cut or flipped bit passes unnoticed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError
from recurra.text.read.unpack import decompress, layers, members

TEXT = "白日依山盡，黃河入海流。\n".encode() * 40
PACK = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
Pack = Callable[[dict[str, bytes]], bytes]
compressions = pytest.mark.parametrize("suffix", PACK)


def unpacked(data: bytes, suffix: str) -> dict[str, bytes]:
    return {name: read() for name, read in members(data, suffix, "a")}


@compressions
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_every_frame_is_read(suffix: str, frames: list[bytes]) -> None:
    packed = b"".join(PACK[suffix](frame) for frame in frames)
    assert decompress(packed, suffix, "a") == b"".join(frames)
    assert decompress(packed + bytes(8), suffix, "a") == b"".join(frames)


@compressions
def test_many_small_frames_are_read_in_linear_time(suffix: str) -> None:
    count = 2000
    assert decompress(PACK[suffix](TEXT) * count, suffix, "a") == TEXT * count


@compressions
def test_every_cut_is_noticed(suffix: str) -> None:
    packed = PACK[suffix](TEXT) + PACK[suffix](TEXT)
    frame = len(packed) // 2
    for length in range(len(packed)):
        if length == frame:
            continue  # a cut between two frames leaves a whole file
        with pytest.raises(DataError, match=r"^a: (is empty|the \.\w+ data is (cut off|damaged)|is no )"):
            decompress(packed[:length], suffix, "a")


@compressions
@given(data=st.data())
def test_a_flipped_bit_never_changes_the_text(suffix: str, data: st.DataObject) -> None:
    packed = bytearray(PACK[suffix](TEXT))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert decompress(bytes(packed), suffix, "a") == TEXT  # the time stamp of gzip and its like
    except DataError as error:
        assert str(error).startswith("a: ")


@compressions
def test_a_file_that_is_something_else_is_named_for_what_it_is(suffix: str) -> None:
    with pytest.raises(DataError, match=rf"a: is no \{suffix} file, whatever its name says: it holds something else"):
        decompress(b"plain text", suffix, "a")
    with pytest.raises(DataError, match="it holds a PDF document"):
        decompress(b"%PDF-1.7", suffix, "a")


@compressions
def test_rubbish_after_the_end_is_no_padding(suffix: str) -> None:
    with pytest.raises(DataError):
        decompress(PACK[suffix](TEXT) + b"rubbish that follows", suffix, "a")


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_members_are_sorted_and_hidden_ones_left_out(tar: Pack, zipped: Pack, suffix: str) -> None:
    pack = tar if suffix == ".tar" else zipped
    files = {
        "b/z.txt": b"3",
        "a.txt": b"1",
        "b/a.txt": b"2",
        ".git/x": b"",
        "b/.y": b"",
        "__MACOSX/a.txt": b"",
        "春": b"4",
    }
    assert list(unpacked(pack(files), suffix).items()) == [
        ("a.txt", b"1"),
        ("b/a.txt", b"2"),
        ("b/z.txt", b"3"),
        ("春", b"4"),
    ]


def test_every_cut_of_a_tar_is_noticed(tar: Pack) -> None:
    packed = tar({"a.txt": TEXT, "b.txt": TEXT})
    end = len(packed.rstrip(b"\0"))
    for length in [*range(0, end, 37), 512, 1024, 2048, 2560]:
        with pytest.raises(DataError, match=r"is empty|cut off|is no \.tar"):
            unpacked(packed[:length], ".tar")


def test_a_damaged_header_does_not_end_a_tar_early(tar: Pack) -> None:
    packed = bytearray(tar({"a.txt": b"1", "b.txt": b"2"}))
    packed[1024 + 150] ^= 1
    with pytest.raises(DataError, match=r"cut off or damaged at byte 1024"):
        unpacked(bytes(packed), ".tar")


def test_every_cut_and_flipped_bit_of_a_zip_is_noticed(zipped: Pack) -> None:
    files = {"a.txt": TEXT, "b.txt": TEXT[:200]}
    packed = zipped(files)
    for length in range(0, len(packed), 7):
        with pytest.raises(DataError):
            unpacked(packed[:length], ".zip")
    for place in range(len(packed)):
        flipped = bytearray(packed)
        flipped[place] ^= 4
        try:
            contents = set(unpacked(bytes(flipped), ".zip").values())
        except DataError:
            continue
        assert contents <= set(files.values())


def test_an_encrypted_member_is_an_error(zipped: Pack) -> None:
    packed = bytearray(zipped({"a.txt": b"1"}))
    packed[packed.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(DataError, match=r"a/a\.txt: is encrypted"):
        unpacked(bytes(packed), ".zip")


def test_the_suffixes_say_how_to_unpack() -> None:
    assert layers("a.b.TXT.gz.xz") == [".txt", ".gz", ".xz"]
    assert layers("poems.tzst") == [".tar", ".zst"]
    assert layers("v1.gz") == ["", ".gz"]
    assert layers(".gz") == [""]
