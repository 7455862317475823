"""How sequences become numbers, whatever the task: text by words or by smaller units, series."""

from recurra.tasks.sequence.preprocessing.base import Encoded, InputLayer, Preprocessor, register_preprocessor
from recurra.tasks.sequence.preprocessing.build import (
    build_preprocessor,
    load_preprocessor,
    load_pretrained_vectors,
    vector_size,
)
from recurra.tasks.sequence.preprocessing.series import SeriesOptions, SeriesPreprocessor
from recurra.tasks.sequence.preprocessing.tokens import TokenPreprocessor
from recurra.tasks.sequence.preprocessing.words import WordPreprocessor

__all__ = [
    "Encoded",
    "InputLayer",
    "Preprocessor",
    "SeriesOptions",
    "SeriesPreprocessor",
    "TokenPreprocessor",
    "WordPreprocessor",
    "build_preprocessor",
    "load_preprocessor",
    "load_pretrained_vectors",
    "register_preprocessor",
    "vector_size",
]
