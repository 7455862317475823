"""The conditional random field against the enumeration of all sequences, row by row."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.nn import CRF, transitions
from recurra.nn import crf as module

LENGTHS = torch.tensor([4, 0, 2, 1, 5])
SCHEMES = [None, ["O", "B-A", "I-A"], ["B-A", "E-A", "S-A", "O"]]


def make(count, tags=None):
    crf = CRF(count, None if tags is None else transitions(tags)).double()
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf


def enumerate_row(crf, emissions):
    """Every sequence of a row (T, K) with its score, those that are not allowed left out."""
    count, found = crf.count, {}
    for tags in itertools.product(range(count), repeat=len(emissions)):
        path = [count, *tags, count + 1]
        if tags and not all(crf.allowed[a, b] for a, b in itertools.pairwise(path)):
            continue
        score = sum((emissions[step, tag] for step, tag in enumerate(tags)), torch.zeros(()).double())
        score = score + sum(crf.transitions[a, b] for a, b in itertools.pairwise(tags))
        found[tags] = score + crf.start[tags[0]] + crf.end[tags[-1]] if tags else score
    return found


def draw_tags(crf, lengths):
    """Tags that are allowed, drawn from all of each row; −100 in the padding."""
    tags = torch.full((max(lengths.tolist()), len(lengths)), -100)
    for row, length in enumerate(lengths.tolist()):
        allowed = list(enumerate_row(crf, torch.zeros(length, crf.count).double()))
        tags[:length, row] = torch.tensor(allowed[int(torch.randint(len(allowed), ()))], dtype=torch.int64)
    return tags


@pytest.mark.parametrize("tags", SCHEMES)
def test_loss_decoding_and_marginals_are_those_of_the_enumeration(tags):
    crf = make(len(tags) if tags else 3, tags).requires_grad_(False)
    emissions, gold = torch.randn(5, 5, crf.count).double(), draw_tags(crf, LENGTHS)
    decoded, marginals = crf.decode(emissions, LENGTHS), crf.marginals(emissions, LENGTHS)
    total = torch.zeros(()).double()
    for row, length in enumerate(LENGTHS.tolist()):
        scores = enumerate_row(crf, emissions[:length, row])
        log_z = torch.logsumexp(torch.stack(list(scores.values())), 0)
        total = total + log_z - scores[tuple(gold[:length, row].tolist())]
        assert tuple(decoded[row]) == max(scores, key=lambda path: float(scores[path]))
        wanted = torch.zeros(5, crf.count).double()
        for path, score in scores.items():
            for step, tag in enumerate(path):
                wanted[step, tag] += float((score - log_z).exp())
        torch.testing.assert_close(marginals[:, row], wanted, rtol=0, atol=1e-12)
    torch.testing.assert_close(crf.loss(emissions, gold, LENGTHS), total, rtol=0, atol=1e-11)


@pytest.mark.parametrize("tags", SCHEMES)
@pytest.mark.parametrize("most", [1, 100, 1 << 16])
def test_gradients_are_those_of_the_enumeration_and_of_finite_differences(tags, most, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_PER_CHUNK", most)  # however many steps are computed together
    crf = make(len(tags) if tags else 3, tags)
    emissions = torch.randn(5, 5, crf.count).double().requires_grad_()
    gold, weights = draw_tags(crf, LENGTHS), list(crf.parameters())
    found = torch.autograd.grad(crf.loss(emissions, gold, LENGTHS) * 1.7, [emissions, *weights])
    total = torch.zeros(()).double()
    for row, length in enumerate(LENGTHS.tolist()):
        scores = enumerate_row(crf, emissions[:length, row])
        total = (
            total + torch.logsumexp(torch.stack(list(scores.values())), 0) - scores[tuple(gold[:length, row].tolist())]
        )
    for ours, theirs in zip(found, torch.autograd.grad(total * 1.7, [emissions, *weights]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
    assert torch.autograd.gradcheck(lambda e, *_: crf.loss(e, gold, LENGTHS), (emissions, *weights))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_ties_go_to_the_lower_tag_from_the_last_step_on(data):
    lengths = torch.tensor(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4)))
    numbers = st.integers(-1, 1).map(float)
    steps, rows = int(lengths.max()), len(lengths)
    crf = CRF(3).double().requires_grad_(False)
    for parameter in crf.parameters():
        size = parameter.numel()
        parameter.data = (
            torch.tensor(data.draw(st.lists(numbers, min_size=size, max_size=size))).double().view_as(parameter)
        )
    size = steps * rows * 3
    emissions = torch.tensor(data.draw(st.lists(numbers, min_size=size, max_size=size))).double().view(steps, rows, 3)
    for row, found in enumerate(crf.decode(emissions, lengths)):
        scores = enumerate_row(crf, emissions[: lengths[row], row])
        best = max(map(float, scores.values()))
        assert tuple(found) == min(
            (path for path in scores if float(scores[path]) == best), key=lambda path: path[::-1]
        )


@pytest.mark.parametrize("garbage", [float("nan"), float("inf")])
def test_padding_changes_nothing(garbage):
    crf = make(4, ["O", "B-A", "I-A", "B-B"])
    clean, gold = torch.randn(9, 5, 4).double(), draw_tags(crf, LENGTHS)
    gold = torch.cat([gold, torch.full((4, 5), 77)])
    found = []
    for padding in (0.0, garbage):
        emissions = clean.clone()
        for row, length in enumerate(LENGTHS.tolist()):
            emissions[length:, row] = padding
        emissions.requires_grad_()
        crf.zero_grad()
        loss = crf.loss(emissions, gold, LENGTHS)
        loss.backward()
        for row, length in enumerate(LENGTHS.tolist()):
            assert not emissions.grad[length:, row].any()
        found.append([loss, emissions.grad, *(p.grad for p in crf.parameters()), crf.marginals(emissions, LENGTHS)])
        assert crf.decode(emissions, LENGTHS) == crf.decode(clean[:5], LENGTHS)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_a_batch_is_its_rows():
    crf = make(6)
    lengths = torch.tensor([30, 1, 17, 0, 29])
    emissions, gold = torch.randn(30, 5, 6).double(), torch.randint(0, 6, (30, 5))
    alone = [
        crf.loss(emissions[:n, row : row + 1], gold[:n, row : row + 1], lengths[row : row + 1])
        for row, n in enumerate(lengths.tolist())
    ]
    torch.testing.assert_close(crf.loss(emissions, gold, lengths), torch.stack(alone).sum(), rtol=0, atol=1e-10)
    assert alone[3] == 0
    torch.testing.assert_close(
        crf.marginals(emissions, lengths).sum(2), (torch.arange(30).unsqueeze(1) < lengths).double(), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_tags_and_their_probabilities_are_the_same_bit_for_bit_beside_any_rows(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for count, rows, steps in ((2, 40, 7), (9, 5, 60), (17, 12, 23), (33, 31, 40)):
            crf, lengths = make(count).float(), torch.randint(0, steps + 1, (rows,))
            emissions = torch.randn(steps, rows, count) * 2
            together, decoded = crf.marginals(emissions, lengths), crf.decode(emissions, lengths)
            for row, length in enumerate(lengths.tolist()):
                part = emissions[:length, row : row + 1].contiguous()
                assert torch.equal(crf.marginals(part, lengths[row : row + 1]), together[:length, row : row + 1])
                assert crf.decode(part, lengths[row : row + 1]) == [decoded[row]]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_float32_is_as_good_as_its_rounding(scale):
    crf = make(5, ["O", "B-A", "I-A", "B-B", "I-B"])
    emissions, gold = torch.randn(100, 3, 5).double() * scale, torch.zeros(100, 3, dtype=torch.int64)
    lengths = torch.tensor([100, 60, 3])
    truth, exact = crf.loss(emissions, gold, lengths), crf.marginals(emissions, lengths)
    narrow = crf.float()
    given = emissions.float().requires_grad_()
    loss = narrow.loss(given, gold, lengths)
    loss.backward()
    # log Z is a sum of 100 scores: each addition rounds to 2^-24 of some 100 · scale.
    torch.testing.assert_close(loss.double(), truth, rtol=1e-6, atol=100 * 100 * scale * 2**-24)
    assert bool(given.grad.isfinite().all()) and all(bool(p.grad.isfinite().all()) for p in narrow.parameters())
    torch.testing.assert_close(
        narrow.marginals(given, lengths).double(), exact, rtol=0, atol=2e-3 if scale > 1 else 1e-5
    )


def test_half_precision_is_added_up_in_float32():
    crf = CRF(5)
    lengths, gold = torch.tensor([200, 90]), torch.zeros(200, 2, dtype=torch.int64)
    emissions = torch.randn(200, 2, 5).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        loss = crf.loss(emissions, gold, lengths)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, crf.loss(emissions.float(), gold, lengths))


def test_a_temperature_divides_all_scores():
    crf = make(3)
    emissions, cooler = torch.randn(5, 5, 3).double(), make(3)
    for one, other in zip(cooler.parameters(), crf.parameters(), strict=True):
        one.data = other.data / 2.5
    torch.testing.assert_close(crf.marginals(emissions, LENGTHS, 2.5), cooler.marginals(emissions / 2.5, LENGTHS))


@pytest.mark.parametrize("shape", [(0, 3), (2, 3), (0, 0), (2, 0)])
def test_nothing_to_tag(shape):
    crf, emissions = CRF(4), torch.full((*shape, 4), float("nan"), requires_grad=True)
    lengths = torch.zeros(shape[1], dtype=torch.int64)
    loss = crf.loss(emissions, torch.zeros(shape, dtype=torch.int64), lengths)
    loss.backward()
    assert loss == 0 and not emissions.grad.any()
    assert crf.decode(emissions, lengths) == [[]] * shape[1]
    assert torch.equal(crf.marginals(emissions, lengths), torch.zeros(*shape, 4))


def test_where_nothing_is_allowed_the_order_is_broken_least():
    crf = CRF(2, transitions(["B-A", "E-A"]))  # an odd number of tags cannot be
    emissions = torch.tensor([[[0.0, 0.0]], [[0.0, 9.0]], [[0.0, 9.0]]])
    lengths = torch.tensor([3])
    assert crf.decode(emissions, lengths) in ([[0, 1, 1]], [[0, 1, 0]])
    assert crf.decode(emissions, lengths) == crf.decode(emissions, lengths)
    assert bool(crf.marginals(emissions, lengths).isfinite().all())


def test_it_learns_what_follows_what():
    torch.manual_seed(0)
    crf = CRF(3)
    gold = (torch.arange(12).unsqueeze(1) + torch.arange(8)) % 3  # (T, B): 0 1 2 0 1 2 …
    emissions, lengths = torch.zeros(12, 8, 3), torch.full((8,), 12)
    optimizer = torch.optim.Adam(crf.parameters(), 0.3)
    for _ in range(60):
        optimizer.zero_grad()
        crf.loss(emissions, gold, lengths).backward()
        optimizer.step()
    emissions[4, :, 2] = 1.0
    assert crf.decode(emissions[:, :1], lengths[:1]) == [[(step + 1) % 3 for step in range(12)]]


def test_a_crf_is_saved_with_what_it_allows():
    one, two = CRF(3, transitions(["O", "B-A", "I-A"])), CRF(3)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.allowed, two.allowed)


def test_what_does_not_fit():
    crf, lengths = CRF(3, transitions(["O", "B-A", "I-A"])), torch.tensor([2, 1])
    emissions = torch.zeros(2, 2, 3)
    with pytest.raises(UsageError, match="tags: tag 0 before tag 2 is not allowed, got it at step 1, row 0"):
        crf.loss(emissions, torch.tensor([[0, 0], [2, 0]]), lengths)
    with pytest.raises(UsageError, match="tags: the start before tag 2 is not allowed, got it at step 0, row 1"):
        crf.loss(emissions, torch.tensor([[0, 2], [1, 0]]), lengths)
    closed = CRF(2, transitions(["B-A", "E-A"]))
    with pytest.raises(UsageError, match="tags: tag 0 may not be the last, got it at the end of row 1"):
        closed.loss(torch.zeros(2, 2, 2), torch.tensor([[0, 0], [1, 0]]), lengths)
    with pytest.raises(UsageError, match="tags: expected 0 to 2, got 3 at step 1, row 0"):
        crf.loss(emissions, torch.tensor([[0, 0], [3, 9]]), lengths)
    with pytest.raises(UsageError, match=r"tags: expected int64 \(2, 2\), got torch.int64 \(2, 3\)"):
        crf.loss(emissions, torch.zeros(2, 3, dtype=torch.int64), lengths)
    with pytest.raises(UsageError, match=r"emissions: expected floating \(T, B, 3\), got torch.float32 \(2, 2, 4\)"):
        crf.decode(torch.zeros(2, 2, 4), lengths)
    with pytest.raises(UsageError, match="lengths: expected each from 0 to T = 2, got 3 for row 1"):
        crf.marginals(emissions, torch.tensor([1, 3]))
    with pytest.raises(UsageError, match=r"allowed: expected bool \(4, 4\), got torch.bool \(3, 3\)"):
        CRF(2, torch.ones(3, 3, dtype=torch.bool))
    with pytest.raises(UsageError, match="count: expected a whole number from 1 to 10,000, got 0"):
        CRF(0)
