"""The same training without what was learnt before: what that gives is the difference."""

from __future__ import annotations

from typing import Any

from recurra.baselines import register_title
from recurra.errors import UsageError
from recurra.runs.config import Configuration

ABLATION = "ablation"
"""Of a run folder, where the same is trained without what was learnt before."""
NAME = "from-scratch"
"""What an evaluation calls it, among the baselines."""
register_title(NAME, "the same from scratch")


def is_asked_for(configuration: Configuration) -> bool:
    """Tell whether a training is to be compared with the same one from scratch."""
    return bool(getattr(_section(configuration, "model"), "ablate", False))


def check(configuration: Configuration) -> None:
    """Raise `UsageError` where a comparison is asked for, and there is nothing to leave out or the data can be read only once."""
    if not is_asked_for(configuration):
        return
    data, model = _section(configuration, "data"), _section(configuration, "model")
    if not model.from_run and not getattr(data, "unlabelled", []):
        raise UsageError(
            "ablate: there is nothing to leave out; name a run (--from) or texts without labels (--unlabelled)"
        )
    if "-" in data.data:
        raise UsageError("ablate: the data are read twice, and standard input can be read once; name a file")


def ablated(configuration: Configuration) -> Configuration:
    """Give the settings of the same training, its sizes chosen as they are, that begins by chance."""
    settings = configuration.settings.model_copy(deep=True)
    section: Any = getattr(settings, "model")  # noqa: B009  whatever can be left out is in these two
    section.from_run, section.ablate = [], False
    if hasattr(data := getattr(settings, "data"), "unlabelled"):  # noqa: B009
        data.unlabelled = []
    training = configuration.training.model_copy(update={"within": None})
    return Configuration(configuration.task, settings, training)


def _section(configuration: Configuration, name: str) -> Any:
    return getattr(configuration.settings, name, None)
