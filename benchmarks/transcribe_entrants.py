"""What takes part in `transcribe_peer.py`: ours and kraken's `ketos train`, to learn the same lines of handwriting."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.lib.dataset import GroundTruthDataset
from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel
from PIL import Image
from torch import nn

from recurra.runs.config import Configuration, configure
from recurra.runs.request import layers
from recurra.tasks import get_task
from recurra.tasks.transcribe.batches import signal_batches
from recurra.tasks.transcribe.data import Split
from recurra.tasks.transcribe.network import KERNEL, STAGES, LineConvolutions, TranscriberNetwork
from recurra.training.step import TrainState

DATASET, ROWS = "htr-lines-fr", 32
HEIGHT, CHANNELS, HIDDEN, LAYERS = 64, 16, 200, 3
LEARNING_RATE, CLIP = 1e-3, 1.0
SIZES = {"height": HEIGHT, "channels": CHANNELS, "stack": 1, "hidden": HIDDEN, "layers": LAYERS, "clip": CLIP}
OURS: dict[str, dict[str, Any]] = {
    "recurra": {"cell": "lstm", "layer_norm": False, "dropout": 0.0, "augment": False},
    "recurra, as it comes": {"dropout": 0.3},
}
PEER = "kraken"
KRAKEN = {PEER: True, f"{PEER}, from files": False}
"""Whether it keeps its lines as they are once it has read them."""
PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
VALIDATED = 2
"""Lines that kraken is given to validate on, since it takes no fewer; it is never let."""

Epoch = Callable[[], float]
"""Learn from all lines once; gives the seconds that it took for a line."""


def vgsl() -> str:
    """Give kraken's words for our network; it has no normalisation over the batch, and adds biases to its convolutions instead."""
    before = []
    for times, halved in STAGES:
        before += [f"Cr{KERNEL[0]},{KERNEL[1]},{times * CHANNELS}", *(["Mp2,2"] if halved else [])]
    return " ".join([f"[1,{HEIGHT},0,1", *before, "S1(1x0)1,3", *[f"Lbx{HIDDEN}"] * LAYERS]) + "]"


def configuration(name: str, precision: str) -> Configuration:
    """Give the configuration of one of ours."""
    settings = {**SIZES, **OURS[name], "batch": ROWS, "precision": precision, "on_error": "skip"}
    return configure("transcribe", *layers("transcribe", DATASET, None, settings))


class Lines:
    """Lines to learn from, as ours has them, and in a folder: a picture of each with its text beside it, and our vocabulary.

    count: how many, drawn by chance; 0: all.
    """

    def __init__(self, folder: Path, count: int) -> None:
        task = get_task("transcribe")(configuration("recurra", "float32").settings)
        task.prepare()
        whole, self.preprocessor, self.folder = task.dataset.train, task.preprocessor, folder
        self.all = len(whole)
        rows = np.sort(np.random.default_rng(2).permutation(len(whole))[: count or None]).tolist()
        names = ("kept", "frames", "texts", "labels", "groups", "places")
        self.split = Split(**{name: [getattr(whole, name)[row] for row in rows] for name in names})
        self.preprocessor.save(folder)
        self.pictures = [str(folder / f"{row:04}.png") for row in range(len(rows))]
        for path, kept, text in zip(self.pictures, self.split.kept, self.split.texts, strict=True):
            Image.fromarray((255 - 255 * kept).round().astype(np.uint8)).save(path)
            Path(path).with_suffix(".gt.txt").write_text(text, encoding="utf-8")

    @property
    def columns(self) -> int:
        """How wide all lines are together."""
        return int(self.split.lengths.sum())


def make_ours(name: str, precision: str, lines: Lines) -> tuple[nn.Module, Epoch, dict[str, float]]:
    """Make one of ours in training: its network, an epoch, and what is known of it then, the loss of a label."""
    torch.manual_seed(1)
    chosen = configuration(name, precision)
    task = get_task("transcribe")(chosen.settings)
    task.restore(lines.folder)
    state, facts = TrainState(task, chosen.training, precision), {}
    numbers = itertools.count()

    def epoch() -> float:
        start, total, units = time.perf_counter(), 0.0, 0
        batches = signal_batches(
            lines.split, lines.preprocessor, task.config.model, batch=ROWS, seed=1, epoch=next(numbers)
        )
        for batch in batches:
            loss, count, _ = state.step(batch, LEARNING_RATE)
            total, units = total + loss, units + count
        facts["loss"] = total / units
        return (time.perf_counter() - start) / len(lines.split)

    return state.network, epoch, facts


def operations(network: TranscriberNetwork, columns: int) -> int:
    """Count the operations of the matrix products of training on so many columns."""
    assert isinstance(network.front, LineConvolutions)
    weights = [convolution.weight for convolution in network.front.convolutions]
    positions, found = float(HEIGHT * columns), 0.0
    for weight, (_, halved) in zip(weights, STAGES, strict=True):
        found += positions * weight.numel()
        positions /= 4 if halved else 1
    matrices = [weight for weight in (*network.stack.parameters(), network.output.weight) if weight.dim() == 2]
    found += columns / 4 * sum(weight.numel() for weight in matrices)
    return round(3 * 2 * found)


class KeptLines(GroundTruthDataset):
    """Kraken's lines, each read from its file and made a tensor once."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        kept = self.__dict__.setdefault("_kept", {})
        if index not in kept:
            kept[index] = super().__getitem__(index)
        return kept[index]


class LineData(VGSLRecognitionDataModule):
    """Kraken's data, of a class of lines of our choice."""

    lines: type[GroundTruthDataset] = GroundTruthDataset

    def _build_dataset(self, DatasetClass: Any, training_data: Any, **options: Any) -> Any:  # noqa: ARG002
        return super()._build_dataset(self.lines, training_data, **options)


class KeptLineData(LineData):
    """Kraken's data, kept in memory."""

    lines = KeptLines


class Clock(lightning.Callback):
    """When an epoch of kraken's began and ended, and what was learnt in it."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0
        self.loss, self.labels, self.lines = 0.0, 0, 0

    def on_train_epoch_start(self, *_: Any) -> None:
        self.began = time.perf_counter()

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int) -> None:  # noqa: ARG002
        self.loss += float(outputs["loss"])
        self.labels += int(batch["target_lens"].sum())
        self.lines += len(batch["target_lens"])
        self.ended = time.perf_counter()


def make_kraken(name: str, precision: str, lines: Lines) -> tuple[nn.Module, Epoch, dict[str, float]]:
    """Make kraken's training, as `ketos train` makes it: its network, an epoch, and what is known of it then.

    Its lines are those that ours reads, to the pixel: they are neither straightened nor given margins. It reads them in the process itself.
    """
    torch.manual_seed(1)
    kinds = KeptLineData if KRAKEN[name] else LineData
    data = kinds(
        VGSLRecognitionTrainingDataConfig(
            training_data=lines.pictures,
            evaluation_data=lines.pictures[:VALIDATED],
            format_type="path",
            linetype="baselines",  # those in boxes would be straightened, and come out wider or narrower
            padding=0,
            num_workers=0,
        )
    )
    settings = {"batch_size": ROWS, "lrate": LEARNING_RATE, "gradient_clip_val": CLIP, "quit": "fixed"}
    model = VGSLRecognitionModel(VGSLRecognitionTrainingConfig(spec=vgsl(), epochs=1, **settings))
    facts: dict[str, float] = {}

    def epoch() -> float:
        clock = Clock()
        trainer = KrakenTrainer(
            accelerator="cpu",
            devices=1,
            precision=PRECISIONS[precision],
            max_epochs=1,
            min_epochs=1,
            callbacks=[clock],
            gradient_clip_val=CLIP,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            enable_progress_bar=False,
            enable_summary=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        trainer.fit(model, data)
        if clock.lines != len(lines.split) or data.train_set.dataset.failed_samples:
            raise SystemExit(f"{name}: expected {len(lines.split)} lines, got {clock.lines}: it did other work")
        facts["loss"] = clock.loss / clock.labels
        return (clock.ended - clock.began) / clock.lines

    return model, epoch, facts
