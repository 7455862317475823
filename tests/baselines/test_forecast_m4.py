"""Two benchmarks of the M4 competition, compared with its published table (Evaluation and Ranks.xlsx, "Point Forecasts-Frequency")."""

from __future__ import annotations

import csv
import io
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from recurra.baselines import ForecastBaseline, Naive2, SeasonalNaive
from recurra.metrics import ForecastScores, owa

FOLDER = Path(os.environ.get("RECURRA_DATA", "")) / "m4"


def rows(name: str) -> list[np.ndarray]:
    """Read series, each (T, 1)."""
    content = (FOLDER / name).read_bytes()
    text = (lzma.decompress(content) if name.endswith(".xz") else content).decode()
    table = list(csv.reader(io.StringIO(text)))[1:]
    return [np.array([float(value) for value in row[1:] if value])[:, None] for row in table]


@pytest.mark.skipif(not (FOLDER / "Test" / "Weekly-test.csv").is_file(), reason="RECURRA_DATA has no m4")
@pytest.mark.parametrize(
    ("train", "test", "season", "count", "snaive", "naive2"),
    [
        ("Hourly-train.csv", "Hourly-test.csv", 24, 414, (13.912, 1.193, 0.627), (18.383, 2.395, 1.000)),
        ("Weekly-train.csv.xz", "Weekly-test.csv", 1, 359, (9.161, 2.777, 1.000), (9.161, 2.777, 1.000)),
    ],
)
def test_the_published_table_to_its_last_digit(train, test, season, count, snaive, naive2):
    histories, actual = rows(f"Train/{train}"), np.stack(rows(f"Test/{test}"))
    assert len(histories) == len(actual) == count

    def scores(model: ForecastBaseline) -> ForecastScores:
        model.fit(histories, season, actual.shape[1])
        found = ForecastScores(season)
        for number, history in enumerate(histories):
            mean, _ = model.forecast(history)
            found.add(number, found.scale_of(history), actual[[number]], mean[None])
        return found

    theirs = scores(Naive2()).metrics()
    for found, published in ((scores(SeasonalNaive()).metrics(), snaive), (theirs, naive2)):
        assert tuple(round(found[name], 3) for name in ("smape", "mase")) == published[:2]
        # The table's OWA is made of its own numbers, which are rounded: 0.62745 for sNaive. Of the whole numbers it is 0.62750.
        rounded = [round(each[name], 3) for each in (found, theirs) for name in ("smape", "mase")]
        assert round(owa(*rounded), 3) == published[2]
        assert owa(found["smape"], found["mase"], theirs["smape"], theirs["mase"]) == pytest.approx(
            published[2], abs=6e-4
        )
