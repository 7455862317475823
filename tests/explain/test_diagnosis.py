"""Trainings that were broken on purpose are diagnosed by name, and healthy ones are not."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from unittest import mock

import pytest
from tests.explain.trainings import BROKEN, HEALTHY

from recurra.cli import main
from recurra.explain.diagnosis import Finding, describe, diagnose, diagnosis_blocks, to_json
from recurra.runs.config import fields
from recurra.runs.run import Run


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_broken_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    run = BROKEN[name](tmp_path)
    found = {finding.name: finding for finding in diagnose(run)}
    assert name in found, describe(list(found.values()))
    assert found[name].severity in ("severe", "warning")
    assert found[name].evidence
    assert "healthy" not in found
    check_written(list(found.values()))
    if found[name].remedy is not None:
        mended = [finding.name for finding in diagnose(train_again(found[name].remedy, tmp_path / "mended"))]
        assert name not in mended


def train_again(remedy: str | None, out: Path) -> Run:
    """Do as a remedy says, as on the command line."""
    words = [*shlex.split(remedy or "")[1:], "-o", str(out), "-q"]
    with mock.patch("sys.argv", ["recurra", *words]), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    return Run.load(out)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_has_no_finding_above_a_hint(name: str, tmp_path: Path) -> None:
    findings = diagnose(HEALTHY[name](tmp_path))
    assert findings[0].name == "healthy", describe(findings)
    assert {finding.severity for finding in findings[1:]} <= {"hint"}
    check_written(findings)


def check_written(findings: list[Finding]) -> None:
    """Each finding is a sentence with finite numbers; a remedy is a command line with settings that there are."""
    assert json.loads(json.dumps(to_json(findings), allow_nan=False)) == to_json(findings)
    text = describe(findings)
    (table,) = diagnosis_blocks(findings)
    for finding in findings:
        assert finding.sentence.endswith(".")
        assert finding.sentence in text
        assert finding.name in table.draw()
        if finding.remedy is not None:
            program, verb, task, *words = shlex.split(finding.remedy)
            assert (program, verb) == ("recurra", "train")
            if task == "--resume":
                continue
            config, flags = words[:2], words[2::2]
            assert config[0] == "--config"
            assert Path(config[1]).is_file()
            assert {flag.removeprefix("--").replace("-", "_") for flag in flags} <= set(fields(task))
