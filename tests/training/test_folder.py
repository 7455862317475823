"""The folder of a run is made once, for one training, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from recurra.errors import RunError, UsageError
from recurra.files import temporary_path
from recurra.training.folder import (
    check_new_folder,
    claim_folder,
    discard_folder,
    make_folder,
    next_folder,
    remove_partial_files,
    report_write_errors,
)
from recurra.training.log import MetricsLog


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("new", "a/b/c", "there"):
        assert check_new_folder(tmp_path / name) == tmp_path / name
    assert everything(tmp_path) == ["there"]


@pytest.mark.parametrize("name", ["file", "file/run", "file/a/b"])
def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="out: "):
        check_new_folder(tmp_path / name)
    assert everything(tmp_path) == ["file"]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"expected a new folder, but .* is there already; name another$"):
        check_new_folder(tmp_path)
    (tmp_path / "config.toml").touch()
    with pytest.raises(UsageError, match=r"or go on with it: recurra train --resume "):
        check_new_folder(tmp_path)


def test_what_a_kill_left_is_no_use_and_is_swept(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    kept = [tmp_path / ".hidden", tmp_path / "x.part", tmp_path / "checkpoint" / "x"]
    left = [temporary_path(tmp_path / "config.toml"), temporary_path(tmp_path / "checkpoint" / "x")]
    left[0].touch()
    (tmp_path / "checkpoint").rmdir()
    assert check_new_folder(tmp_path) == tmp_path
    (tmp_path / "checkpoint").mkdir()
    for path in [*kept, *left]:
        path.touch()
    remove_partial_files(tmp_path)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in left)


def test_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_folder("lm") == Path("runs/lm-1")
    assert everything(tmp_path) == []
    (tmp_path / "runs" / "lm-1").mkdir(parents=True)
    assert next_folder("lm") == Path("runs/lm-2")
    (tmp_path / "runs" / "lm-2").touch()
    assert next_folder("lm") == Path("runs/lm-3")


def test_it_is_known_what_was_made(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b") == [tmp_path / "a" / "b", tmp_path / "a"]
    assert make_folder(tmp_path / "a" / "b") == []


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"x: cannot be written: No space left on device$"),
        report_write_errors(tmp_path),
    ):
        raise OSError(28, "No space left on device", str(tmp_path / "x"))
    with pytest.raises(BrokenPipeError), report_write_errors(tmp_path):
        raise BrokenPipeError


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    log, made = claim_folder(tmp_path / "a" / "b")
    assert made == [tmp_path / "a" / "b", tmp_path / "a"]
    with pytest.raises(RunError, match="another process is training there"):
        claim_folder(tmp_path / "a" / "b")
    log.close()
    again, made = claim_folder(tmp_path / "a" / "b")  # nothing had been written
    assert made == []
    again.write({"event": "start"})
    again.close()
    with pytest.raises(UsageError, match="is there already"):
        claim_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "metrics.jsonl").read_text() == '{"event": "start"}\n'


def test_a_folder_that_is_in_use_by_now_gets_no_log(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match="is there already"):
        claim_folder(tmp_path)
    assert everything(tmp_path) == ["thesis.txt"]


def test_a_folder_that_its_maker_removed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = MetricsLog.exists
    removed = []

    def removed_once(log: MetricsLog) -> bool:
        if not removed:
            discard_folder(tmp_path / "run", [tmp_path / "run"])
            removed.append(log)
        return there(log)

    monkeypatch.setattr(MetricsLog, "exists", removed_once)
    log, made = claim_folder(tmp_path / "run")
    assert made == [tmp_path / "run"]
    assert there(log) and removed[0] is not log
    log.close()
    discard_folder(tmp_path / "run", made)
    assert everything(tmp_path) == []
