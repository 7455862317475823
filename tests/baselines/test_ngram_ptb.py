"""Kneser–Ney on the Penn Treebank, beside the figure that the literature has for it."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from recurra.baselines import KneserNey

FOLDER = Path(os.environ.get("RECURRA_DATA", "")) / "ptb"


@pytest.mark.skipif(not (FOLDER / "ptb.train.txt.xz").is_file(), reason="RECURRA_DATA has no ptb")
def test_penn_treebank_test_perplexity():
    """Mikolov et al. 2011 (ICASSP, table 2) and many after them: KN5, 141.2."""
    texts = [
        lzma.decompress((FOLDER / "ptb.train.txt.xz").read_bytes()).decode(),
        (FOLDER / "ptb.test.txt").read_text(encoding="utf-8"),
    ]
    words: dict[str, int] = {}
    train, test = (
        [np.array([words.setdefault(word, len(words) + 2) for word in line.split()]) for line in text.splitlines()]
        for text in texts
    )
    assert len(words) == 9_999  # and <eos> makes 10,000
    model = KneserNey(5).fit(train, size=len(words) + 2, bos_id=0, eos_id=1)
    log_probs = np.concatenate([model.log_probs(np.append(line, 1)) for line in test])
    assert len(log_probs) == 82_430
    assert np.exp(-log_probs.mean()) == pytest.approx(141.2, abs=0.05)
