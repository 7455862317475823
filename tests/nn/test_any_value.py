"""A module that is called with anything says what it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from recurra import nn
from recurra.errors import UsageError

MODULES = {
    "attention": nn.Attention("dot", 2, 2),
    "dropout": nn.Dropout(0.5),
    "gru": nn.GRU(3, 4),
    "layer": nn.Stack("gru", 3, [4]).layers[0],
    "location attention": nn.LocationAttention(2, 2),
    "masked head": nn.MaskedHead(3, 2, 2, [8]),
    "pooling": nn.Pooling("last", 4),
    "stack": nn.Stack("gru", 3, [4]),
    "word encoder": nn.WordEncoder(words=1, characters=1, cell="lstm"),
}
VALUES: list[Any] = [None, "x", 3, [1, 2], np.zeros((2, 3)), np.zeros(3, [("a", "f8")])]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_module_refuses_what_it_cannot_take(name: str, count: int) -> None:
    for value in VALUES:
        with pytest.raises(UsageError):
            MODULES[name](*[value] * count)


def test_a_failure_of_its_own_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nn.Dropout(0.5, variational=False)(torch.zeros(2, 2, 2))


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GravesLSTM, nn.GRU])
@pytest.mark.parametrize("placed", [{"dtype": 0}, {"dtype": torch.int64}, {"device": "nowhere"}], ids=str)
def test_a_module_is_made_of_no_type_and_nowhere_that_torch_does_not_know(
    kind: type[Any], placed: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        kind(3, 4, **placed)


@pytest.mark.parametrize("value", [None, "x", 3, {"a": 1}], ids=str)
def test_the_loss_over_labellings_refuses_what_it_cannot_take(value: Any) -> None:
    with pytest.raises(UsageError):
        nn.ctc_loss(value, value, value, value)
    if not isinstance(value, int):
        with pytest.raises(UsageError):
            nn.frames_needed(value)
