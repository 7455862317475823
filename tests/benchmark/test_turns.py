"""Contestants take turns, each is warmed up, and the process is left as it was."""

from __future__ import annotations

import pytest
import torch

from recurra.benchmark import Contestant, Timing, take_turns, turns
from recurra.benchmark.turns import best, ratio
from recurra.errors import UsageError


@pytest.fixture
def short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SAMPLE_SECONDS", 0.0)


def timing(name: str, *seconds: float, precision: str = "float32", threads: int = 1) -> Timing:
    return Timing(name, precision, threads, 1, 1.0, list(seconds))


@pytest.mark.usefixtures("short_samples")
def test_they_take_turns_and_nobody_is_always_first() -> None:
    order: list[str] = []
    timings = take_turns([Contestant(name, "float32", 1, lambda name=name: order.append(name)) for name in "ab"], 5)
    assert [len(each.seconds) for each in timings] == [5, 5]
    assert "".join(order[-10:]) == "ab" + "ba" + "ab" + "ba" + "ab"


def test_short_steps_are_repeated_and_warmed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SAMPLE_SECONDS", 0.005)
    calls: list[None] = []
    take_turns([Contestant("a", "float32", 1, lambda: calls.append(None))], 5)
    assert len(calls) > 100


def test_a_unit_is_what_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_sample", lambda contestant, repeats, *, warm=None: 8.0)
    (each,) = take_turns([Contestant("a", "float32", 1, lambda: None, count=4)], 5)
    assert (each.trial, each.median) == (2.0, 2.0)


def test_hopeless_numbers_of_threads_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {("a", 1): 2.0, ("a", 2): 1.0, ("b", 1): 5.0, ("b", 2): 6.0}
    monkeypatch.setattr(turns, "_sample", lambda who, repeats, *, warm=None: seconds[who.name, who.threads])
    timings = take_turns([Contestant(*key[:1], "float32", key[1], lambda: None) for key in seconds], 5)
    assert {(each.name, each.threads): len(each.seconds) for each in timings} == {
        ("a", 1): 0,  # twice its best one
        ("a", 2): 5,
        ("b", 1): 5,  # slower than the other contestant, which is no reason to leave it
        ("b", 2): 5,
    }
    assert timings[0].trial == 2.0


def test_threads_are_set_for_each_and_put_back() -> None:
    before, seen = torch.get_num_threads(), set()
    take_turns([Contestant("a", "float32", 3, lambda: seen.add(torch.get_num_threads()))], 5)
    assert seen == {3}
    assert torch.get_num_threads() == before


def test_the_best_is_found_among_precisions_and_threads() -> None:
    timings = [
        timing("a", 3.0, 3.0, 3.0),
        timing("a", 2.0, 2.0, 9.0, threads=2),
        timing("a", 1.0, 1.0, 1.0, precision="bfloat16"),
        timing("a", precision="bfloat16", threads=2),
        timing("b", 0.1, 0.1, 0.1),
    ]
    assert best(timings, "a", "float32") is timings[1]
    assert best(timings, "a") is timings[2]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    # The machine slowed down by ten in two rounds; neighbours in time do not see it.
    assert ratio(timing("peer", 2.0, 2.0, 20.0, 20.0, 2.0), timing("own", 1.0, 1.0, 10.0, 10.0, 1.0)) == 2.0


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(UsageError, match="rounds: expected at least 5, got 4"):
        take_turns([], 4)
