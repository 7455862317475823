"""An explanation of one output: what each part of the input added, whether that holds, and how far back the model remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from recurra.data.frames import is_frame
from recurra.errors import UsageError
from recurra.explain.blocks import attribution_blocks, memory_blocks
from recurra.explain.faithfulness import Faithfulness, measure_faithfulness
from recurra.explain.memory import Memory, last_step, measure_memory
from recurra.explain.shapley import Attributions, integrated_gradients, shapley_values
from recurra.report.blocks import Block
from recurra.report.page import blocks_page
from recurra.tasks.base.capabilities import Explains
from recurra.tasks.base.explanation import Explained, PictureParts, Segment, Target
from recurra.tasks.base.options import read_options
from recurra.tasks.base.predictor import Predictor

DIGITS = 6


@dataclass(frozen=True)
class Method:
    """fast: integrated gradients instead of Shapley values.  permutations: pairs that are drawn; None: as many as suit the input.
    memory: also how far back the model remembers, on average over the inputs.
    """

    fast: bool = False
    permutations: int | None = None
    memory: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Explanation:
    """segments, with what each added (attributions).  shown: the text or picture that they stand in; None where they are steps of a series.

    faithfulness: None of a single segment.  memory: of all inputs that were explained together; None where it was not asked for.
    """

    target: Target
    segments: list[Segment]
    shown: str | PictureParts | None
    attributions: Attributions
    faithfulness: Faithfulness | None
    memory: Memory | None = None

    @property
    def text(self) -> str | None:
        """The text that the segments stand in; None where they stand in none."""
        return self.shown if isinstance(self.shown, str) else None

    @property
    def ranked(self) -> list[int]:
        """The numbers of the segments, those that added or took most first."""
        return sorted(range(len(self.segments)), key=lambda number: -abs(self.attributions.shares[number]))

    def to_json(self) -> dict[str, Any]:
        """Give all of it as JSON holds it."""
        found, errors = self.attributions, self.attributions.errors
        result: dict[str, Any] = {
            "target": self.target.name,
            "quantity": self.target.quantity,
            "value": found.whole,
            "baseline_value": found.nothing,
            "baseline": self.target.baseline,
            "method": found.method,
            "sum_error": found.sum_error,
            "segments": [
                {
                    **segment._asdict(),
                    "share": round(float(share), DIGITS),
                    **({} if errors is None else {"error": round(float(errors[number]), DIGITS)}),
                }
                for number, (segment, share) in enumerate(zip(self.segments, found.shares, strict=True))
            ],
            "faithfulness": None if self.faithfulness is None else asdict(self.faithfulness),
        }
        return result if self.memory is None else {**result, "memory": asdict(self.memory)}

    def blocks(self) -> list[Block]:
        """Give what a page shows of it, but for the memory."""
        return attribution_blocks(self.target, self.segments, self.shown, self.attributions, self.faithfulness)

    def _repr_html_(self) -> str:
        """What a notebook shows: the page in a frame of its own, whose styles touch nothing outside."""
        from html import escape

        page = page_of([self], "An explanation")
        return f'<iframe srcdoc="{escape(page, quote=True)}" style="width: 100%; height: 40rem; border: 0"></iframe>'


def page_of(explanations: Sequence[Explanation], title: str) -> str:
    """Make a page of its own of some explanations."""
    several = len(explanations) > 1
    parts = [
        (f"Input {number}: {one.target.name}" if several else one.target.name, one.blocks())
        for number, one in enumerate(explanations, 1)
    ]
    memory = next((one.memory for one in explanations if one.memory is not None), None)
    return blocks_page("Explanation", title, parts if memory is None else [*parts, ("Memory", memory_blocks(memory))])


def explain_inputs(
    predictor: Predictor,
    inputs: Sequence[Any],
    options: dict[str, Any],
    method: Method = Method(),
) -> list[Explanation]:
    """Explain an output of a predictor for each of some inputs; options: those of its `ExplainOptions`.

    Raises `UsageError` for a predictor that cannot be explained, for other options, and for `fast` where an output has no gradient.
    """
    if not isinstance(predictor, Explains):
        raise UsageError(f"explain: a run of {predictor.name!r} cannot be explained yet")
    if any(map(is_frame, inputs)):
        raise UsageError("explain: expected texts or series one by one, got a table; hand over what stands in its rows")
    if method.seed < 0:
        raise UsageError(f"seed: expected a number from 0, got {method.seed}")
    read = read_options(predictor.ExplainOptions, options, predictor.name)
    found, last = [], 0
    for item in inputs:  # one by one: an output holds what its network reads of an input
        output = predictor.explained(item, read)
        last = max(last, last_step(output)) if method.memory else 0
        found.append(explain_output(output, method))
    if not method.memory or not found:
        return found
    outputs = (predictor.explained(item, read) for item in inputs)
    memory = measure_memory(outputs, _cell_of(predictor), most=last, seed=method.seed)
    return [replace(one, memory=memory) for one in found]


def explain_output(output: Explained, method: Method) -> Explanation:
    """Explain one output, but for the memory."""
    found = attribute(output, method)
    faithfulness = measure_faithfulness(output.values, found.shares, seed=method.seed)
    return Explanation(output.target, output.segments, output.shown, found, faithfulness)


def attribute(output: Explained, method: Method) -> Attributions:
    """Give what each segment added to an output."""
    parts = len(output.segments)
    if not method.fast:
        return shapley_values(output.values, parts, steps=output.steps, pairs=method.permutations, seed=method.seed)
    if method.permutations is not None:
        raise UsageError("permutations: fast takes gradients instead; leave one of the two out")
    if not output.differentiable:
        raise UsageError(
            "fast: what this run reads has no gradient here; leave it out, and Shapley values are computed"
        )
    return integrated_gradients(output.values, output.gradients, parts)


def _cell_of(predictor: Predictor) -> str:
    return str(getattr(getattr(predictor.config, "model", None), "cell", ""))
