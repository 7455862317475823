from __future__ import annotations

import json

import pytest
import torch

from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask

LINES = ["that was phenomenal", "春眠不覺曉", "處處聞啼鳥", "the rain in spain", "café — naïve"]


def make(folder, *, documents, **model):
    """Prepare a task on a tiny text in two scripts, as one long text or as documents, and give it and a model with random weights."""
    if documents:
        path = folder / "lines.json"
        path.write_text(json.dumps([{"t": line + "!" * (i % 3)} for i, line in enumerate(LINES * 12)]))
        data = {"data": [str(path)], "text": "t", "bptt": 6, "valid_share": 0.2, "test_share": 0.2}
    else:
        path = folder / "lines.txt"
        path.write_text("\n".join(LINES * 12), encoding="utf-8")
        data = {"data": [str(path)], "bptt": 6}
    settings = {"hidden": 9, "layers": 2, "dropout": 0.0, **model}
    task = LanguageModelingTask(LanguageModelConfig.model_validate({"data": data, "model": settings}))
    task.prepare()
    torch.manual_seed(0)
    network = task.build_network()
    task.initialize(network)
    with torch.no_grad():  # far from the unigrams that it begins with, so that every wrong step shows
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return task, task.predictor(network)


@pytest.fixture(scope="module", params=[False, True], ids=["text", "documents"])
def trained(request, tmp_path_factory):
    """A task whose data are read, and what it leaves."""
    return make(tmp_path_factory.mktemp("lm"), documents=request.param)


@pytest.fixture
def model(trained):
    """A language model."""
    return trained[1]
