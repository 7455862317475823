"""Datasets are downloaded; whatever goes wrong is one clear error and leaves nothing behind."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.data.datasets.conftest import CONTENT, HAN, everything_in, lay_out, make

from recurra.data import download, locate
from recurra.errors import DataError, MissingExtraError


class Source:
    """A web server on this machine; `bend` says for a path what it does other than send what it should."""

    def __init__(self) -> None:
        self.bend: dict[str, str] = {}
        self.requests: list[str] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/")
                source.requests.append(path)
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
        reported: list[tuple[str, int, int]] = []
        located = download(make(source.base), report=lambda path, done, total: reported.append((path, done, total)))
        assert located.where == "cache"
        assert [path.read_bytes() for path in located.paths] == list(CONTENT.values())
        assert everything_in(cache / "data") == ["toy/sub/valid.txt", "toy/test.txt", "toy/train.txt"]
        train = [(done, total) for path, done, total in reported if path == "train.txt"]
        assert len(train) > 1
        assert train == sorted(train)
        assert train[-1] == (len(HAN), len(HAN))

    def test_locate_downloads_only_when_asked(self, source: Source) -> None:
        with pytest.raises(DataError, match="recurra data get toy"):
            locate(make(source.base))
        assert source.requests == []
        assert locate(make(source.base), download=True).where == "cache"

    def test_what_is_here_is_not_asked_for_again(self, source: Source, data: Path) -> None:
        download(make(source.base))
        count = len(source.requests)
        download(make(source.base))
        lay_out(data / "toy")
        assert download(make(source.base)).where == "data folder"
        assert len(source.requests) == count == 3

    def test_a_corrupted_file_is_replaced(self, source: Source, cache: Path) -> None:
        download(make(source.base))
        (cache / "data/toy/test.txt").write_bytes(b"corrupted")
        with pytest.raises(DataError, match="recurra data get toy"):
            locate(make(source.base))
        download(make(source.base))
        assert source.requests[3:] == ["test.txt"]
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
        assert source.requests == ["train.txt", "sub/valid.txt", "test.txt", "test.txt"]

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
