"""What a report has to know of a task, in its own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskDescription:
    """A task, as a report presents it.

    >>> TaskDescription.of_unknown("next_value").title
    'Next value'
    """

    title: str
    """What its model is called, such as "Classifier"."""
    element: tuple[str, str] = ("unit", "units")
    """What a loss is summed over and an evaluation counts: one of them, and several."""
    samples_title: str = "Samples along the way"
    """What several samples of a training show, side by side."""
    usage: tuple[tuple[str, str], ...] = ()
    """What can be done with a run: (purpose, command line), in which {run} stands for its folder."""

    @classmethod
    def of_unknown(cls, name: str) -> TaskDescription:
        """Describe a task of which nothing but a name is known, or not even that ("")."""
        return cls(name.replace("_", " ").capitalize() if name else "Training")
