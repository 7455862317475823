"""How sequences become numbers, whatever the task: text by words or by smaller units, series."""

from recurra.tasks.sequence.preprocessing.base import Encoded, Encoder, Input
from recurra.tasks.sequence.preprocessing.build import begin_with_vectors, load_input, make_input, vector_size
from recurra.tasks.sequence.preprocessing.series import Cutting, SeriesInput
from recurra.tasks.sequence.preprocessing.tokens import UnitInput
from recurra.tasks.sequence.preprocessing.words import WordInput

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
