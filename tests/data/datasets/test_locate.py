"""Datasets are found and checked; whatever is wrong is one clear error."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.datasets.conftest import CONTENT, HAN, lay_out, make

from recurra.data import cache_folder, download, get, locate, names
from recurra.data.datasets import checksums as checksums_module
from recurra.data.datasets import locate as fetch
from recurra.errors import DataError, UsageError

REAL_DATA = os.environ.get("RECURRA_DATA")
PACKED = [(".xz", lzma.compress), (".gz", gzip.compress)]


class TestLocate:
    def test_the_data_folder_comes_before_the_cache(self, data: Path, cache: Path) -> None:
        lay_out(cache / "data" / "toy")
        assert locate(make()).where == "cache"
        lay_out(data / "toy")
        located = locate(make())
        assert located.where == "data folder"
        assert (located.train, located.test) == ([data / "toy/train.txt"], [data / "toy/test.txt"])
        assert located.valid == [data / "toy/sub/valid.txt"]
        assert located.settings == {"unit": "char"}

    def test_a_file_without_a_split_is_for_training(self, data: Path) -> None:
        content = {"whole.txt": b"text"}
        lay_out(data / "toy", content)
        located = locate(make(content=content))
        assert (located.train, located.valid, located.test) == ([data / "toy/whole.txt"], [], [])

    def test_the_entry_may_name_another_folder(self, data: Path) -> None:
        lay_out(data / "other")
        assert locate(make(folder="other")).folder == data / "other"

    @pytest.mark.parametrize(("suffix", "pack"), PACKED)
    def test_packed_files_are_summed_unpacked(self, data: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
        lay_out(data / "toy", CONTENT)
        (data / "toy/train.txt").unlink()
        (data / f"toy/train.txt{suffix}").write_bytes(pack(HAN))
        assert locate(make()).train == [data / f"toy/train.txt{suffix}"]
        (data / f"toy/train.txt{suffix}").write_bytes(pack(HAN[3:]))
        with pytest.raises(DataError, match="expected the SHA-256"):
            locate(make())

    def test_a_part_of_the_files_is_not_the_set(self, data: Path) -> None:
        lay_out(data / "toy")
        (data / "toy/test.txt").unlink()
        with pytest.raises(DataError, match=r"test\.txt is missing.*`recurra data get toy`"):
            locate(make())

    def test_what_is_not_offered_says_where_to_get_it(self) -> None:
        dataset = make(offered=False, url=None, obtain="the owner sells it")
        for attempt in (locate, download):
            with pytest.raises(DataError, match="the owner sells it"):
                attempt(dataset)
        with pytest.raises(DataError, match="LDC99T42"):
            locate("ptb", download=True)

    def test_an_unknown_name(self) -> None:
        with pytest.raises(UsageError, match="did you mean ptb"):
            locate("pbt")

    def test_the_settings_are_the_callers_own(self, data: Path) -> None:
        lay_out(data / "toy")
        dataset = make()
        locate(dataset).settings["unit"] = "word"
        assert locate(dataset).settings == {"unit": "char"}


class TestSums:
    def test_a_mismatch_names_both_sums(self, data: Path) -> None:
        lay_out(data / "toy", {**CONTENT, "test.txt": b"tost\n"})
        wanted, got = (hashlib.sha256(text).hexdigest() for text in (b"test\n", b"tost\n"))
        with pytest.raises(DataError, match=rf"toy/test\.txt: expected the SHA-256 {wanted}, got {got}; put"):
            locate(make())

    def test_a_mismatch_is_not_forgiven_the_second_time(self, data: Path) -> None:
        lay_out(data / "toy", {**CONTENT, "test.txt": b"tost\n"})
        for _ in range(2):
            with pytest.raises(DataError, match="SHA-256"):
                locate(make())

    def test_an_unchanged_file_is_read_once(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lay_out(data / "toy")
        read: list[str] = []
        real = checksums_module.digest
        monkeypatch.setattr(
            checksums_module, "digest", lambda path, **options: (read.append(path.name), real(path, **options))[1]
        )
        locate(make())
        locate(make())
        assert sorted(read) == ["test.txt", "train.txt", "valid.txt"]
        (data / "toy/train.txt").write_bytes(b"changed")
        with pytest.raises(DataError, match="SHA-256"):
            locate(make())

    def test_files_of_one_name_in_two_folders_are_kept_apart(self, data: Path) -> None:
        content = {"a/x.txt": b"1", "b/x.txt": b"1"}
        lay_out(data / "toy", content)
        stamp = 1_000_000_000
        for path in content:
            os.utime(data / "toy" / path, ns=(stamp, stamp))
        locate(make(content=content))
        with pytest.raises(DataError, match="SHA-256"):
            locate(make(content={"a/x.txt": b"1", "b/x.txt": b"2"}))

    def test_a_damaged_memory_is_only_slower(self, data: Path, cache: Path) -> None:
        lay_out(data / "toy")
        locate(make())
        for damage in (b"", b"{", b"[]", b'{"train.txt": 3}'):
            (record,) = (cache / "checked").iterdir()
            record.write_bytes(damage)
            assert locate(make()).where == "data folder"

    def test_a_cache_that_cannot_be_written_is_only_slower(self, data: Path, cache: Path) -> None:
        cache.write_text("a file where the folder should be")
        lay_out(data / "toy")
        assert locate(make()).where == "data folder"

    @pytest.mark.parametrize("cut", [0, 10, -20])
    @pytest.mark.parametrize(("suffix", "pack"), PACKED)
    def test_a_damaged_packed_file(self, data: Path, cut: int, suffix: str, pack: Callable[[bytes], bytes]) -> None:
        lay_out(data / "toy", {"test.txt": b"test\n", "sub/valid.txt": b"valid\n"})
        (data / f"toy/train.txt{suffix}").write_bytes(pack(HAN)[:cut])
        kind = "damaged (xz|gzip) file" if cut else "damaged (xz|gzip) file|expected the SHA-256"
        with pytest.raises(DataError, match=rf"train\.txt\{suffix}: ({kind})"):
            locate(make())


class TestCacheFolder:
    def test_the_platforms_own(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("RECURRA_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "recurra"
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr("sys.platform", "linux")
        assert cache_folder() == tmp_path / ".cache" / "recurra"
        monkeypatch.setattr("sys.platform", "darwin")
        assert cache_folder() == tmp_path / "Library" / "Caches" / "recurra"


def test_a_data_folder_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path / "dta"))
    with pytest.raises(UsageError, match=r"RECURRA_DATA: expected a folder, got '.*dta', which is none"):
        locate("tinyshakespeare")


@pytest.mark.skipif(REAL_DATA is None, reason="RECURRA_DATA names no folder")
@pytest.mark.parametrize("name", names())
def test_the_real_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_DATA", REAL_DATA or "")
    if not get(name).builtin and fetch.find(get(name)) is None:
        pytest.skip("not in that folder")
    located = locate(name)
    # An archive of files that are of different splits is unpacked, which is done in the cache.
    unpacked = get(name).archive is not None and any(file.split for file in get(name).files)
    assert located.where in (("cache",) if unpacked else ("data folder", "built in"))
    assert all(path.stat().st_size for path in located.train)
