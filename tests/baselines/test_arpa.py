"""N-gram models with back-off give what they were made of, through a file too."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from recurra.baselines import BackoffModel, KneserNey, read_arpa
from recurra.errors import DataError

TOKENS = ["<s>", "</s>", "a", "b", "▁", "c"]
SMALL = "\\data\\\nngram 1=3\nngram 2=1\n\n\\1-grams:\n-99\t<s>\t-0.3\n-0.5\t</s>\n-0.2\ta\t-0.1\n\n\\2-grams:\n-0.1\t<s> a\n\n\\end\\\n"


@pytest.fixture
def counted() -> KneserNey:
    chance = np.random.default_rng(0)
    texts = [chance.integers(2, 6, chance.integers(0, 9)) for _ in range(40)]
    return KneserNey(4).fit(texts, size=6, bos_id=0, eos_id=1)


def contexts() -> list[list[int]]:
    inside = [list(some) for size in range(4) for some in itertools.product(range(2, 6), repeat=size)]
    return [*([0, *some] for some in inside if len(some) < 4), *inside[1:], [1, 1, 1]]


def test_it_is_the_model_that_it_was_made_of(counted: KneserNey, tmp_path: Path) -> None:
    made = BackoffModel.of(counted, TOKENS)
    made.write(tmp_path / "lm.arpa")
    read = read_arpa(tmp_path / "lm.arpa")
    assert read.tokens == TOKENS and (read.order, read.bos, read.eos, read.unknown) == (4, 0, 1, None)
    for context in contexts():
        expected = counted.distribution(np.array(context))
        assert np.exp(made.log_probs(context)) == pytest.approx(expected, abs=1e-12)
        assert np.exp(read.log_probs(context)) == pytest.approx(expected, abs=1e-6)


def test_a_file_of_another_tool(tmp_path: Path) -> None:
    path = tmp_path / "lm.arpa"
    path.write_text("made by hand\n\n" + SMALL)
    model = read_arpa(path)
    assert (model.log_probs([0]) / np.log(10)).tolist() == pytest.approx([-np.inf, -0.8, -0.1])
    assert (model.log_probs([2]) / np.log(10)).tolist() == pytest.approx([-np.inf, -0.6, -0.3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected an ARPA file"),
        (SMALL.replace("\\end\\", ""), "it is cut off"),
        (SMALL.replace("-0.2\ta", "x\ta"), "line 8: expected a log-probability, 1 tokens and"),
        (SMALL.replace("<s> a", "<s> b"), "line 11: 'b' is not among the single tokens"),
        (SMALL.replace("\\2-", "\\3-"), r"line 10: expected \\2-grams:"),
        (SMALL.replace("-0.1\t<s> a", "-0.1\t<s>"), "line 11: expected a log-probability, 2 tokens"),
        (SMALL.replace("-0.1\t<s> a", "0.1\t<s> a"), "line 11: expected a log-probability, 2 tokens"),
    ],
)
def test_faults(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lm.arpa"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_arpa(path)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_arpa(tmp_path / "none.arpa")
    (tmp_path / "bytes.arpa").write_bytes(b"\\data\\\n\xff\n")
    with pytest.raises(DataError, match="expected UTF-8"):
        read_arpa(tmp_path / "bytes.arpa")
