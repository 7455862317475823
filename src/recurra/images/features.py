"""A grid of features for each picture, by an image model in an ONNX file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recurra.errors import DataError, UsageError, as_data_error, require
from recurra.images.transform import resize

Normalisation = Literal["imagenet", "unit", "signed", "none"]
DEFAULT_SIDE = 224
"""Pixels of a picture's side where a model takes any."""
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_RANK = 4
_COLOURS = 3


class PictureFeatures:
    """A model that turns a picture into a grid of features; it is run by ONNX Runtime, needing the extra `export`.

    It has one input of four dimensions, (1, 3, H, W) or (1, H, W, 3), float32, float16 or uint8; where it leaves H and W open,
    they are 224. Pictures are stretched to that. What it gives is (1, C, h, w), or (1, h, w, C) where the colours of its input come last.

    Raises `DataError` for a file that is no such model, and `UsageError` for an output that it does not have.

    Args:
        path: the file.
        output: which of its outputs; None: the first of four dimensions.
        normalise: what it reads of a pixel; bytes are always given as they are.
    """

    def __init__(self, path: str | Path, output: str | None = None, normalise: Normalisation = "imagenet") -> None:
        runtime = require("onnxruntime", "export", "an ONNX encoder")
        self.path, self.normalise = Path(path), normalise
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror or error})", source=path) from None
        self.digest = hashlib.sha256(data).hexdigest()
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        with as_data_error("is no ONNX model that can be run", source=path):
            self._session: Any = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._read_input()
        self._output = self._choose_output(output)
        self.key = hashlib.sha256(f"{self.digest} {self._output} {normalise}".encode()).hexdigest()[:16]
        """Says in a word which features these are."""
        self.height, self.width, self.channels = self(np.zeros((8, 8, 3), np.uint8)).shape

    def _read_input(self) -> None:
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape)
        if len(inputs) != 1 or len(shape) != _RANK or inputs[0].type not in _TYPES or _COLOURS not in shape[1:]:
            raise DataError(
                f"expected a model with one input (1, 3, H, W) or (1, H, W, 3), got {[(one.shape, one.type) for one in inputs]}",
                source=self.path,
            )
        self._input, self._type = inputs[0].name, _TYPES[inputs[0].type]
        self._first = shape[1] == _COLOURS
        height, width = shape[2:] if self._first else shape[1:3]
        self._size = tuple(side if isinstance(side, int) and side > 0 else DEFAULT_SIDE for side in (height, width))

    def _choose_output(self, name: str | None) -> str:
        outputs = {one.name: one.shape for one in self._session.get_outputs()}
        if name is not None and name not in outputs:
            raise UsageError(f"encoder_output: expected one of {', '.join(outputs)}, got {name!r}")
        chosen = name or next((one for one, shape in outputs.items() if len(shape) == _RANK), None)
        if chosen is None or len(outputs[chosen]) != _RANK:
            raise DataError(
                f"expected an output of four dimensions, a grid of features, got {outputs}",
                source=self.path,
                hint="cut the model off before its pooling, and name that output (--encoder-output)",
            )
        return chosen

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Give the features (h, w, C) float32 of a picture (H, W, 3) uint8."""
        values = resize(picture, *self._size)
        with as_data_error("the model fails on a picture", source=self.path):
            (found,) = self._session.run([self._output], {self._input: self._prepare(values)})
        grid = np.asarray(found, np.float32)[0]
        if grid.ndim != _RANK - 1 or not np.isfinite(grid).all():
            raise DataError("expected a grid of finite features, got something else", source=self.path)
        return np.ascontiguousarray(grid.transpose(1, 2, 0) if self._first else grid)

    def _prepare(self, picture: np.ndarray) -> np.ndarray:
        values = picture
        if self._type is not np.uint8:
            values = picture.astype(np.float32)
            if self.normalise in ("imagenet", "unit"):
                values = values / 255
            if self.normalise == "imagenet":
                values = (values - np.array(_MEAN, np.float32)) / np.array(_SPREAD, np.float32)
            if self.normalise == "signed":
                values = values / 127.5 - 1
        batch = values[None].astype(self._type)
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if self._first else batch)
