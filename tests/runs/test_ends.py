"""How a training ends where a disk, a folder or a kill is in its way: in one line, and resumed it ends as one that nothing had happened to."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.runs.trainings import CASES, raises, train

import recurra
from recurra.errors import RunError, UsageError
from recurra.runs import session
from recurra.runs.manifest import check_manifest
from recurra.runs.run import Run
from recurra.tasks import get_task


@pytest.mark.parametrize("task", CASES)
def test_a_training_that_was_lost_when_it_was_measured_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    class Lost(BaseException):
        """As a version did that did not catch it: no manifest is written."""

    with monkeypatch.context() as patch:
        patch.setattr(session, "measure_for_record", raises(Lost()))
        with pytest.raises(Lost):
            train(task, tmp_path / "run")
    with pytest.raises(RunError, match="has not ended"):
        Run.load(tmp_path / "run")
    run = recurra.resume(tmp_path / "run", quiet=True)
    whole = train(task, tmp_path / "whole")
    assert run.evaluation == whole.evaluation
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("name", ["report.html", "manifest.json", "model.safetensors", "metrics.jsonl"])
def test_a_disk_that_is_full_or_read_only_at_the_end_is_one_line_and_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    full = OSError(number, os.strerror(number))
    with monkeypatch.context() as patch:
        if name == "metrics.jsonl":
            real = session.MetricsLog.write

            def write(log: Any, event: dict[str, Any]) -> None:
                if event["event"] == "evaluation":
                    raise full
                real(log, event)

            patch.setattr(session.MetricsLog, "write", write)
        else:
            replace = os.replace

            def refuse(source: Any, target: Any) -> None:
                if Path(target).name == name:
                    raise full
                replace(source, target)

            patch.setattr(os, "replace", refuse)
        with pytest.raises(RunError, match=f"cannot be written: {os.strerror(number)}") as caught:
            train("lm", tmp_path / "run")
        assert "\n" not in str(caught.value)
    assert not [path.name for path in (tmp_path / "run").glob(".*")]
    run = recurra.resume(tmp_path / "run", quiet=True)
    whole = train("lm", tmp_path / "whole")
    assert run.evaluation == whole.evaluation
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    assert sorted(check_manifest(tmp_path / "run")) == sorted(check_manifest(tmp_path / "whole"))


def test_a_folder_that_is_removed_while_it_trains_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = get_task("lm").validate

    def remove(*given: Any) -> Any:
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        return real(*given)

    monkeypatch.setattr(get_task("lm"), "validate", remove)
    with pytest.raises(RunError, match=r"config\.toml: is missing") as caught:
        train("lm", tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, met = get_task("lm").evaluate, []

    def meanwhile(*given: Any, **options: Any) -> Any:
        if not met:
            met.append(True)
            with pytest.raises(RunError, match="another process is training there"):
                recurra.resume(tmp_path / "run", quiet=True)
            with pytest.raises(UsageError, match="is there already"):
                train("lm", tmp_path / "run")
            with pytest.raises(RunError, match="has not ended"):
                Run.load(tmp_path / "run")
        return real(*given, **options)

    monkeypatch.setattr(get_task("lm"), "evaluate", meanwhile)
    assert train("lm", tmp_path / "run").evaluation is not None
    assert met
