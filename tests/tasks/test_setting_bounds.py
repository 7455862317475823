"""Numbers of settings and options: each has a bound, and truth values are no numbers."""

from __future__ import annotations

import pytest

from recurra.errors import UsageError
from recurra.runs.config import configure
from recurra.tasks.base.options import MAX_GENERATED_UNITS, MAX_LENGTH_PENALTY, GenerateOptions, read_options


@pytest.mark.parametrize(
    "given",
    [
        {"beam": 2, "length_penalty": 1e30},
        {"top_k": "99999999999999999999"},
        {"beam": 10**14},
        {"length": 10**20},
        {"count": 10**20},
        {"seed": 10**20},
    ],
)
def test_an_option_beyond_its_bound_is_an_error_that_names_it(given: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"^{list(given)[-1]}: "):
        read_options(GenerateOptions, given, "lm")


def test_the_largest_penalty_of_the_longest_text_is_a_number() -> None:
    assert float("inf") > ((5 + MAX_GENERATED_UNITS) / 6) ** MAX_LENGTH_PENALTY


@pytest.mark.parametrize("name", ["hidden", "dropout", "cell", "epochs"])
def test_a_truth_value_is_no_number_and_no_word(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}: expected no truth value, got true"):
        configure("lm", {name: True})


def test_a_truth_value_stays_one() -> None:
    assert configure("lm", {"layer_norm": False}).settings.model.layer_norm is False  # type: ignore[attr-defined]


def test_a_whole_number_of_many_digits_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"model\.embedding: "):
        configure("lm", {"embedding": 10**400})
