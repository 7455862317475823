"""Decompression bombs: real ones are stopped before they take the memory, with a limit that can be set."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from recurra.errors import DataError, UsageError
from recurra.text.read import allowance, read_corpus
from recurra.text.read.allowance import Allowance, unpack_limit
from recurra.text.read.unpack import decompress, members

PACK = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}
MIB = 2**20
BOMB = 1024 * MIB
Pack = Callable[[dict[str, bytes]], bytes]
TOO_MUCH = r"unfolds to more than the {limit:,} bytes .* allowed to one file; .*RECURRA_UNPACK_LIMIT="


def too_much(limit: int) -> str:
    return TOO_MUCH.format(limit=limit)


def peak_of(work: Callable[[], object]) -> int:
    """Most bytes that Python held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_stopped_soon_after_the_limit(suffix: str) -> None:
    """A gigabyte in a megabyte at most; the limit is 2 MiB, and one frame holds one."""
    bomb = PACK[suffix](bytes(MIB)) * (BOMB // MIB)
    assert len(bomb) < 2 * MIB

    def unfold() -> None:
        with pytest.raises(DataError, match="^a: " + too_much(2 * MIB)):
            decompress(bomb, suffix, "a", Allowance(2 * MIB))

    assert peak_of(unfold) < 16 * MIB


def test_a_bomb_of_one_frame_is_stopped_too() -> None:
    """Zstandard unfolds the most: 32,768 times as much, so that what a piece unfolds to must be small as well."""
    packer = zstandard.ZstdCompressor().compressobj()
    bomb = b"".join([*(packer.compress(bytes(MIB)) for _ in range(BOMB // MIB)), packer.flush()])
    assert len(bomb) < BOMB // 16_000

    def unfold() -> None:
        with pytest.raises(DataError, match=too_much(MIB)):
            decompress(bomb, ".zst", "a", Allowance(MIB))

    assert peak_of(unfold) < 200 * MIB


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_allowed_to_the_byte_is_read(suffix: str) -> None:
    text = bytes(range(1, 200)) * 500
    packed = PACK[suffix](text[:1000]) + PACK[suffix](text[1000:])
    assert decompress(packed, suffix, "a", Allowance(len(text))) == text
    with pytest.raises(DataError, match=too_much(len(text) - 1)):
        decompress(packed, suffix, "a", Allowance(len(text) - 1))


def test_members_are_counted_together_and_what_was_refused_is_not(zipped: Pack) -> None:
    packed = zipped({"a.txt": bytes(600), "b.txt": bytes(2000), "c.txt": bytes(400), "d.txt": bytes(1)})
    together = Allowance(1000)
    read = dict(members(packed, ".zip", "z", together))
    assert read["a.txt"]() == bytes(600)
    with pytest.raises(DataError, match=r"^z/b\.txt: " + too_much(1000)):
        read["b.txt"]()
    assert read["c.txt"]() == bytes(400)
    with pytest.raises(DataError, match=r"^z/d\.txt: " + too_much(1000)):
        read["d.txt"]()


def test_a_zip_that_understates_a_member_unfolds_to_no_more_than_it_states() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(64 * MIB))
    packed = file.getvalue().replace((64 * MIB).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (_, read), *_ = members(packed, ".zip", "z", Allowance(1000))

    def unfold() -> None:
        with pytest.raises(DataError, match=r"z/a\.txt: is damaged"):
            read()

    assert peak_of(unfold) < 8 * MIB


def test_the_holes_of_a_sparse_file_count() -> None:
    """A tar of 10 KB states a file of 64 GiB, of which it holds five bytes."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        content = b"1\n0\n5\n".ljust(512, b"\0") + b"words"
        entry = tarfile.TarInfo("GNUSparseFile.0/a.txt")
        entry.size = len(content)
        real = {"major": "1", "minor": "0", "name": "a.txt", "realsize": str(64 * 2**30)}
        entry.pax_headers = {f"GNU.sparse.{name}": value for name, value in real.items()}
        archive.addfile(entry, io.BytesIO(content))
    (read,) = dict(members(file.getvalue(), ".tar", "t", Allowance(MIB))).values()
    with pytest.raises(DataError, match=too_much(MIB)):
        read()


def test_what_a_tar_holds_is_counted_once(tar: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tar({"a.txt": b"one " * 5000, "b.txt": b"two " * 5000})
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(packed))
    monkeypatch.setenv(allowance.LIMIT_VARIABLE, str(len(packed)))
    assert len(read_corpus([tmp_path / "a.tar.gz"], documents="file").documents) == 2


def test_bombs_in_a_user_s_files(zipped: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named, in an archive within an archive, among others; with the errors that stop and those that are listed."""
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"x" * 3 * MIB))
    (tmp_path / "c.zip").write_bytes(zipped({"d.txt.xz": lzma.compress(b"x" * 3 * MIB), "e.txt": b"two"}))
    monkeypatch.setenv(allowance.LIMIT_VARIABLE, "2M")
    with pytest.raises(DataError, match=r"^\S+/b\.txt\.gz: " + too_much(2 * MIB)):
        read_corpus([tmp_path / "b.txt.gz"])
    with pytest.raises(DataError, match=r"^\S+/c\.zip/d\.txt\.xz: " + too_much(2 * MIB)):
        read_corpus([tmp_path / "c.zip"])
    corpus = read_corpus([tmp_path], documents="file", on_error="skip")
    assert corpus.documents == ["one", "two"]
    assert [("b.txt.gz" in skipped, "d.txt.xz" in skipped) for skipped in corpus.skipped] == [(1, 0), (0, 1)]
    monkeypatch.setenv(allowance.LIMIT_VARIABLE, "4m")
    assert [len(text) for text in read_corpus([tmp_path], documents="file").documents] == [3, 3 * MIB, 3 * MIB, 3]


@pytest.mark.parametrize(("given", "limit"), [("123", 123), ("5K", 5 * 2**10), (" 20g ", 20 * 2**30)])
def test_the_limit_that_is_set(given: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(allowance.LIMIT_VARIABLE, given)
    assert unpack_limit() == limit


@pytest.mark.parametrize("given", ["much", "-1", "1.5G", "2T"])
def test_a_limit_that_is_no_number_is_refused(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("one")
    monkeypatch.setenv(allowance.LIMIT_VARIABLE, given)
    with pytest.raises(UsageError, match=r"RECURRA_UNPACK_LIMIT: expected a number of bytes, such as .*; got '"):
        read_corpus([tmp_path / "a.txt"])


def test_the_limit_is_a_quarter_of_the_memory_that_a_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(allowance.LIMIT_VARIABLE, raising=False)
    monkeypatch.setattr(allowance, "_CONTAINER_LIMITS", (str(tmp_path / "max"), str(tmp_path / "none")))
    (tmp_path / "max").write_text("max\n")
    machine = allowance.total_memory()
    assert machine > 64 * MIB and unpack_limit() == machine // 4
    (tmp_path / "max").write_text(f"{64 * MIB}\n")
    assert unpack_limit() == 16 * MIB
