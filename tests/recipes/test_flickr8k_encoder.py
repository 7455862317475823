"""The recipe that writes an image model as ONNX: on weights drawn by chance, of a few layers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from recurra.errors import DataError, UsageError
from recurra.images import PictureFeatures

PATH = Path(__file__).resolve().parents[2] / "recipes" / "flickr8k_encoder.py"
HALVING = (1, 3)


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    if not PATH.is_file():
        pytest.skip("the recipes are not beside the tests")
    spec = importlib.util.spec_from_file_location("flickr8k_encoder", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flickr8k_encoder"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Four blocks: without widening; halving and widening; keeping its form, of 5 x 5; halving."""
    generator, found = torch.Generator().manual_seed(1), {}

    def layer(weight: str, norm: str, *shape: int) -> None:
        found[f"{weight}.weight"] = torch.randn(*shape, generator=generator) / np.sqrt(np.prod(shape[1:]))
        for name in ("weight", "bias", "running_mean", "running_var"):
            drawn = torch.rand(shape[0], generator=generator)
            found[f"{norm}.{name}"] = drawn + 0.5 if name in ("weight", "running_var") else drawn - 0.5

    layer("_conv_stem", "_bn0", 8, 3, 3, 3)
    blocks = ((8, 8, 8, 3), (8, 16, 12, 3), (12, 24, 12, 5), (12, 24, 10, 5))
    for number, (before, inner, after, size) in enumerate(blocks):
        name = f"_blocks.{number}"
        if inner != before:
            layer(f"{name}._expand_conv", f"{name}._bn0", inner, before, 1, 1)
        layer(f"{name}._depthwise_conv", f"{name}._bn1", inner, 1, size, size)
        layer(f"{name}._project_conv", f"{name}._bn2", after, inner, 1, 1)
    layer("_conv_head", "_bn1", 20, 10, 1, 1)
    return found


def test_what_is_added_and_halved(recipe: ModuleType, weights: dict[str, torch.Tensor]) -> None:
    layers = list(recipe.layers_of(weights, HALVING))
    assert [one.weight for one in layers if one.adds] == ["_blocks.0._project_conv", "_blocks.2._project_conv"]
    assert [one.weight for one in layers if one.stride == 2] == [
        "_conv_stem",
        "_blocks.1._depthwise_conv",
        "_blocks.3._depthwise_conv",
    ]
    assert [one.groups for one in layers if "depthwise" in one.weight] == [8, 16, 24, 24]


@pytest.mark.parametrize("side", [32, 33, 38])
def test_onnx_runtime_and_torch_give_the_same(
    recipe: ModuleType, weights: dict[str, torch.Tensor], side: int, tmp_path: Path
) -> None:
    layers = list(recipe.layers_of(weights, HALVING))
    path = tmp_path / "encoder.onnx"
    path.write_bytes(recipe.to_onnx(weights, layers, side))
    picture = np.random.default_rng(2).integers(0, 256, (side, side, 3), dtype=np.uint8)
    found, expected = PictureFeatures(path)(picture), recipe.by_torch(weights, layers, picture)
    assert found.shape == expected.shape == (-(-side // 8), -(-side // 8), 20)
    assert 0 < (expected > 0).mean() < 1 and expected.max() > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-5)  # float32 of some 10 layers, of values up to 6


def test_padding_is_below_and_on_the_right_of_an_even_side(recipe: ModuleType) -> None:
    """A filter of nine ones counts the pixels that it sees: all nine at the top left, fewer at the edges on the other side."""
    ones = {"_conv_stem.weight": torch.ones(1, 3, 3, 3)}
    plain = {
        "weight": torch.ones(1),
        "bias": torch.zeros(1),
        "running_mean": torch.zeros(1),
        "running_var": torch.ones(1),
    }
    norm = {f"_bn0.{name}": value for name, value in plain.items()}
    stem = recipe.Layer("_conv_stem", "_bn0", stride=2)
    grey = np.full((4, 4, 3), 127 + 12, np.uint8)
    found = recipe.by_torch(ones | norm, [stem], grey)[:, :, 0]
    scale = 3 * 12 / 128 / np.sqrt(1 + recipe.EPSILON)
    np.testing.assert_allclose(found, np.array([[9, 6], [6, 4]]) * scale, rtol=1e-6)


def test_other_files_are_refused(recipe: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "weights.pth"
    torch.save({"_conv_stem.weight": torch.ones(1)}, other)
    with pytest.raises(DataError, match="SHA-256"):
        recipe.read_weights(other)
    other.write_bytes(b"no weights")
    with pytest.raises(DataError, match=r"weights\.pth"):
        recipe.read_weights(other)
    monkeypatch.setattr(recipe, "PACKAGE", "no_package_of_this_name")
    with pytest.raises(UsageError, match="--weights"):
        recipe.read_weights(None)


def test_features_that_differ_leave_no_file(
    recipe: ModuleType, weights: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = list(recipe.layers_of(weights, HALVING))
    monkeypatch.setattr(recipe, "layers_of", lambda _: layers)
    path = tmp_path / "encoder.onnx"
    assert recipe.write_encoder(path, weights) < 1e-5
    assert path.is_file()
    right = recipe.to_onnx
    monkeypatch.setattr(
        recipe, "to_onnx", lambda *given: right({name: one * 1.01 for name, one in given[0].items()}, given[1])
    )
    with pytest.raises(DataError, match="differ from those of torch"):
        recipe.write_encoder(path, weights)
    assert not path.exists()
