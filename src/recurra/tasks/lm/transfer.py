"""What a language model gives to a new network, and how one begins with what another has learnt."""

from __future__ import annotations

from recurra.tasks.base.transfer import PretrainedLayers, copy_rows, copy_stack, is_mark, taken_sentence, unit_names
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.network import LanguageNetwork
from recurra.text import Vocabulary


def give_layers(run: str, network: LanguageNetwork, vocabulary: Vocabulary, model: Model) -> PretrainedLayers:
    """Give what a trained network has."""
    settings = {name: getattr(model, name) for name in ("cell", "layers", "hidden", "layer_norm")}
    weights = network.embedding.weight.detach()
    output = network.output
    return PretrainedLayers(
        run,
        {**settings, "embedding": weights.shape[1], "unit": vocabulary.unit},
        unit_names(vocabulary),
        weights,
        network.stack,
        outputs=None if output is None else (output.weight.detach(), output.bias.detach()),
    )


def begin_with(network: LanguageNetwork, vocabulary: Vocabulary, given: PretrainedLayers) -> str:
    """Copy all that fits, and say how much that was; raises `UsageError` where it is nothing."""
    names = unit_names(vocabulary)
    units = copy_rows(network.embedding.weight, names, given.vectors, given.units)
    layers = copy_stack(network.stack, given.stack, words=network.embedding.embedding_dim)
    if network.output is not None and given.outputs is not None:
        weight, bias = given.outputs
        if copy_rows(network.output.weight, names, weight, given.units):
            copy_rows(network.output.bias, names, bias, given.units)
    return taken_sentence(given.run, units, sum(not is_mark(name) for name in names), layers, vocabulary.unit)
