"""Beginning with the weights of another run: what such a run can give, and how a new network takes it over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from recurra.errors import UsageError
from recurra.nn import Stack, WordEncoder
from recurra.nn.stack import Layer
from recurra.tasks.base.settings import Settings
from recurra.text import Vocabulary
from recurra.text.vocabulary.base import FIRST_BYTE

UNKNOWN = "<unknown>"
"""The name of what all units have in common that a vocabulary lacks; a real unit may not have it, for no word has marks around it."""
SIZES = ("cell", "layers", "hidden", "embedding", "layer_norm", "unit")
"""Settings that have to be the run's for its weights to fit; those that are left open are taken from it."""


@dataclass(frozen=True)
class PretrainedLayers:
    """What a run can give a new network.

    run: its folder, for messages.  settings: its values of `SIZES`.  units: the rows of vectors (V, E), by name.  counts: how often
    each was seen, as far as that is known.  encoder: what gives words their vectors, where the run reads words by their characters
    too; characters: the rows of its own vectors.  outputs: weights (V, H) and bias (V), where units are predicted.
    """

    run: str
    settings: Mapping[str, Any]
    units: Sequence[str]
    vectors: Tensor
    stack: Stack
    counts: Mapping[str, int] = field(default_factory=dict)
    encoder: WordEncoder | None = None
    characters: Sequence[str] = ()
    outputs: tuple[Tensor, Tensor] | None = None


def unit_names(vocabulary: Vocabulary) -> list[str]:
    """Name each unit of a vocabulary, no two alike: a byte by its number, another by its text.

    >>> from recurra.text import build_vocabulary
    >>> unit_names(build_vocabulary(["a cat a cat\\n"], unit="word"))
    ['<mark 0>', '<mark 1>', '<unknown>', 'a', 'cat', '\\n']
    """
    names = [f"<mark {id}>" for id in range(FIRST_BYTE)]
    if vocabulary.unit == "word":
        return [*names, UNKNOWN, *cast(Any, vocabulary).words]
    for id in range(FIRST_BYTE, vocabulary.size):
        byte = id - FIRST_BYTE
        names.append(f"<byte {byte}>" if byte < 256 else vocabulary.label(id))
    return names


def take_settings(sections: Iterable[Settings], given: PretrainedLayers) -> None:
    """Set what is left open of `SIZES` as it is in the run; raises `UsageError` for what the user has set otherwise."""
    for section in sections:
        for name in SIZES:
            if name not in type(section).model_fields or name not in given.settings:
                continue
            had, wanted = getattr(section, name), given.settings[name]
            if name in section.model_fields_set and had is not None and had != wanted:
                raise UsageError(
                    f"{name}: the run to begin with ({given.run}) has {wanted}, got {had}; leave {name} out, or set {wanted}"
                )
            setattr(section, name, wanted)


@torch.no_grad()
def copy_rows(target: Tensor, names: Sequence[str], source: Tensor, source_names: Sequence[str]) -> int:
    """Copy the rows whose names are the same, or the same in small letters; gives how many, without the unknown one and the marks.

    target: (V, E).  source: (W, E).

    >>> vectors = torch.zeros(3, 1)
    >>> copy_rows(vectors, ["The", "cat", "sat"], torch.tensor([[1.0], [2.0]]), ["cat", "the"]), vectors.flatten().tolist()
    (2, [2.0, 1.0, 0.0])
    """
    if target.shape[1:] != source.shape[1:]:
        return 0
    rows = {name: row for row, name in enumerate(source_names)}
    pairs = [
        (place, row)
        for place, name in enumerate(names)
        if (row := rows.get(name, rows.get(name.casefold()))) is not None
    ]
    if pairs:
        places, found = torch.tensor(pairs).unbind(1)
        target[places] = source[found].to(target)
    return sum(not is_mark(names[place]) for place, _ in pairs)


def is_mark(name: str) -> bool:
    """Tell whether the name of a unit is that of a mark, of a byte or of all unknown ones, and no text that one could read."""
    return name in (UNKNOWN, "\n") or (name.startswith(("<mark ", "<byte ")) and name.endswith(">"))


@torch.no_grad()
def copy_stack(target: Stack, source: Stack, *, words: int) -> int:
    """Copy layers from the lowest up, as long as kind and size agree; gives how many.

    The forward cells of the one begin the forward cells of the other, and the backward cells likewise where both have some. Of the
    first layer's input `words` numbers are a unit's vector, and only what weighs these is copied where the rest differs.
    """
    count = 0
    for index, (layer, other) in enumerate(zip(target.layers, source.layers, strict=False)):
        if not _agree(cast(Layer, layer), cast(Layer, other)):
            break
        hidden = cast(Layer, layer).hidden_size
        pairs = [(target.layers, source.layers)]
        if target.bidirectional and source.bidirectional:
            pairs.append((target.backward_layers, source.backward_layers))
        for into, out in pairs:
            _copy_layer(cast(Layer, into[index]), cast(Layer, out[index]), hidden if index else words)
        _copy_norm(target.norms[index], source.norms[index])
        count += 1
    return count


def _agree(layer: Layer, other: Layer) -> bool:
    return layer.cell is other.cell and layer.hidden_size == other.hidden_size


def _copy_layer(layer: Layer, other: Layer, shared: int) -> None:
    """Copy a layer's weights; where it reads more or less than the other did, those of the first `shared` inputs."""
    for name, weight in layer.named_parameters():
        source = other.get_parameter(name)
        if name == "weight_ih" and weight.shape != source.shape:
            if layer.input_size == 2 * shared and other.input_size == shared:
                weight[:, shared:] = 0  # what the other direction says was not read before
            weight[:, :shared] = source[:, :shared].to(weight)
        else:
            weight.copy_(source)


def _copy_norm(norm: nn.Module, other: nn.Module) -> None:
    if isinstance(norm, nn.LayerNorm) and isinstance(other, nn.LayerNorm):
        width = min(norm.weight.shape[0], other.weight.shape[0])
        norm.weight[:width] = other.weight[:width].to(norm.weight)
        norm.bias[:width] = other.bias[:width].to(norm.bias)


@torch.no_grad()
def copy_spelling(target: WordEncoder, characters: Sequence[str], source: PretrainedLayers) -> None:
    """Copy how words are spelt: the characters' vectors by their names, and the cells that read them where they fit."""
    encoder = source.encoder
    if encoder is None or target.spelling.output_size != encoder.spelling.output_size:
        return
    copy_rows(
        target.characters.weight, [UNKNOWN, *characters], encoder.characters.weight, [UNKNOWN, *source.characters]
    )
    shapes = [{name: one.shape for name, one in module.state_dict().items()} for module in (target, encoder)]
    for name, weight in target.state_dict().items():
        if name.startswith(("spelling.", "project.")) and shapes[0][name] == shapes[1].get(name):
            weight.copy_(encoder.state_dict()[name])


def taken_sentence(run: str, units: int, of: int, layers: int, unit: str) -> str:
    """Say how much was taken over; raises `UsageError` where it is nothing.

    >>> taken_sentence("runs/news", 8412, 10_000, 2, "word")
    'begins with runs/news: 8,412 of 10,000 words, 2 layers of cells'
    """
    if not units and not layers:
        raise UsageError(
            f"from: nothing of {run} fits: none of its units stands in these texts, and its cells have other sizes; name another run"
        )
    name = {"word": "words", "char": "characters", "byte": "bytes"}.get(unit, "units")
    cells = f"{layers} layer{'s' * (layers != 1)} of cells" if layers else "no cells"
    return f"begins with {run}: {units:,} of {of:,} {name}, {cells}"


def layer_depths(network: nn.Module, *, stack: str, layers: int, units: str) -> dict[str, int]:
    """Give how far below the output each parameter of a network lies, by its name: 0 for the output, more for each layer of cells.

    stack, units: how the names begin of what belongs to the stack of so many layers, and to the units' vectors.
    """
    depths = {}
    for name, _ in network.named_parameters():
        if name.startswith(units):
            depths[name] = layers + 1
        elif name.startswith(stack):
            index = int(name[len(stack) :].split(".")[1])  # layers.0.…, backward_layers.0.…, norms.0.…
            depths[name] = layers - index
        else:
            depths[name] = 0
    return depths
