"""Windows: everything is read once, in order, state never crosses from one document into another, and a seed fixes it all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.tbptt import PADDING, DocumentWindows, TextWindows
from recurra.errors import DataError
from recurra.nn import Stack, map_state

BOS, END, FIRST = 0, 1, 2
quick = settings(deadline=None, max_examples=80)

text_cases = st.fixed_dictionaries(
    {
        "count": st.integers(2, 200),
        "lanes": st.integers(1, 9),
        "steps": st.integers(1, 40),
        "seed": st.integers(0, 5),
        "random_offset": st.booleans(),
        "epoch": st.integers(0, 4),
    }
)
document_cases = st.fixed_dictionaries(
    {
        "lengths": st.lists(st.integers(0, 17), min_size=1, max_size=25),
        "lanes": st.integers(1, 6),
        "steps": st.integers(1, 9),
        "seed": st.integers(0, 5),
        "epoch": st.integers(0, 4),
    }
)


def of_text(case):
    """A text in which every unit is another one: 1 … N, after the context 0."""
    ids = np.arange(1, case["count"] + 1)
    return TextWindows(
        ids, bos_id=0, lanes=case["lanes"], steps=case["steps"], seed=case["seed"], random_offset=case["random_offset"]
    )


def of_documents(case):
    """Documents in which every unit is another one, so that each names its document and its place."""
    bounds = np.cumsum([FIRST, *case["lengths"]])
    documents = [np.arange(a, b, dtype=np.int32) for a, b in pairwise(bounds)]
    windows = DocumentWindows(
        documents, bos_id=BOS, eos_id=END, lanes=case["lanes"], steps=case["steps"], seed=case["seed"]
    )
    return documents, windows


def equal(one, other):
    return len(one) == len(other) and all(
        torch.equal(a.inputs, b.inputs) and torch.equal(a.targets, b.targets) and torch.equal(a.reset, b.reset)
        for a, b in zip(one, other, strict=True)
    )


def lanes_of(windows):
    """Cut what each lane reads into sequences, at the places where it begins again: (inputs, targets) without padding."""
    sequences = []
    for lane in range(windows[0].inputs.shape[1]):
        current = None
        for window in windows:
            spoken = window.targets[:, lane] != PADDING
            if bool(window.reset[lane]):
                current = ([], [])
                sequences.append(current)
            if current is not None:
                current[0].extend(window.inputs[spoken, lane].tolist())
                current[1].extend(window.targets[spoken, lane].tolist())
            else:
                assert not spoken.any(), "a lane predicts before it has started"
    return sequences


class TestText:
    @quick
    @given(text_cases)
    def test_every_unit_is_predicted_once_after_the_one_before_it(self, case):
        windows = of_text(case)
        read = list(windows.epoch(case["epoch"]))
        asked = torch.cat([w.targets.flatten() for w in read]).tolist()
        assert len(set(asked)) == len(asked)
        assert case["count"] - windows.lanes < len(asked) <= case["count"]  # the rest is shorter than one lane
        before = torch.cat([w.inputs.flatten() for w in read]).tolist()
        started = torch.cat([(w.reset & (torch.arange(len(w.inputs)) == 0)[:, None]).flatten() for w in read]).tolist()
        for b, a, begins in zip(before, asked, started, strict=True):
            assert b == (0 if begins else a - 1 or case["count"])

    @quick
    @given(text_cases)
    def test_every_lane_begins_an_epoch_after_the_context(self, case):
        """So that what a model says predicts at a text's beginning has been learnt, wherever the epoch was started."""
        first, *others = of_text(case).epoch(case["epoch"])
        assert not first.inputs[0].any() and bool(first.reset.all())
        assert bool(first.inputs[1:].all()) and all(bool(window.inputs.all()) for window in others)

    @quick
    @given(text_cases)
    def test_each_lane_reads_on_where_it_stopped(self, case):
        windows = list(of_text(case).epoch(case["epoch"]))
        assert [bool(w.reset.all()) for w in windows] == [index == 0 for index in range(len(windows))]
        assert not any(bool(w.reset.any()) for w in windows[1:])
        for lane in range(windows[0].inputs.shape[1]):
            inputs = torch.cat([w.inputs[:, lane] for w in windows])
            targets = torch.cat([w.targets[:, lane] for w in windows])
            assert torch.equal(inputs[1:], targets[:-1])

    @quick
    @given(text_cases)
    def test_shapes_and_count(self, case):
        windows = of_text(case)
        read = list(windows.epoch(case["epoch"]))
        assert len(read) == windows.count(case["epoch"])
        assert 1 <= windows.lanes <= case["lanes"]
        for window in read:
            assert window.inputs.shape == window.targets.shape == (len(window.inputs), windows.lanes)
            assert window.inputs.dtype == window.targets.dtype == torch.int64
            assert window.reset.shape == (windows.lanes,)
        assert all(len(w.inputs) == case["steps"] for w in read[:-1])
        assert 1 <= len(read[-1].inputs) <= case["steps"]

    @quick
    @given(text_cases, st.integers(0, 300))
    def test_going_on_from_any_window(self, case, start):
        whole = list(of_text(case).epoch(case["epoch"]))
        assert equal(list(of_text(case).epoch(case["epoch"], start)), whole[start:])

    def test_a_random_offset_rotates_the_text_differently_in_every_epoch_and_for_every_seed(self):
        def order(seed, epoch):
            windows = TextWindows(np.arange(1, 101), bos_id=0, lanes=1, steps=10, seed=seed, random_offset=True)
            return torch.cat([w.targets[:, 0] for w in windows.epoch(epoch)]).tolist()

        orders = [order(seed, epoch) for seed in range(3) for epoch in range(5)]
        assert len({tuple(o) for o in orders}) > 12
        assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(5)]
        for units in orders:
            cut = units.index(1)
            assert units[cut:] + units[:cut] == list(range(1, 101))

    def test_without_a_random_offset_every_epoch_begins_after_the_context(self):
        windows = TextWindows(np.arange(1, 9), bos_id=7, lanes=2, steps=2, seed=0)
        for epoch in range(3):
            assert next(windows.epoch(epoch)).inputs.T.tolist() == [[7, 1], [7, 5]]

    def test_a_text_too_short_to_read(self):
        with pytest.raises(DataError, match="1 units"):
            TextWindows(np.arange(1), bos_id=0, lanes=1, steps=1, seed=0)


class TestDocuments:
    @quick
    @given(document_cases)
    def test_every_document_is_read_whole_and_alone(self, case):
        """Begin first, end last, each unit predicted once, and reset exactly where a document begins."""
        documents, windows = of_documents(case)
        sequences = lanes_of(list(windows.epoch(case["epoch"])))
        wanted = [([BOS, *d.tolist()], [*d.tolist(), END]) for d in documents]
        assert sorted(sequences) == sorted(wanted)

    @quick
    @given(document_cases)
    def test_padding_stands_behind_what_is_read(self, case):
        _, windows = of_documents(case)
        for window in windows.epoch(case["epoch"]):
            spoken = window.targets != PADDING
            assert 1 <= len(window.inputs) <= case["steps"]
            assert bool(spoken.any(1).all()), "a step at which no lane has anything to predict"
            assert torch.equal(spoken.cummin(0).values, spoken), "padding before something that is read"
            assert bool((window.inputs >= 0).all())
            assert not bool((window.reset & ~spoken[0]).any()), "a lane that begins and predicts nothing"

    @quick
    @given(document_cases, st.integers(0, 60))
    def test_going_on_from_any_window(self, case, start):
        _, windows = of_documents(case)
        whole = list(windows.epoch(case["epoch"]))
        assert windows.count(case["epoch"]) == len(whole)
        assert equal(list(of_documents(case)[1].epoch(case["epoch"], start)), whole[start:])

    def test_a_seed_fixes_the_order_and_every_epoch_has_its_own(self):
        def order(seed, epoch):
            case = {"lengths": [5] * 40, "lanes": 4, "steps": 8, "seed": seed}
            return [w.targets[0].tolist() for w in of_documents(case)[1].epoch(epoch)]

        orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
        assert len({str(o) for o in orders}) == 9
        assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(3)]

    def test_documents_of_like_length_are_read_side_by_side(self):
        rng = np.random.default_rng(0)
        case = {"lengths": rng.integers(1, 200, 400).tolist(), "lanes": 16, "steps": 256, "seed": 1}
        _, windows = of_documents(case)
        padding = np.mean([float((w.targets == PADDING).double().mean()) for w in windows.epoch(0)])
        assert padding < 0.2  # in a random order it would be about half

    def test_no_document_at_all(self):
        with pytest.raises(DataError, match="no document"):
            DocumentWindows([], bos_id=BOS, eos_id=END, lanes=1, steps=1, seed=0)

    @pytest.mark.parametrize("cell", ["gru", "graves-lstm"])
    def test_a_document_read_in_lanes_has_the_probabilities_it_has_alone(self, cell):
        """State is carried from window to window of one document, and never from one document to another."""
        case = {"lengths": [0, 3, 25, 7, 7, 1, 12, 30, 2, 16, 4], "lanes": 3, "steps": 5, "seed": 3}
        documents, windows = of_documents(case)
        size = FIRST + sum(case["lengths"])
        torch.manual_seed(0)
        embedding, output = torch.randn(size, 6).double(), torch.randn(size, 8).double()
        stack = Stack(cell, 6, [7, 8]).double()

        def run(ids, state):
            y, state = stack(embedding[ids], state)
            return (y @ output.T).log_softmax(-1), state

        with torch.no_grad():
            state = stack.zero_state(3)
            found = {}
            for window in windows.epoch(0):
                keep = (~window.reset).double().unsqueeze(-1)
                log_probs, state = run(window.inputs, map_state(lambda tensor, keep=keep: tensor * keep, state))
                for lane in range(3):
                    for step, target in enumerate(window.targets[:, lane].tolist()):
                        if target != PADDING:
                            key = (int(window.inputs[step, lane]), target)
                            found[key] = float(log_probs[step, lane, target])
            assert len(found) == sum(case["lengths"]) + len(documents)
            for document in documents:
                sequence = [BOS, *document.tolist(), END]
                alone, _ = run(torch.tensor(sequence[:-1]).unsqueeze(1), stack.zero_state(1))
                for step, key in enumerate(pairwise(sequence)):
                    assert found[key] == pytest.approx(float(alone[step, 0, key[1]]), abs=1e-12)
