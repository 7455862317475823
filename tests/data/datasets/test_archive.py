"""A dataset that lies here as an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.datasets.conftest import CONTENT, HAN, everything_in, lay_out, make, tar

from recurra.data import cache_folder, locate
from recurra.errors import DataError


class TestArchive:
    def test_an_archive_stands_for_all_its_files(self, data: Path) -> None:
        plain = {"one.txt": HAN, "sub/two.txt": b"two\n"}
        tar(data / "toy/all.tar.xz", plain)
        for _ in range(2):
            assert locate(make(content=plain, archive="all.tar.xz")).train == [data / "toy/all.tar.xz"]
        assert not (cache_folder() / "data").exists()

    def test_one_whose_files_are_of_different_splits_is_unpacked_into_the_cache(self, data: Path) -> None:
        tar(data / "toy/all.tar.xz", CONTENT)
        folder = cache_folder() / "data" / "toy"
        for _ in range(2):
            found = locate(make(archive="all.tar.xz"))
            assert (found.train, found.valid, found.test) == (
                [folder / "train.txt"],
                [folder / "sub/valid.txt"],
                [folder / "test.txt"],
            )
        assert found.train[0].read_bytes() == HAN
        stamp = found.train[0].stat().st_mtime_ns
        (folder / "test.txt").write_bytes(b"tost\n")
        assert locate(make(archive="all.tar.xz")).test[0].read_bytes() == b"test\n"
        (folder / "train.txt").unlink()
        assert locate(make(archive="all.tar.xz")).train[0].stat().st_mtime_ns > stamp
        assert everything_in(folder) == ["sub/valid.txt", "test.txt", "train.txt"]

    def test_files_that_are_not_used_are_checked_and_left_out(self, data: Path) -> None:
        tar(data / "toy/all.tar.xz", CONTENT)
        files = [file.model_dump() for file in make().files]
        files[2] |= {"used": False, "split": None}
        dataset = make(files=files, archive="all.tar.xz")
        found = locate(dataset)
        assert [path.name for path in found.paths] == ["train.txt", "valid.txt"]
        assert dataset.size == len(HAN) + len(b"valid\n")
        tar(data / "toy/all.tar.xz", {**CONTENT, "test.txt": b"tost\n"})
        with pytest.raises(DataError, match=r"test\.txt: expected the SHA-256"):
            locate(dataset)

    def test_a_file_may_lie_next_to_the_archive(self, data: Path) -> None:
        tar(data / "toy/all.tar.xz", {name: CONTENT[name] for name in ("train.txt", "test.txt")})
        files = [file.model_dump() for file in make().files]
        files[1] |= {"archived": False}
        dataset = make(files=files, archive="all.tar.xz")
        with pytest.raises(DataError, match="not on this machine"):
            locate(dataset)
        lay_out(data / "toy", {"sub/valid.txt": CONTENT["sub/valid.txt"]})
        found = locate(dataset)
        folder = cache_folder() / "data" / "toy"
        assert found.paths == [folder / "train.txt", folder / "sub/valid.txt", folder / "test.txt"]
        assert found.valid[0].read_bytes() == CONTENT["sub/valid.txt"]
        lay_out(data / "toy", {"sub/valid.txt": b"volid\n"})
        found.valid[0].unlink()
        with pytest.raises(DataError, match=r"valid\.txt: expected the SHA-256"):
            locate(dataset)

    def test_a_cache_that_cannot_be_written_to_is_one_clear_error(self, data: Path, tmp_path: Path) -> None:
        tar(data / "toy/all.tar.xz", CONTENT)
        (tmp_path / "cache").write_text("a file where the folder should be")
        with pytest.raises(DataError, match=r"cannot unpack all\.tar\.xz into .*RECURRA_CACHE"):
            locate(make(archive="all.tar.xz"))

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ({**CONTENT, "test.txt": b"tost\n"}, "test.txt: expected the SHA-256 .*, got"),
            ({"train.txt": HAN}, "expected the file sub/valid.txt"),
            ({**CONTENT, "more.txt": b""}, "holds more.txt, which is not of the set"),
        ],
    )
    def test_wrong_members(self, data: Path, content: dict[str, bytes], problem: str) -> None:
        tar(data / "toy/all.tar.xz", content)
        with pytest.raises(DataError, match=problem):
            locate(make(archive="all.tar.xz"))

    @pytest.mark.parametrize("length", [0, 30, 200])
    def test_a_damaged_archive(self, data: Path, length: int) -> None:
        path = data / "toy/all.tar.xz"
        tar(path, CONTENT)
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(DataError, match=r"all\.tar\.xz: damaged archive"):
            locate(make(archive="all.tar.xz"))
