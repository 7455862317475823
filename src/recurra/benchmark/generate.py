"""Text written by a character model, one stream, beside a loop over torch.nn.LSTM."""

from __future__ import annotations

import itertools
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from recurra.benchmark.case import Scope
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.turns import Contestant, best, take_turns
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm import LanguageModel, LanguageModelConfig
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import build_vocabulary

OURS, PEER = "recurra", "torch.nn.LSTM loop"
UNITS = 200
TABLES = (
    Table(
        "generate",
        "Text generation, 2 × 128 LSTM over characters, one stream, for each character",
        (Target("one stream", 20.0),),
    ),
)


def groups(scope: Scope, rounds: int) -> list[Group]:
    """The one model there is."""
    return [Group("generate  2 × 128", 4.0 + rounds * 0.5, partial(_measure, scope, rounds))]


def character_model() -> LanguageModel:
    """Make a language model over 65 characters that has learnt nothing: writing with it takes as long as with any."""
    characters = "".join(map(chr, range(62, 126))) + "\n"
    preprocessor = TextPreprocessor(build_vocabulary([characters * 400], unit="char"), continuous=True)
    model = {"cell": "lstm", "layers": 2, "hidden": 128, "dropout": 0.0, "layer_norm": False}
    config = LanguageModelConfig.model_validate({"model": model})
    return LanguageModel(config, LanguageModel.build_network(config, preprocessor).eval(), preprocessor)


def write(model: LanguageModel, length: int, temperature: float) -> str:
    """Write so many units; temperature 0 takes the likeliest."""
    return "".join(
        chunk.text for chunk in model.generate([""], GenerateOptions(length=length, temperature=temperature))
    )


class TorchWriter(nn.Module):
    """The same model by torch alone: embedding, `nn.LSTM`, linear; a softmax and a draw for each unit."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        network = cast(LanguageNetwork, model.network)
        layers = list(network.stack)
        self.embedding, self.output = network.embedding, cast(nn.Linear, network.output)
        self._first: int = model.preprocessor.bos_id
        self.lstm = nn.LSTM(layers[0].input_size, layers[0].hidden_size, len(layers))
        own = {f"{name}_l{k}": value for k, layer in enumerate(layers) for name, value in layer.state_dict().items()}
        self.lstm.load_state_dict(own)
        self.register_buffer("forbidden", torch.tensor(model.preprocessor.forbidden, dtype=torch.int64))

    @torch.inference_mode()
    def write(self, length: int, temperature: float) -> list[int]:
        """Write so many units; temperature 0 takes the likeliest."""
        ids: list[int] = []
        last: Tensor = torch.tensor([[self._first]])
        state = None
        for _ in range(length):
            y, state = self.lstm(self.embedding(last), state)
            logits = self.output(y[0])
            if len(self.forbidden):
                logits[:, self.forbidden] = -torch.inf
            if temperature:
                last = torch.multinomial((logits / temperature).softmax(-1), 1)
            else:
                last = logits.argmax(-1, keepdim=True)
            ids.append(int(last))
        return ids


def _measure(scope: Scope, rounds: int) -> Measured:
    model = character_model()
    peer = TorchWriter(model).eval()
    # The likeliest leave nothing to chance.
    texts = write(model, UNITS, 0.0), model.vocabulary.decode(peer.write(UNITS, 0.0))
    apart = sum(one != other for one, other in itertools.zip_longest(*texts)) / UNITS
    contestants = [
        Contestant(name, "float32", threads, lambda write=writer: write(UNITS, 1.0), UNITS)
        for name, writer in ((OURS, partial(write, model)), (PEER, peer.write))
        for threads in scope.threads
    ]
    timings = take_turns(contestants, rounds)
    row = Row("generate", {"model": "2 × 128"}, best(timings, OURS), best(timings, PEER), apart, 0.0)
    return Measured([row], timings)
