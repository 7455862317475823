"""How far a learner of grammars is right."""

from __future__ import annotations

from recurra.metrics.base import Metric, register_metric, share_metric

register_metric(
    share_metric(
        "strings_right",
        "strings right",
        61,
        "Of {value} of the strings it knew, after every symbol, just what may follow and what may not.",
    ),
    Metric("right_up_to", "right up to", rank=62, lower_is_better=False, digits=0, versus="difference"),
    share_metric("steps_right", "steps right", 63),
    share_metric("answers_right", "distant symbols right", 64),
    Metric("kl", "KL to the grammar", rank=65, lower_is_better=True, digits=4, unit="nats", versus="difference"),
    share_metric("written_legal", "written strings that are legal", 66),
    share_metric("accepted", "held-out strings accepted", 67),
    share_metric("refused", "changed strings refused", 68),
    Metric(
        "behind_fault",
        "share behind the first fault",
        rank=385,
        lower_is_better=True,
        percent=True,
        versus="difference",
    ),
)

LEGALITY = ("strings_right", "steps_right", "right_up_to", "answers_right")
"""The metrics of what is held to be legal, beside what is."""
