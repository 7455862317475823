"""A manifest detects every change of a file, and of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from recurra.errors import RunError
from recurra.runs.manifest import MANIFEST, check_manifest, check_sums, drop_manifest, sums, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "詩.txt").write_text("白日依山盡", encoding="utf-8")
    (tmp_path / "empty").touch()
    write_manifest(tmp_path, ["詩.txt", "a.bin", "empty"])
    return tmp_path


def test_it_lists_what_was_written(folder: Path) -> None:
    assert sorted(check_manifest(folder)) == ["a.bin", "empty", "詩.txt"]


def test_every_single_flipped_bit_of_the_manifest_is_detected(folder: Path) -> None:
    write_manifest(folder, ["詩.txt"])
    path = folder / MANIFEST
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=MANIFEST):
            check_manifest(folder)


def test_a_manifest_cut_off_anywhere_or_longer_is_detected(folder: Path) -> None:
    path = folder / MANIFEST
    whole = path.read_bytes()
    for content in [*(whole[:end] for end in range(len(whole))), whole + b"\n", whole + whole, b"[" * 100_000]:
        path.write_bytes(content)
        with pytest.raises(RunError, match=f"{MANIFEST}: is damaged"):
            check_manifest(folder)


@pytest.mark.parametrize("content", [b"", b"x", b"\x00" * 256, bytes(range(255)), bytes(range(256)) + b"\n"])
def test_a_changed_file_is_named(folder: Path, content: bytes) -> None:
    (folder / "a.bin").write_bytes(content)
    with pytest.raises(RunError, match=r"a\.bin: is damaged or was changed"):
        check_manifest(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "詩.txt").unlink()
    with pytest.raises(RunError, match=r"詩\.txt: is missing"):
        check_manifest(folder)


def test_a_folder_that_is_no_run_says_so(folder: Path, tmp_path: Path) -> None:
    drop_manifest(folder)
    drop_manifest(folder)
    with pytest.raises(RunError, match=f"it has no {MANIFEST}"):
        check_manifest(folder)
    with pytest.raises(RunError, match="there is no such folder"):
        check_manifest(tmp_path / "nothing")
    with pytest.raises(RunError, match="it is a file"):
        check_manifest(folder / "a.bin")
    (folder / "checkpoint").mkdir()
    with pytest.raises(RunError, match=r"has not ended; go on with `recurra train --resume .*`"):
        check_manifest(folder)


@pytest.mark.parametrize(
    ("config", "hint"), [("", "begun by an earlier version"), ("format = 2\n", "--resume"), ("=", "--resume")]
)
def test_the_hint_for_an_unfinished_training_is_one_that_works(tmp_path: Path, config: str, hint: str) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "config.toml").write_text(config)
    with pytest.raises(RunError, match=f"its training has not ended; .*{hint}"):
        check_manifest(tmp_path)


def test_sums_are_those_of_everyone(folder: Path) -> None:
    assert sums(folder, ["empty"]) == {"empty": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    check_sums(folder, sums(folder, ["a.bin"]))
    with pytest.raises(RunError, match=r"none: cannot be read"):
        sums(folder, ["none"])
