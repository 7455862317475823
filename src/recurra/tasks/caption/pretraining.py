"""What comes before a captioner's training: its convolutions learn to find in a picture what is said of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.data.batching import batches_by_length
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.task import CarriedState, Task
from recurra.tasks.caption.batches import may_mirror
from recurra.tasks.caption.config import CaptionConfig
from recurra.tasks.caption.data import Dataset, Split
from recurra.tasks.caption.defaults import PICTURES_TO_SEE, epochs_for
from recurra.tasks.caption.network import PictureEncoder
from recurra.text import Vocabulary

BATCH_SIZE = 32
LEARNING_RATE = 0.002
PICTURES_PER_BATCH = 64
"""Pictures that are measured on at once."""
DROPOUT = 0.3


class WordBatch(NamedTuple):
    """Pictures (P, S, S, 3), whether each may be mirrored (P), and which words are said of it (P, W)."""

    pictures: Tensor
    may_mirror: Tensor
    words: Tensor


def choose_words(encoded: Sequence[Sequence[np.ndarray]], vocabulary: Vocabulary, most: int) -> np.ndarray:
    """Choose the words that say most of a picture: said of some and not of others, by the entropy of that; gives their ids.

    No list of stop words is needed, in no language: what is said of nearly every picture says as little as what is of hardly any.
    """
    counts = Counter(int(id) for some in encoded for id in set(np.concatenate(list(some)).tolist()))
    pictures = len(encoded)

    def entropy(id: int) -> float:
        share = counts[id] / pictures
        return -sum(part * math.log(part) for part in (share, 1 - share) if part > 0)

    known = [id for id in counts if id != vocabulary.unknown_id and entropy(id) > 0]
    return np.array(sorted(known, key=lambda id: (-entropy(id), id))[:most], np.int64)


class WordFinder(nn.Module):
    """Pictures → logits (P, W) of what is said of them."""

    def __init__(self, pictures: PictureEncoder, shares: Tensor) -> None:
        super().__init__()
        self.pictures = pictures
        self.head = nn.Linear(2 * pictures.size, len(shares))
        with torch.no_grad():
            self.head.bias.copy_(torch.logit(shares))

    def forward(self, pictures: Tensor, may_mirror: Tensor | None = None) -> Tensor:
        grid = self.pictures(pictures, may_mirror)
        pooled = torch.cat([grid.mean(0), grid.amax(0)], 1)
        return self.head(F.dropout(pooled, DROPOUT, self.training))


class WordFinding(Task[CaptionConfig, Dataset]):
    """Trains the convolutions, whose `pictures.` weights a captioner begins with.

    config: of the captioner, with its sizes chosen.  dataset: its own.
    """

    name = "word-finding"
    title = "Network that finds words in pictures"
    element = ("label", "labels")

    def __init__(self, config: CaptionConfig, dataset: Dataset) -> None:
        super().__init__(config)
        self._dataset, self._preprocessor = dataset, dataset.preprocessor
        train = dataset.train
        self.words = choose_words(train.encoded, dataset.preprocessor.vocabulary, config.model.content_words)
        self._marks = {id(split): self._mark(split) for split in dataset.splits.values()}
        self._mirrored = may_mirror(train)

    def _mark(self, split: Split) -> np.ndarray:
        """Give which of the words are said of each picture, (N, W) bool."""
        return np.stack([np.isin(self.words, np.concatenate(list(some))) for some in split.encoded])

    # Data

    def read_dataset(self, preprocessor: Any | None) -> Dataset:  # noqa: ARG002
        return self.dataset

    def count_dataset(self, dataset: Dataset) -> dict[str, int]:
        return {"train_pictures": len(dataset.train), "words": len(self.words)}

    # Training

    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:  # noqa: ARG002
        return epochs_for(len(self.dataset.train), PICTURES_TO_SEE)

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        return BATCH_SIZE

    def default_learning_rate(self) -> float:
        return LEARNING_RATE

    def build_network(self) -> nn.Module:
        model = self.config.model
        if model.channels is None:
            raise ValueError("channels has to be chosen before the network is built")
        encoder = PictureEncoder(model.channels, self.preprocessor.pictures.grid, augment=model.augment)
        marks = self._marks[id(self.dataset.train)]
        shares = (marks.sum(0) + 1) / (len(marks) + 2)
        return WordFinder(encoder, torch.from_numpy(shares).float())

    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[WordBatch]:
        train = self.dataset.train
        for indices in batches_by_length(np.zeros(len(train)), batch, seed=seed, epoch=epoch)[start:]:
            yield self._batch(train, indices, self._mirrored)

    def _batch(self, split: Split, indices: np.ndarray, mirrored: np.ndarray) -> WordBatch:
        return WordBatch(
            torch.from_numpy(split.pixels[indices]),
            torch.from_numpy(mirrored[indices]),
            torch.from_numpy(self._marks[id(split)][indices]),
        )

    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:  # noqa: ARG002
        return -(-len(self.dataset.train) // batch)

    def loss(self, network: nn.Module, batch: WordBatch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:  # noqa: ARG002
        device = next(network.parameters()).device
        logits = cast(WordFinder, network)(batch.pictures.to(device), batch.may_mirror).float()
        loss = F.binary_cross_entropy_with_logits(logits, batch.words.to(device, torch.float32), reduction="sum")
        return loss, batch.words.numel(), None

    def predictor(self, network: nn.Module) -> Any:
        """Give the network itself: nobody asks it anything but this task."""
        return network

    def validate(self, predictor: nn.Module) -> dict[str, float] | None:
        split = self.dataset.valid
        if split is None:
            return None
        total, count, mirrored = 0.0, 0, np.zeros(len(split), bool)
        with eval_mode(predictor):
            for start in range(0, len(split), PICTURES_PER_BATCH):
                indices = np.arange(start, min(len(split), start + PICTURES_PER_BATCH))
                loss, labels, _ = self.loss(predictor, self._batch(split, indices, mirrored), None)
                total, count = total + float(loss), count + labels
        return {"nll": total / count}

    def evaluate(
        self,
        predictor: nn.Module,
        data: list[str] | None,  # noqa: ARG002
        progress: Callable[[str], None],  # noqa: ARG002
        *,
        baselines: bool = True,  # noqa: ARG002
        options: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"task": self.name, "metrics": self.validate(predictor) or {}}
