"""The search of prefixes against all texts, each summed over all its paths."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from recurra.decoding import CtcSearch, Lexicon, PrefixBeam, align, prefix_beam
from recurra.decoding.ctc import greedy
from recurra.decoding.ctc_prefix import Prefix, common_prefix
from recurra.errors import DataError, RunError, UsageError
from recurra.nn import ctc_loss

WHOLE = {"width": 10_000, "least": 0.0, "margin": math.inf}


def draw(frames, labels, seed, spread=2.0):
    logits = np.random.default_rng(seed).normal(0, spread, (frames, labels))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def texts_of(frames, labels):
    return [text for size in range(frames + 1) for text in itertools.product(range(1, labels), repeat=size)]


def log_prob(values, text):
    """By torch's loss; −∞ where no path spells it."""
    target = torch.tensor([text or [1]])
    try:
        loss = ctc_loss(
            torch.from_numpy(values).unsqueeze(1), target, torch.tensor([len(values)]), torch.tensor([len(text)])
        )
    except DataError:
        return -math.inf
    return -float(loss[0])


class Bigrams:
    """A language model by the label before; it counts what it is asked."""

    def __init__(self, labels, seed):
        logits = np.random.default_rng(seed).normal(0, 1.5, (labels, labels))
        self.table = logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def start(self):
        return 0

    def advance(self, states, labels):
        return list(labels)

    def next(self, states):
        return self.table[states]

    def log_prob(self, text):
        return sum(self.table[before, after] for before, after in itertools.pairwise([0, *text, 0]))


@pytest.mark.parametrize(("frames", "labels"), [(1, 2), (2, 3), (4, 3), (5, 3), (6, 3), (6, 2)])
@pytest.mark.parametrize("seed", range(5))
def test_a_search_of_full_width_finds_the_likeliest_text(frames, labels, seed):
    values = draw(frames, labels, seed)
    scores = {text: log_prob(values, text) for text in texts_of(frames, labels)}
    best = max(scores, key=lambda text: scores[text])
    found = prefix_beam(values, CtcSearch(**WHOLE, count=3))
    assert tuple(found[0].ids.tolist()) == best
    for one in found:
        assert one.log_prob == pytest.approx(scores[tuple(one.ids.tolist())], abs=1e-10)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("weight", "bonus"), [(0.7, 0.0), (1.5, 1.0), (0.0, 0.8)])
def test_with_a_language_model_too(seed, weight, bonus):
    values, language = draw(5, 3, seed), Bigrams(3, seed)
    scores = {
        text: log_prob(values, text) + weight * language.log_prob(text) + bonus * len(text) for text in texts_of(5, 3)
    }
    best = max(scores, key=lambda text: scores[text])
    (found,) = prefix_beam(values, CtcSearch(**WHOLE, language_weight=weight, bonus=bonus), language)
    assert tuple(found.ids.tolist()) == best and found.score == pytest.approx(scores[best], abs=1e-10)
    assert found.log_prob == pytest.approx(log_prob(values, best), abs=1e-10)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("separator", [3, None])
def test_of_a_list_of_words_the_likeliest_is_found(seed, separator):
    words = [(1, 2), (2,), (2, 2)]
    values = draw(6, 4, seed)

    def may_be(text):
        if separator is None:
            return not text or text in words
        parts = [tuple(part) for end, part in itertools.groupby(text, lambda one: one == separator) if not end]
        rebuilt = [label for part in parts for label in (separator, *part)][1:]
        return not text or (list(text) == rebuilt and all(part in words for part in parts))

    scores = {text: log_prob(values, text) for text in texts_of(6, 4) if may_be(text)}
    best = max(scores, key=lambda text: scores[text])
    (found,) = prefix_beam(values, CtcSearch(**WHOLE), lexicon=Lexicon(words, 4, separator))
    assert tuple(found.ids.tolist()) == best
    narrow = prefix_beam(values, CtcSearch(width=1), lexicon=Lexicon(words, 4, separator))
    assert len(narrow) == 1 and may_be(tuple(narrow[0].ids.tolist()))


@pytest.mark.parametrize("seed", range(10))
def test_fed_in_pieces_it_finds_the_same_and_what_is_stable_only_grows(seed):
    chance = np.random.default_rng(seed)
    values, language = draw(60, 5, seed, 6), Bigrams(5, seed)
    search = CtcSearch(width=8, count=4, language_weight=0.5, bonus=0.3)
    whole = prefix_beam(values, search, language)
    beam, start, before = PrefixBeam(search, language), 0, []
    while start < len(values):
        size = int(chance.integers(0, 7))
        beam.push(values[start : start + size])
        start += size
        stable, best = beam.stable, beam.best
        assert stable[: len(before)] == before and best[: len(stable)] == stable
        before = stable
    for one, other in zip(beam.finish(), whole, strict=True):
        assert np.array_equal(one.ids, other.ids) and (one.log_prob, one.score) == (other.log_prob, other.score)
        assert one.ids.tolist()[: len(before)] == before
    assert len(before) > 2


@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_search_is_no_worse_than_the_likeliest_path(seed):
    values = draw(40, 6, seed, 5)
    (found,) = prefix_beam(values, CtcSearch(width=20))
    path = greedy(values)
    assert log_prob(values, found.ids.tolist()) >= log_prob(values, path.ids.tolist()) - 1e-9


def test_the_likeliest_path_spells_what_is_left_without_blanks_and_doubles():
    path = [0, 1, 1, 0, 1, 2, 2, 0]
    found = greedy(np.log(np.eye(3)[path] * 0.8 + 0.1))
    assert found.ids.tolist() == [1, 1, 2] and found.log_prob == pytest.approx(8 * math.log(0.9))
    assert greedy(np.zeros((0, 3))).ids.tolist() == []


@pytest.mark.parametrize("seed", range(6))
def test_an_alignment_is_the_likeliest_path_of_its_text(seed):
    values, text = draw(6, 3, seed), np.array([1, 2, 2])
    paths = [
        path
        for path in itertools.product(range(3), repeat=6)
        if [label for label, _ in itertools.groupby(path) if label] == text.tolist()
    ]
    best = max(paths, key=lambda path: sum(values[step, label] for step, label in enumerate(path)))
    found = align(values, text)
    rebuilt = [0] * 6
    for label, start, end in zip(text, found.starts, found.ends, strict=True):
        rebuilt[start:end] = [int(label)] * int(end - start)
    assert tuple(rebuilt) == best
    with pytest.raises(DataError, match="no path through 2 frames"):
        align(values[:2], text)


def test_no_frames_give_no_text():
    assert PrefixBeam(CtcSearch()).finish()[0].ids.tolist() == []
    assert align(np.zeros((0, 3)), np.zeros(0, int)).starts.tolist() == []


def test_faults():
    with pytest.raises(UsageError, match="count: expected 1 to 2"):
        CtcSearch(width=2, count=3)
    with pytest.raises(UsageError, match=r"log_probs: expected \(frames, labels\)"):
        greedy(np.zeros(3))
    with pytest.raises(RunError, match="damaged"):
        prefix_beam(np.full((2, 3), np.nan), CtcSearch())
    with pytest.raises(DataError, match="holds none"):
        Lexicon([[]], 3, None)
    beam = PrefixBeam(CtcSearch())
    beam.push(draw(1, 3, 0))
    with pytest.raises(UsageError, match="expected 3 labels as before, got 4"):
        beam.push(draw(1, 4, 0))


def test_what_prefixes_share_is_what_their_texts_share():
    chance = np.random.default_rng(11)
    for _ in range(200):
        prefixes = [Prefix(None, 0)]
        for _ in range(int(chance.integers(1, 30))):
            parent = prefixes[int(chance.integers(max(0, len(prefixes) - 4), len(prefixes)))]
            prefixes.append(parent.child(int(chance.integers(1, 3))))
        chosen = [prefixes[at] for at in chance.integers(0, len(prefixes), int(chance.integers(1, 16)))]
        side_by_side = zip(*(prefix.labels() for prefix in chosen), strict=False)
        shared = itertools.takewhile(lambda labels: len({*labels}) == 1, side_by_side)
        assert common_prefix(chosen).labels() == [labels[0] for labels in shared]
