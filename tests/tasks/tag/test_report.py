"""What a report shows of a tagger."""

from __future__ import annotations

import re
from pathlib import Path

from recurra.report.page import render
from recurra.report.record import Record
from recurra.tasks import get_task


def test_spans_have_their_own_headline_and_table(tmp_path: Path) -> None:
    measured = {
        "event": "evaluation",
        "task": "tag",
        "data": "test",
        "count": 23_394,
        "metrics": {"nll": 0.3, "accuracy": 0.94, "precision": 0.5, "recall": 0.3, "f1": 0.375},
        "baselines": {"most-frequent-tag": {"accuracy": 0.92, "precision": 0.21, "recall": 0.06, "f1": 0.09}},
        "details": {
            "per_type": {"person": {"precision": 0.6, "recall": 0.4, "f1": 0.48, "support": 429}},
            "mistakes": [
                {"place": "test.conll, line 88", "input": "in Kerry", "label": ["O", "B-loc"], "predicted": ["O", "O"]}
            ],
        },
    }
    train = [{"event": "train", "step": 1, "loss": 1.0, "units_per_second": 5.0}]
    valid = [{"event": "valid", "step": 1, "nll": 1.0, "best": True}]
    record, task = Record({"task": "tag"}, train=train, valid=valid, evaluations=[measured]), get_task("tag")
    page = render(record, tmp_path, task.description(), task.report_blocks)
    text = re.sub(r"<[^>]*>", "\n", re.sub(r"<title>.*?</title>", "", page))
    assert "span F1 on held-out data (test)" in text and "37.5\u00a0%" in text
    assert "28.5\u00a0points above most frequent tag of the word" in text
    assert "Measured on 23,394 words" in text and "Words per second" in text and "nats per word" in text
    assert "Metrics by type of span" in text and "person" in text and "429" in text
    assert "O, B-loc" in text and "Some mistakes" in text and "confidence" not in text
