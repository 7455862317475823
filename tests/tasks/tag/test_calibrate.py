"""The temperature of a tagger is the one that fits what was held out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra import Run
from recurra.tasks.tag.calibrate import TEMPERATURES, fit_temperature
from recurra.tasks.tag.data import UNKNOWN


@pytest.fixture(scope="module", params=["crf", "softmax"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Tags that are wrong now and then teach it how unsure it ought to be."""
    folder = tmp_path_factory.mktemp("tag")
    tags = ["AB"[(n % 2) ^ (n % 7 == 0)] for n in range(180)]
    blocks = [f"{('film', 'song')[n % 2]}\t{tag}\nnumber{n}\tC\n" for n, tag in enumerate(tags)]
    (folder / "words.conll").write_text("\n".join(blocks))
    settings = {"hidden": 8, "embedding": 8, "characters": 4, "epochs": 12, "batch": 8, "lr": 0.02, "dropout": 0.1}
    shares = {"valid_share": 0.3, "test_share": 0.2, "head": request.param, "quiet": True}
    return recurra.train("tag", folder / "words.conll", folder / "run", **settings, **shares)


def test_no_other_temperature_makes_the_true_tags_likelier(run: Run) -> None:
    temperature: Any = run.network.temperature
    fitted = float(temperature)
    assert fitted != 1.0 and TEMPERATURES[0] < fitted < TEMPERATURES[1]
    run.task.prepare(run.path)

    def cost(factor: float) -> float:
        with torch.no_grad():
            temperature.fill_(fitted * factor)
        metrics: Any = run.task.validate(run.predictor)
        return metrics["nll"]

    assert cost(1.0) < min(cost(0.8), cost(1.25))


def test_where_all_fit_alike_it_is_the_lowest(run: Run) -> None:
    tagger: Any = run.predictor
    split = run.task.dataset.valid
    unknown = replace(split, targets=[np.full_like(row, UNKNOWN) for row in split.targets])
    fit_temperature(tagger, unknown)
    assert float(tagger.network.temperature) == pytest.approx(TEMPERATURES[0], rel=0.01)
