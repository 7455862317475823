"""What an embedder can be set to and asked with, and the names that its settings had before."""

from __future__ import annotations

from typing import Any

import pytest

from recurra.errors import UsageError
from recurra.runs.config import configure
from recurra.runs.upgrade import upgrade
from recurra.tasks.base.options import read_options
from recurra.tasks.embed.config import Data, Model, PredictOptions


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"method": "next"}, {"objective": "next_step"}),
        ({"method": "autoencoder", "size": 3, "blind": 0.5}, {"vector_size": 3, "decoder_input_dropout": 0.5}),
        ({"model.size": 3}, {"vector_size": 3}),
    ],
)
def test_the_names_that_settings_had_before_are_understood(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert configure("embed", before).settings == configure("embed", now).settings


def test_a_run_that_was_written_under_the_names_of_before_is_read() -> None:
    written = {"model": {"method": "next", "hidden": 4, "bidirectional": False}}
    assert upgrade({"data": Data, "model": Model}, written) == {
        "model": {"objective": "next_step", "hidden": 4, "bidirectional": False}
    }


def test_options_are_read_as_text_too() -> None:
    options = read_options(PredictOptions, {"cluster": "6", "neighbours": "2"}, "embed")
    assert (options.cluster, options.neighbours, options.steps) == (6, 2, False)
    assert read_options(PredictOptions, {"cluster": "auto"}, "embed").cluster == "auto"


@pytest.mark.parametrize("value", [0, -1, "many", True, "2.5", [3]])
def test_a_number_of_clusters_is_from_one(value: Any) -> None:
    with pytest.raises(UsageError, match="cluster: expected a number of clusters from 1, or auto; got"):
        read_options(PredictOptions, {"cluster": value}, "embed")


def test_a_result_depends_on_the_other_inputs_only_where_it_is_asked_for() -> None:
    assert not PredictOptions(steps=True).is_joint
    assert PredictOptions(cluster="auto").is_joint and PredictOptions(neighbours=1).is_joint
