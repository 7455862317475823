"""How far a learner of grammars is right."""

from __future__ import annotations

from collections.abc import Sequence

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
    share_metric("recalled", "distant symbols right", 64),
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


def right_up_to(rows: Sequence[tuple[int, float, int]]) -> int:
    """Give the largest size up to which all strings that were tried are right; 0 where the shortest are not.

    >>> right_up_to([(1, 1.0, 3), (2, 1.0, 1), (3, 0.5, 2), (4, 1.0, 1)]), right_up_to([(2, 0.0, 1)])
    (2, 0)
    """
    reached = 0
    for size, share, _ in rows:
        if share < 1:
            break
        reached = size
    return reached
