"""Datasets are found, checked and downloaded; whatever goes wrong is one clear error and leaves nothing behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import socket
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recurra.data import Dataset, cache_folder, download, fetch, get, locate, names
from recurra.data import checksums as checksums_module
from recurra.errors import DataError, MissingExtraError, UsageError

REAL_DATA = os.environ.get("RECURRA_DATA")
PACKED = [(".xz", lzma.compress), (".gz", gzip.compress)]
HAN = "床前明月光，疑是地上霜。\n".encode() * 5000
CONTENT = {"train.txt": HAN, "sub/valid.txt": b"valid\n", "test.txt": b"test\n"}


def make(base: str = "https://example.org", content: dict[str, bytes] = CONTENT, **changes: Any) -> Dataset:
    files = [
        {
            "path": path,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "split": Path(path).stem if Path(path).stem in ("train", "valid", "test") else None,
        }
        for path, data in content.items()
    ]
    fields = {
        "name": "toy",
        "title": "A toy",
        "about": "For tests.",
        "task": "lm",
        "homepage": "https://example.org",
        "licence": "none",
        "citation": "none",
        "url": f"{base}/{{path}}",
        "files": files,
        "settings": {"unit": "char"},
    }
    return Dataset.model_validate({**fields, **changes})


def lay_out(folder: Path, content: dict[str, bytes] = CONTENT) -> None:
    for path, data in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def tar(path: Path, content: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path / "data"))
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


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

    def test_files_of_one_name_in_two_folders_are_told_apart(self, data: Path) -> None:
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

    def test_a_file_may_stand_beside_the_archive(self, data: Path) -> None:
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


class Source:
    """A web server on this machine; `bend` says for a path what it does other than send what it should."""

    def __init__(self) -> None:
        self.bend: dict[str, str] = {}
        self.asked: list[str] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/")
                source.asked.append(path)
                content, bend = CONTENT.get(path), source.bend.get(path)
                if content is None or bend == "gone":
                    self.send_error(404)
                    return
                sent = {"other": b"x" * len(content), "half": content[: len(content) // 2], "more": content * 2}
                body = sent.get(bend or "", content)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content if bend == "half" else body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.stop()


class TestDownload:
    def test_into_the_cache_with_progress(self, source: Source, cache: Path) -> None:
        told: list[tuple[str, int, int]] = []
        located = download(make(source.base), report=lambda path, done, total: told.append((path, done, total)))
        assert located.where == "cache"
        assert [path.read_bytes() for path in located.paths] == list(CONTENT.values())
        assert everything_in(cache / "data") == ["toy/sub/valid.txt", "toy/test.txt", "toy/train.txt"]
        train = [(done, total) for path, done, total in told if path == "train.txt"]
        assert len(train) > 1
        assert train == sorted(train)
        assert train[-1] == (len(HAN), len(HAN))

    def test_locate_downloads_only_when_told(self, source: Source) -> None:
        with pytest.raises(DataError, match="recurra data get toy"):
            locate(make(source.base))
        assert source.asked == []
        assert locate(make(source.base), download=True).where == "cache"

    def test_what_is_here_is_not_asked_for_again(self, source: Source, data: Path) -> None:
        download(make(source.base))
        count = len(source.asked)
        download(make(source.base))
        lay_out(data / "toy")
        assert download(make(source.base)).where == "data folder"
        assert len(source.asked) == count == 3

    def test_a_spoilt_file_is_replaced(self, source: Source, cache: Path) -> None:
        download(make(source.base))
        (cache / "data/toy/test.txt").write_bytes(b"spoilt")
        with pytest.raises(DataError, match="recurra data get toy"):
            locate(make(source.base))
        download(make(source.base))
        assert source.asked[3:] == ["test.txt"]
        assert locate(make(source.base)).test[0].read_bytes() == b"test\n"

    @pytest.mark.parametrize(
        ("bend", "problem"),
        [
            ("other", "expected the SHA-256 [0-9a-f]{64} .*got [0-9a-f]{64} .*the source has changed"),
            ("half", "broke off within train.txt; run `recurra data get toy` again"),
            ("more", "expected 185000 bytes from .*got more"),
            ("gone", "answered 404 Not Found"),
        ],
    )
    def test_what_goes_wrong_leaves_nothing_behind(self, source: Source, cache: Path, bend: str, problem: str) -> None:
        source.bend["train.txt"] = bend
        with pytest.raises(DataError, match=problem) as caught:
            download(make(source.base))
        assert caught.value.exit_code == 3
        assert not cache.exists() or not list(cache.iterdir())

    def test_whole_files_stay_when_a_later_one_fails(self, source: Source, cache: Path) -> None:
        source.bend["test.txt"] = "half"
        with pytest.raises(DataError):
            download(make(source.base))
        assert everything_in(cache) == ["data/toy/sub/valid.txt", "data/toy/train.txt"]
        source.bend.clear()
        download(make(source.base))
        assert source.asked == ["train.txt", "sub/valid.txt", "test.txt", "test.txt"]

    def test_a_source_that_cannot_be_reached(self, cache: Path) -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{reserved.getsockname()[1]}"
            with pytest.raises(DataError, match=rf"cannot reach {address}.*refused.*check the network") as caught:
                download(make(f"http://{address}"))
        assert caught.value.exit_code == 3
        assert not cache.exists()

    def test_a_folder_that_cannot_be_written(self, source: Source, cache: Path) -> None:
        cache.write_text("a file where the folder should be")
        with pytest.raises(DataError, match=r"cannot write to .*RECURRA_CACHE"):
            download(make(source.base))

    def test_ctrl_c_leaves_nothing_behind(self, source: Source, cache: Path) -> None:
        def interrupt(*what: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            download(make(source.base), report=interrupt)
        assert everything_in(cache.parent) == []

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pooch", None)
        with pytest.raises(MissingExtraError, match=r"recurra\[data\]"):
            download(make())


def test_a_data_folder_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
