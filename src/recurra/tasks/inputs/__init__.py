"""How sequences become numbers, whatever the task: text by words or by smaller units, series."""

from recurra.tasks.inputs.base import Encoded, Encoder, Input
from recurra.tasks.inputs.make import begin_with_vectors, load_input, make_input, vector_size
from recurra.tasks.inputs.series import Cutting, SeriesInput
from recurra.tasks.inputs.units import UnitInput
from recurra.tasks.inputs.words import WordInput

__all__ = [
    "Cutting",
    "Encoded",
    "Encoder",
    "Input",
    "SeriesInput",
    "UnitInput",
    "WordInput",
    "begin_with_vectors",
    "load_input",
    "make_input",
    "vector_size",
]
