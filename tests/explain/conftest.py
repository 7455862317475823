from __future__ import annotations

from typing import Any

import pytest
import torch

from recurra.nn import Stack
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.predictor import Predictor


class StackPredictor(Predictor):
    """A stack and nothing else: an input is (T, I), which is read in pieces of `piece` steps with the state carried, and the result its outputs."""

    name = "stack"
    piece = 1000

    @classmethod
    def load_preprocessor(cls, folder, config):
        raise NotImplementedError

    @classmethod
    def build_network(cls, config, preprocessor):
        raise NotImplementedError

    def predict_with(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:
        stack = self.network
        with eval_mode(stack):
            state, outputs = stack.zero_state(1), []
            for piece in inputs[0].unsqueeze(1).split(self.piece):
                y, state = stack(piece, state)
                outputs.append(y[:, 0])
        return [{"outputs": torch.cat(outputs).tolist(), "state": [[v.tolist() for v in layer] for layer in state]}]


@pytest.fixture
def predictor_of():
    """Build a predictor of a stack with weights far from their initial values."""

    def build(cell: str, hidden: list[int], *, inputs: int = 4, piece: int = 1000, **options: Any) -> StackPredictor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            stack = Stack(cell, inputs, hidden, **options)
            with torch.no_grad():
                for parameter in stack.parameters():
                    parameter.add_(0.2 * torch.randn_like(parameter))
        predictor = StackPredictor(None, stack, None)
        predictor.piece = piece
        return predictor

    return build
