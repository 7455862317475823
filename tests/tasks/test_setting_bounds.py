"""Numbers of settings and options: each has a bound, and truth values are no numbers."""

from __future__ import annotations

import pytest

from recurra.errors import UsageError
from recurra.runs.config import configure, fields
from recurra.tasks import get_task, task_names
from recurra.tasks.base.options import MAX_GENERATED_UNITS, MAX_LENGTH_PENALTY, GenerateOptions, read_options
from recurra.training.config import Training


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


@pytest.mark.parametrize("name", ["hidden", "dropout", "epochs", "seed"])
def test_a_truth_value_is_no_number(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}: expected a number, got true"):
        configure("lm", {name: True})


@pytest.mark.parametrize("name", ["quantiles", "dilations"])
def test_a_truth_value_in_a_list_is_no_number(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}: expected a number, got true"):
        configure("forecast", {name: [True]})


@pytest.mark.parametrize("given", [1, 0, 1.0])
def test_a_number_is_no_truth_value(given: float) -> None:
    with pytest.raises(UsageError, match=rf"layer_norm: expected true or false, got {given}"):
        configure("lm", {"layer_norm": given})


@pytest.mark.parametrize("given", [False, "false"])
def test_a_truth_value_stays_one(given: object) -> None:
    assert configure("lm", {"layer_norm": given}).settings.model.layer_norm is False  # type: ignore[attr-defined]


@pytest.mark.parametrize("given", [10**400, 10**5000, "1" + "0" * 400], ids=["400", "5000", "text"])
def test_a_whole_number_of_many_digits_is_an_error(given: object) -> None:
    with pytest.raises(UsageError, match=r"model\.embedding: .{0,150}$"):
        configure("lm", {"embedding": given})


def _numbers() -> list[tuple[str, str, bool]]:
    """Every setting that is a number, of every task: the task, its name, and whether it is a list."""
    found = []
    for task in task_names():
        for name, (_, field) in fields(task).items():
            kind = str(field.annotation)
            if ("int" in kind or "float" in kind) and name not in Training.endless:
                found.append((task, name, "list" in kind))
    return found


@pytest.mark.parametrize(("task", "name", "several"), _numbers())
@pytest.mark.parametrize("given", [10**40, 1e300])
def test_every_number_has_a_limit(task: str, name: str, several: bool, given: float) -> None:
    with pytest.raises(UsageError, match=rf"(^|\.){name}(\.0)?: "):
        configure(task, {name: [given] if several else given})


def test_a_number_without_a_limit_may_be_large() -> None:
    assert configure("lm", {"clip": 1e300}).training.clip == 1e300


def test_a_search_is_for_a_text_that_is_not_endless() -> None:
    with pytest.raises(UsageError, match=r"^length: expected at most 10,000 units for a search, got 10,001"):
        read_options(GenerateOptions, {"beam": 2, "length": 10_001}, "lm")


@pytest.mark.parametrize("given", [{"batch": "9223372036854775808"}, {"batch": 2**63}, {"merge_gap": "-" + "9" * 30}])
def test_a_number_that_no_run_can_hold_is_refused_before_the_training(given: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"{next(iter(given))}: .*(number of at most|greater than)"):
        configure("detect", given)


@pytest.mark.parametrize("given", [10_001, 2**31])
def test_a_dilation_has_a_bound(given: int) -> None:
    with pytest.raises(UsageError, match=r"dilations: expected (whole numbers from 1 to 10,000|a number of at most)"):
        configure("forecast", {"dilations": [given]})


@pytest.mark.parametrize("value", [float("inf"), "inf", 10**400])
def test_so_many_clusters_there_are_not(value: object) -> None:
    with pytest.raises(UsageError, match="cluster: "):
        read_options(get_task("embed").Predictor.PredictOptions, {"cluster": value}, "embed")
