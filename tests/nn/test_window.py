"""The window only moves on, sees no padding, and shows what its weights say."""

from __future__ import annotations

import pytest
import torch

from recurra.errors import UsageError
from recurra.nn import TextWindow


@torch.no_grad()
def test_the_weights_are_those_of_the_equations() -> None:
    torch.manual_seed(2)
    window = TextWindow(4, 3, parts=2)
    hidden, texts, lengths = torch.randn(2, 4), torch.randn(2, 5, 3), torch.tensor([5, 3])
    state, weights = window(hidden, window.initial_state(2), texts, lengths)
    for row in range(2):
        alpha, beta, move = (hidden[row] @ window.weight.T + window.bias).exp().chunk(3)
        wanted = [
            float((alpha * torch.exp(-beta * (move - place) ** 2)).sum()) if place < lengths[row] else 0.0
            for place in range(5)
        ]
        assert weights[row].tolist() == pytest.approx(wanted, rel=1e-4, abs=1e-6)
        torch.testing.assert_close(state.shown[row], weights[row] @ texts[row])


def test_it_moves_on_alone_and_sees_no_padding() -> None:
    torch.manual_seed(1)
    window = TextWindow(4, 3)
    texts, lengths, state = torch.randn(2, 6, 3), torch.tensor([6, 2]), window.initial_state(2)
    other = texts.clone()
    other[1, 2:] = 9
    for _ in range(5):
        hidden = torch.randn(2, 4)
        moved, weights = window(hidden, state, texts, lengths)
        again, _ = window(hidden, state, other, lengths)
        assert (moved.places > state.places).all() and not weights[1, 2:].any()
        assert torch.equal(moved.shown, again.shown)
        state = moved


def test_what_does_not_fit_is_one_line() -> None:
    window = TextWindow(4, 3)
    with pytest.raises(UsageError, match=r"texts: expected \(2, S, 3\)"):
        window(torch.zeros(2, 4), window.initial_state(2), torch.zeros(1, 5, 3), torch.tensor([5]))
    with pytest.raises(UsageError, match="pace: expected letters a step"):
        TextWindow(4, 3, pace=0.0)
