"""The loss against the sum over all paths, written out."""

from __future__ import annotations

import itertools

import pytest
import torch

from recurra.errors import DataError, UsageError
from recurra.nn import ctc_loss, frames_needed


def spelt(path):
    """What a path of labels spells."""
    return tuple(label for label, _ in itertools.groupby(path) if label)


def sums(log_probs):
    """The probability of each text, summed over all paths through frames (T, V)."""
    frames, labels = log_probs.shape
    found = {}
    for path in itertools.product(range(labels), repeat=frames):
        likely = float(torch.stack([log_probs[step, label] for step, label in enumerate(path)]).sum().exp())
        found[spelt(path)] = found.get(spelt(path), 0.0) + likely
    return found


def draw(frames, rows, labels, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(frames, rows, labels, generator=chance, dtype=torch.float64).mul(2).log_softmax(2)


def padded(texts):
    longest = max(1, *(len(text) for text in texts))
    return torch.tensor([[*text, *[1] * (longest - len(text))] for text in texts])


@pytest.mark.parametrize(("frames", "labels"), [(1, 2), (1, 3), (3, 2), (4, 3), (6, 2), (6, 3)])
def test_each_text_is_the_sum_over_all_its_paths(frames, labels):
    log_probs = draw(frames, 1, labels)
    likely = sums(log_probs[:, 0])
    assert sum(likely.values()) == pytest.approx(1, abs=1e-12)
    texts = list(likely)
    loss = ctc_loss(
        log_probs.expand(-1, len(texts), -1).contiguous(),
        padded(texts),
        torch.full((len(texts),), frames),
        torch.tensor([len(text) for text in texts]),
    )
    assert loss.dtype == torch.float64
    assert loss.neg().exp().tolist() == pytest.approx(list(likely.values()), rel=1e-12)


def test_what_stands_behind_a_row_s_length_is_not_read():
    log_probs = draw(5, 2, 3)
    targets, lengths = torch.tensor([[1, 2], [2, 0]]), torch.tensor([2, 1])
    whole = ctc_loss(log_probs, targets, torch.tensor([5, 3]), lengths)
    alone = ctc_loss(log_probs[:3, 1:], targets[1:, :1], torch.tensor([3]), lengths[1:])
    assert whole[1].item() == alone[0].item()


@pytest.mark.parametrize("lengths", [[2, 1, 0], [0, 0, 0]])
def test_gradients(lengths):
    logits = torch.randn(5, 3, 4, dtype=torch.float64, requires_grad=True)
    targets, sizes = torch.tensor([[1, 1], [3, 1], [2, 2]]), torch.tensor(lengths)

    def loss(values):
        return ctc_loss(values.log_softmax(2), targets, torch.tensor([5, 4, 2]), sizes)

    assert torch.autograd.gradcheck(loss, (logits,))


def test_half_precision_is_computed_in_single():
    log_probs = draw(4, 1, 3).bfloat16()
    one = torch.tensor([4]), torch.tensor([1])
    assert torch.equal(
        ctc_loss(log_probs, torch.tensor([[1]]), *one), ctc_loss(log_probs.float(), torch.tensor([[1]]), *one)
    )


def test_frames_that_labels_need_are_those_of_the_paths():
    for size in range(4):
        for text in itertools.product((1, 2), repeat=size):
            shortest = next(
                frames
                for frames in range(8)
                if any(spelt(path) == text for path in itertools.product(range(3), repeat=frames))
            )
            assert frames_needed(text) == shortest


def test_too_few_frames_are_an_error_that_lists_the_rows():
    log_probs, targets = draw(3, 4, 3), torch.tensor([[1, 1, 1], [1, 2, 1], [2, 2, 1], [1, 0, 0]])
    with pytest.raises(
        DataError, match=r"rows 0, 2 have fewer frames than the labels need \(3 for 3 labels, which take 5"
    ):
        ctc_loss(log_probs, targets, torch.tensor([3, 3, 3, 3]), torch.tensor([3, 3, 3, 1]))


@pytest.mark.parametrize(
    ("targets", "frames", "lengths", "message"),
    [
        ([[0]], [3], [1], "targets: expected labels from 1 to 2, got 0"),
        ([[3]], [3], [1], "targets: expected labels from 1 to 2, got 3"),
        ([[1]], [4], [1], "input_lengths: expected 1 to 3"),
        ([[1]], [0], [1], "input_lengths: expected 1 to 3"),
        ([[1]], [3], [2], "target_lengths: expected 0 to 1"),
        ([[1]], [3, 3], [1], "input_lengths: expected one for each of 1 rows"),
        ([[1], [1]], [3], [1], r"targets: expected \(1, S\)"),
    ],
)
def test_sizes_that_do_not_fit(targets, frames, lengths, message):
    with pytest.raises(UsageError, match=message):
        ctc_loss(draw(3, 1, 3), torch.tensor(targets), torch.tensor(frames), torch.tensor(lengths))
