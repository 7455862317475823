"""Transcribers that were trained a little on tones, whole and as they come."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.transcribe.signals import write_inks, write_lines, write_sounds

from recurra.api import train
from recurra.runs.run import Run
from recurra.testing.expect import one_thread


def trained(folder: Path, data: Path, epochs: int, **settings) -> Run:
    with one_thread():
        return train(
            "transcribe",
            [str(data)],
            folder / "run",
            quiet=True,
            valid_share=0.15,
            test_share=0.15,
            split_by="signal",
            epochs=epochs,
            batch=8,
            hidden=24,
            dropout=0.0,
            threads=1,
            precision="float32",
            validations=2,
            lr=0.01,
            **settings,
        )


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Sounds, read in one direction."""
    data = tmp_path_factory.mktemp("live-sounds")
    return trained(
        tmp_path_factory.mktemp("live"),
        write_sounds(data, 64),
        25,
        label_from="{text}_{speaker}_*",
        mels=12,
        bidirectional=False,
        layers=1,
        augment=False,
        joined=2,
        stack=2,
    )


@pytest.fixture(scope="session")
def pen(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Strokes, read in one direction."""
    data = tmp_path_factory.mktemp("inks")
    return trained(tmp_path_factory.mktemp("pen"), write_inks(data, 48), 15, bidirectional=False, layers=1)


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Pictures of lines."""
    data = tmp_path_factory.mktemp("line-pictures")
    return trained(tmp_path_factory.mktemp("lines"), write_lines(data, 32), 12, height=16, channels=4, layers=1)
