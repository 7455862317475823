"""What a network over whole texts gives to a new one, and how such a one begins with what another has learnt."""

from __future__ import annotations

from typing import Any

from recurra.errors import UsageError
from recurra.tasks.base.config import SequenceModel
from recurra.tasks.base.transfer import PretrainedLayers, copy_rows, copy_spelling, copy_stack, is_mark, taken_sentence
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.sequence.preprocessing import Preprocessor, TokenPreprocessor, WordPreprocessor
from recurra.tasks.sequence.preprocessing.words import WordInputLayer


def give_layers(run: str, body: SequenceEncoder, inputs: Preprocessor, model: SequenceModel) -> PretrainedLayers:
    """Give what a trained network has; raises `UsageError` where it reads series."""
    table = body.encoder.table if inputs.discrete else None
    if table is None:
        raise UsageError(f"from: {run} reads series, of which nothing can be taken over; name a run on texts")
    words = isinstance(inputs, WordPreprocessor)
    vocabulary: Any = inputs.vocabulary if isinstance(inputs, WordPreprocessor | TokenPreprocessor) else None
    settings = {name: getattr(model, name) for name in ("cell", "layers", "hidden", "layer_norm")}
    return PretrainedLayers(
        run,
        {**settings, "embedding": table.embedding_dim, "unit": "word" if words else vocabulary.unit},
        inputs.unit_names(),
        table.weight.detach(),
        body.stack,
        counts=dict(zip(vocabulary.words, vocabulary.counts, strict=True)) if words else {},
        encoder=body.encoder.words if isinstance(body.encoder, WordInputLayer) else None,
        characters=vocabulary.characters if words else (),
    )


def check_inputs(given: PretrainedLayers, kind: str, unit: str) -> None:
    """Raise `UsageError` where what is read is no text, or a text by other units than the run's."""
    if kind != "text":
        raise UsageError(f"from: {given.run} reads texts, and these data are {kind}; leave --from out")
    if unit != given.settings["unit"]:
        raise UsageError(
            f"from: {given.run} reads a text by {given.settings['unit']}, and here it is read by {unit}; "
            f"name a run that was trained with --unit {unit}"
        )


def begin_with(body: SequenceEncoder, inputs: Preprocessor, given: PretrainedLayers) -> str:
    """Copy all that fits, and say how much that was; raises `UsageError` where it is nothing."""
    names = inputs.unit_names()
    table = body.encoder.table
    units = copy_rows(table.weight, names, given.vectors, given.units)
    if isinstance(body.encoder, WordInputLayer) and isinstance(inputs, WordPreprocessor):
        copy_spelling(body.encoder.words, inputs.vocabulary.characters, given)
    layers = copy_stack(body.stack, given.stack, words=table.embedding_dim)
    of = sum(not is_mark(name) for name in names)
    return taken_sentence(given.run, units, of, layers, given.settings["unit"])
