"""A word's vector is its own, whatever batch it stands in; what is unknown is known by its characters."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recurra.cells import cell_names
from recurra.errors import UsageError
from recurra.kernels import exact, scan_layer
from recurra.kernels.native import engine
from recurra.nn import WordBatch, WordEncoder, collate_words
from recurra.text.vocabulary import WordsAndCharacters

TEXTS = [
    "The cat sat, the dog ran.",
    "",
    "Zyzzyva! 春眠不觉晓 The The zyzzyva",
    "a",
    "https://example.org/" + "x" * 300 + " ran",
]


@pytest.fixture
def vocabulary():
    return WordsAndCharacters.build(["the cat sat, the dog ran. 春天 The Cat sAt!"], max_words=6, split="punctuation")


def make(vocabulary, **options):
    options = {"word_size": 6, "character_size": 5, "character_hidden": 4, **options}
    return WordEncoder(len(vocabulary.words), len(vocabulary.characters), **options)


def spelt_by_hand(encoder, letters):
    """The last states of both directions over one word's characters, by the reference."""
    x, saved = encoder.characters.weight[letters].unsqueeze(1), encoder.spelling.state_dict()
    ends = []
    for prefix, turned in (("layers", x), ("backward_layers", x.flip(0))):
        cell = next(iter(encoder.spelling)).cell
        weights = {name: saved[f"{prefix}.0.{name}"] for name in cell.shapes(1, 1)}
        state = tuple(x.new_zeros(1, 4) for _ in cell.states)
        ends.append(scan_layer(cell, turned, state, weights).state[0])
    return torch.cat(ends, 1)[0]


@pytest.mark.parametrize("cell", cell_names())
@pytest.mark.parametrize("characters_for", ["unknown", "all"])
@torch.no_grad()
def test_vectors_are_what_the_docstring_says(vocabulary, characters_for, cell):
    encoder = make(vocabulary, characters_for=characters_for, cell=cell).double().eval()
    texts = [vocabulary.encode(text) for text in TEXTS]
    vectors = encoder(collate_words(texts))
    assert vectors.shape == (max(map(len, texts)), 5, encoder.size)
    unknown = 0
    for row, text in enumerate(texts):
        for step, place in enumerate(text.places.tolist()):
            id, spelt = int(text.ids[place]), spelt_by_hand(encoder, torch.from_numpy(text.spellings[place]).long())
            wanted = encoder.words.weight[id]
            if characters_for == "all":
                wanted = torch.cat([wanted, spelt])
            elif id == 0:
                wanted, unknown = wanted + encoder.project.weight @ spelt, unknown + 1
            torch.testing.assert_close(vectors[step, row], wanted, rtol=0, atol=1e-12)
        assert not vectors[len(text) :, row].any()
    assert characters_for == "all" or unknown > 5


def test_a_word_that_several_texts_have_is_spelt_once(vocabulary):
    batch = collate_words([vocabulary.encode(text) for text in ("The the THE cat", "cat the Zyx Zyx", "Zyx")])
    assert batch.words.tolist() == [[0, 3, 4], [1, 1, 5], [2, 4, 5], [3, 4, 5]]  # 5 is the padding
    assert batch.lengths.tolist() == [4, 4, 1]
    the = vocabulary.words.index("the") + 1
    assert batch.known.tolist() == [the, the, the, vocabulary.words.index("cat") + 1, 0]
    assert batch.counts.tolist() == [3, 3, 3, 2, 0]
    assert batch.character_lengths.tolist() == [3] * 5 and batch.characters.shape == (3, 5)


@pytest.mark.parametrize("characters_for", ["unknown", "all"])
@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["", "the"], ["春"]])
def test_empty_texts_and_batches(vocabulary, characters_for, texts):
    encoder = make(vocabulary, characters_for=characters_for)
    vectors = encoder(collate_words([vocabulary.encode(text) for text in texts]))
    assert vectors.shape == (1 if any(texts) else 0, len(texts), encoder.size)
    vectors.sum().backward()


def test_a_token_without_characters_is_unknown(vocabulary):
    text = vocabulary.encode(["", "the", ""])
    assert text.ids.tolist() == [0, vocabulary.words.index("the") + 1] and len(text.spellings[0]) == 0
    assert bool(make(vocabulary)(collate_words([text])).isfinite().all())


def test_rare_words_are_replaced_by_the_unknown_one_as_often_as_is_set():
    counts = torch.tensor([0, 1, 2, 10, 1000]).repeat_interleave(20_000)
    batch = WordBatch(
        words=torch.arange(len(counts)).unsqueeze(1),
        lengths=torch.tensor([len(counts)]),
        known=torch.where(counts > 0, 1, 0),
        counts=counts,
        characters=torch.zeros(0, len(counts), dtype=torch.int64),
        character_lengths=torch.zeros(len(counts), dtype=torch.int64),
    )
    encoder = WordEncoder(1, 0, word_size=1, character_size=1, character_hidden=1)
    torch.nn.init.zeros_(encoder.project.weight)
    encoder.words.weight.data[:] = torch.tensor([[0.0], [1.0]])
    encoder.train()
    dropped = 1 - encoder(batch).view(5, -1).mean(1)
    share = 0.25 / (0.25 + torch.tensor([0.0, 1, 2, 10, 1000]))
    assert bool(((dropped - share).abs() <= 4 * (share * (1 - share) / 20_000).sqrt()).all())  # four standard errors
    torch.manual_seed(7)
    one = encoder(batch)
    torch.manual_seed(7)
    assert torch.equal(one, encoder(batch)) and not torch.equal(one, encoder(batch))
    encoder.eval()
    assert torch.equal(encoder(batch)[:, 0, 0], (counts > 0).float())


@pytest.mark.parametrize("characters_for", ["unknown", "all"])
def test_the_gradient_of_a_batch_is_the_sum_of_those_of_its_texts(vocabulary, characters_for):
    encoder = make(vocabulary, characters_for=characters_for).double().eval()
    texts = [vocabulary.encode(text) for text in TEXTS]
    weight = torch.randn(max(map(len, texts)), len(texts), encoder.size).double()
    (encoder(collate_words(texts)) * weight).sum().backward()
    together = [parameter.grad.clone() for parameter in encoder.parameters()]
    encoder.zero_grad()
    for row, text in enumerate(texts):
        (encoder(collate_words([text])) * weight[: len(text), row : row + 1]).sum().backward()
    for batch, parameter in zip(together, encoder.parameters(), strict=True):
        torch.testing.assert_close(batch, parameter.grad, rtol=0, atol=1e-11)
        assert batch.any()


@pytest.mark.skipif(engine() is None, reason="the native engine was not built")
@pytest.mark.parametrize("characters_for", ["unknown", "all"])
@pytest.mark.parametrize("cell", cell_names())
@torch.inference_mode()
def test_in_exact_mode_a_text_is_the_same_bit_for_bit(vocabulary, characters_for, cell):
    encoder = make(vocabulary, characters_for=characters_for, cell=cell, word_size=33, character_hidden=17).eval()
    texts = [vocabulary.encode(text) for text in TEXTS]
    with exact():
        together = encoder(collate_words(texts))
        for row, text in enumerate(texts):
            assert torch.equal(encoder(collate_words([text]))[:, 0], together[: len(text), row])


def test_given_vectors_stand_where_they_were_found(vocabulary):
    encoder = make(vocabulary)
    before, count = encoder.words.weight.detach().clone(), len(vocabulary.words)
    matrix, found = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32), np.arange(count) % 2 == 0
    encoder.set_vectors(matrix, found)
    wanted = before.clone()
    wanted[1:][torch.from_numpy(found)] = torch.from_numpy(matrix[found])
    assert torch.equal(encoder.words.weight, wanted)
    with pytest.raises(UsageError, match=r"vectors: expected \(6, 6\) and bool \(6,\), got \(6, 5\)"):
        encoder.set_vectors(matrix[:, :5], found)


def test_what_does_not_fit():
    for options, message in (
        ({"characters_for": "none"}, "characters_for: expected one of unknown, all, got 'none'"),
        ({"word_size": 0}, "word_size: expected a positive integer, got 0"),
        ({"character_hidden": 0}, "hidden_size: expected a positive integer, got 0"),
        ({"rare": -1.0}, "rare: expected a number from 0, got -1.0"),
        ({"cell": "lstmm"}, "lstmm"),
    ):
        with pytest.raises(UsageError, match=message):
            WordEncoder(3, 3, **options)
