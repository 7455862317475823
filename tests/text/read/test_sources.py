"""What a user names is found, once and in order; what is not there or not text is reported."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recurra.errors import DataError, RecurraError, UsageError
from recurra.text.read import read_corpus
from recurra.text.read.faults import Faults
from recurra.text.read.sources import Source, open_sources

Pack = Callable[[dict[str, bytes]], bytes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, content: str | bytes = "text\n") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)


def opened(*arguments: str | Path, on_error: str = "stop") -> tuple[list[Source], list[str]]:
    faults = Faults(on_error)  # type: ignore[arg-type]
    return list(open_sources(arguments, faults)), faults.skipped


def names(*arguments: str | Path) -> list[str]:
    return [source.name for source in opened(*arguments)[0]]


def message(*arguments: str | Path, error: type[RecurraError] = DataError) -> str:
    with pytest.raises(error) as caught:
        opened(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_is_read_to_the_bottom_in_order_without_hidden_files(folder: Path) -> None:
    for path in ("d/b.txt", "d/a/z.md", "d/a/c/春.txt", "d/README", "d/.hidden", "d/.git/x.txt", "d/__MACOSX/x.txt"):
        write(path)
    assert names("d") == ["d/README", "d/a/c/春.txt", "d/a/z.md", "d/b.txt"]
    assert names(Path("d/a")) == ["d/a/c/春.txt", "d/a/z.md"]


def test_binary_and_empty_files_of_a_folder_are_left_out_and_listed(folder: Path) -> None:
    write("d/a.txt")
    write("d/b.bin", b"x" * 100 + b"\0" + b"x" * 20_000)
    write("d/c.pdf", b"%PDF-1.7")
    write("d/d.gz", gzip.compress(b"\x7fELF\0"))
    write("d/e.txt", "")
    write("d/f.txt.gz", gzip.compress(b""))
    sources, skipped = opened("d")
    assert [source.name for source in sources] == ["d/a.txt"]
    binary = [f"d/{name}: a binary file, not text" for name in ("b.bin", "c.pdf", "d.gz")]
    assert skipped == [*binary, "d/e.txt: is empty", "d/f.txt.gz: is empty"]
    assert message("d/e.txt") == "d/e.txt: is empty"
    assert message("d/f.txt.gz") == "d/f.txt.gz: is empty"


def test_a_file_in_another_encoding_is_not_passed_over_as_binary(folder: Path) -> None:
    write("d/a.txt", "春眠不覺曉".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        read_corpus(["d"])


def test_globs_are_expanded(folder: Path) -> None:
    for path in ("p/b.txt", "p/a.txt", "p/x.md", "p/q/c.txt", "p/.d.txt", "p[1].txt"):
        write(path)
    assert names("p/*.txt") == ["p/a.txt", "p/b.txt"]
    assert names("p/**/*.txt") == ["p/a.txt", "p/b.txt", "p/q/c.txt"]
    assert names("p*/*") == ["p/a.txt", "p/b.txt", "p/q/c.txt", "p/x.md"]
    assert names(str(folder / "p" / "?.md")) == [str(folder / "p" / "x.md")]
    assert names("p[1].txt") == ["p[1].txt"]


def test_no_file_is_read_twice(folder: Path) -> None:
    write("d/a.txt")
    write("d/b.txt")
    Path("link.txt").symlink_to("d/a.txt")
    assert names("d/b.txt", "d", "d/*.txt", "./d/a.txt", "link.txt") == ["d/b.txt", "d/a.txt"]


def test_a_symbolic_link_to_a_folder_above_ends(folder: Path) -> None:
    write("d/a.txt")
    Path("d/again").symlink_to(folder / "d")
    assert names("d") == ["d/a.txt"]


def test_the_kind_is_recognised_by_the_suffix_under_the_compression(folder: Path) -> None:
    for path in ("a.JSON.gz", "a.ndjson.gz", "a.txt.gz", "a.csv.gz", "a.tsv.gz", "a.parquet.gz", "a.gz"):
        write(path, gzip.compress(b"{}"))
    kinds = [source.kind for source in opened("a.*")[0]]
    assert kinds == ["json", "csv", "text", "jsonl", "parquet", "tsv", "text"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("春".encode())))
    assert opened("-")[0] == [Source("standard input", "text", "春".encode(), False)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert message("-") == "standard input: is empty"
    assert "named twice" in message("-", "-", error=UsageError)


def test_what_is_not_there_is_reported_with_a_suggestion(folder: Path) -> None:
    write("poems/tang.txt")
    write("poems/唐诗三百首.json")
    assert message("poems/tagn.txt") == "poems/tagn.txt: does not exist; did you mean tang.txt?"
    assert message("poems/唐诗三百.json").endswith("did you mean 唐诗三百首.json?")
    assert message("poem/tang.txt").endswith("did you mean poems?")
    assert "holds tang.txt, 唐诗三百首.json" in message("poems/xyz")
    assert message("nowhere/at/all").endswith(f"there is no folder {folder / 'nowhere'}")
    assert message("poems/*.csv").startswith("poems/*.csv: no file matches this pattern; ")
    assert message("poems/*.csv").endswith("poems holds tang.txt, 唐诗三百首.json")
    assert message("p*/*.csv") == "p*/*.csv: no file matches this pattern"
    assert ": does not exist" in message("x" * 5000)
    assert message("a\0b").startswith("a\\x00b: does not exist")


def test_a_folder_without_files_is_an_error(folder: Path) -> None:
    write("d/.hidden")
    assert message("d") == "d: the folder holds no files to read (hidden ones do not count)"
    write("d/a.png", b"\x89PNG\0")
    with pytest.raises(DataError, match=r"^d: holds no text to read; 1 left out: d/a\.png: a binary file, not text$"):
        read_corpus(["d"])


def test_nothing_named_is_a_usage_error() -> None:
    assert "no data was named" in message(error=UsageError)
    assert "got an empty one" in message("", error=UsageError)


def test_a_file_that_may_not_be_read_is_an_error_or_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.txt")
    write("b.txt")
    real = Path.open

    def refuse(path: Path, *arguments, **options):
        if path.name == "a.txt":  # not by chmod, which does not bind the superuser that many containers test as
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    expected = "a.txt: permission denied; make it readable: chmod u+r"
    assert message("a.txt") == expected
    sources, skipped = opened("a.txt", "b.txt", on_error="skip")
    assert ([source.name for source in sources], skipped) == (["b.txt"], [expected])


def test_archives_are_read_like_folders(folder: Path, tar: Pack, zipped: Pack) -> None:
    inner = zipped({"c.txt": b"three", "d.png": b"\x89PNG"})
    write("a.tar.gz", gzip.compress(tar({"b.txt.gz": gzip.compress(b"two"), "a.txt": b"one", "i.zip": inner})))
    sources, skipped = opened("a.tar.gz")
    assert [(source.name, source.data) for source in sources] == [
        ("a.tar.gz/a.txt", b"one"),
        ("a.tar.gz/b.txt.gz", b"two"),
        ("a.tar.gz/i.zip/c.txt", b"three"),
    ]
    assert skipped == ["a.tar.gz/i.zip/d.png: a binary file, not text"]
    write("b.zip", zipped({".hidden": b"x"}))
    assert message("b.zip") == "b.zip: the archive holds no files to read (hidden ones do not count)"
    nested = zipped({"a.txt": b"deep"})
    for _ in range(6):
        nested = zipped({"n.zip": nested})
    write("n.zip", nested)
    assert "is an archive within 4 archives" in message("n.zip")


def test_a_damaged_file_stops_or_is_listed(folder: Path) -> None:
    write("d/a.txt.gz", gzip.compress(b"one" * 100)[:-4])
    write("d/b.txt")
    assert message("d").startswith("d/a.txt.gz: the .gz data is cut off")
    sources, skipped = opened("d", on_error="skip")
    assert [source.name for source in sources] == ["d/b.txt"]
    assert len(skipped) == 1
