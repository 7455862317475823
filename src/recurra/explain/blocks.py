"""What a page shows of an explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from recurra.explain.faithfulness import Faithfulness
from recurra.explain.memory import EffectByLag, Memory
from recurra.explain.shapley import Attributions
from recurra.formatting import decimal, shorten, visible
from recurra.report.blocks import Block, Chart, Column, Lines, Picture, Series, SharedPicture, SharedText, Table, Text
from recurra.tasks.base.explanation import PictureParts, Segment, Target

MAX_ROWS, CHARACTERS_SHOWN = 20, 40


def attribution_blocks(
    target: Target,
    segments: Sequence[Segment],
    stage: str | PictureParts | None,
    found: Attributions,
    faithfulness: Faithfulness | None,
) -> list[Block]:
    """Show what each part added: the text or picture shaded, or a curve over the steps, a table, and what is to be known of them."""
    shown: list[Block] = [Text("", sentences(target, found, faithfulness), in_headline=True)]
    name = shorten(target.name, CHARACTERS_SHOWN)
    for_it, against_it = f"for {name}", f"against {name}"
    if isinstance(stage, str):
        shown.append(SharedText("", list(parts_of_text(segments, stage, found)), for_it, against_it))
    elif stage is not None:
        parts = [(segment.text, share) for segment, share in zip(segments, found.shares.tolist(), strict=True)]
        shown.append(SharedPicture.of(stage.pixels, stage.owner, parts, for_it, against_it, stage.focus))
    elif (chart := _steps_chart(segments, found)) is not None:
        shown.append(Lines("", [Picture(f"What each step added to the {target.quantity}", chart)]))
    order = sorted(range(len(segments)), key=lambda number: -abs(found.shares[number]))
    rows = [_row(segments[number], found, number) for number in order]
    columns = [Column("part", "name"), Column("share", "number"), Column("standard error", "number")]
    if found.errors is None:
        columns, rows = columns[:2], [row[:2] for row in rows]
    return [*shown, Table("", columns, rows[:MAX_ROWS], all_rows=rows if len(rows) > MAX_ROWS else ())]


def sentences(target: Target, found: Attributions, faithfulness: Faithfulness | None) -> list[str]:
    """Say what was explained, how, and whether it holds."""
    written = [
        f"{target.name}: {target.quantity} {decimal(found.whole)}; {decimal(found.nothing)} where each part is replaced by {target.baseline}. "
        f"The shares are {found.method}, and add up to the difference of {decimal(found.whole - found.nothing)}."
    ]
    if found.sum_error > 0.01 * max(abs(found.whole - found.nothing), 1e-9):
        written.append(f"They miss it by {decimal(found.sum_error)}: without fast they do not.")
    if faithfulness is not None:
        one = faithfulness.count == 1
        parts = "the part of the largest share" if one else f"the {faithfulness.count} parts of the largest shares"
        written.append(
            f"Leaving out {parts} costs {decimal(faithfulness.top)}; {'one' if one else 'as many'} at random "
            f"{decimal(faithfulness.random)} ± {decimal(faithfulness.spread)}."
        )
        if faithfulness.top <= faithfulness.random + faithfulness.spread:
            written.append("That is no more than others cost: these shares say little.")
    return written


def parts_of_text(segments: Sequence[Segment], text: str, found: Attributions) -> Iterator[tuple[str, float | None]]:
    """Give the pieces of a text, each with its share; None for what is between two segments."""
    end = 0
    for segment, share in zip(segments, found.shares.tolist(), strict=True):
        if segment.start > end:
            yield text[end : segment.start], None
        yield text[segment.start : segment.end], share
        end = segment.end
    if end < len(text):
        yield text[end:], None


def memory_sentences(memory: Memory) -> list[str]:
    """Say how far back a model remembers, and what the gradient does at each layer."""
    return [effect_sentence(memory.effect), *(layer.sentence for layer in memory.layers)]


def effect_sentence(effect: EffectByLag) -> str:
    """Say how far back changes still have an effect."""
    if effect.length is None:
        return "Nothing that was read changes this output."
    if effect.lags[-1] == 0:
        return "This output stands at the first step, which has nothing behind it."
    steps = f"{effect.length:,} {'step' if effect.length == 1 else 'steps'}"
    if effect.reaches_start:
        return f"It remembers to the beginning, {steps} back: what lies there still has 5 % of the effect or more."
    return f"It remembers {steps}: of what lies farther back, less than 5 % of the effect is left."


def memory_blocks(memory: Memory) -> list[Block]:
    """Show the effect and the gradient by lag."""
    effect = memory.effect
    ways = [
        ("swapped", effect.swapped, "other"),
        ("shuffled", effect.shuffled, "train"),
        ("hidden", effect.hidden, "held"),
    ]
    curves = [Series(name, list(zip(effect.lags, values, strict=True)), style) for name, values, style in ways]
    what = "Change of the output where all that lies so far back or farther is hidden, shuffled or swapped"
    pictures = [Picture(what, Chart(what, curves, "steps back", zero=True))]
    shown: list[Block] = [Text("", memory_sentences(memory)), Lines("How far back it remembers", pictures)]
    layers = [
        Picture(
            f"Layer {number}",
            Chart(
                f"Norm of the gradient by what layer {number} reads",
                [Series("gradient", list(enumerate(layer.by_lag)), "held")],
                "steps back",
                log=True,
                small=True,
            ),
        )
        for number, layer in enumerate(memory.layers)
        if max(layer.by_lag, default=0.0) > 0
    ]
    return [*shown, Lines("How far back the gradient reaches", layers)] if layers else shown


def _row(segment: Segment, found: Attributions, number: int) -> tuple[str, float, float | None]:
    error = None if found.errors is None else float(found.errors[number])
    return visible(segment.text), float(found.shares[number]), error


def _steps_chart(segments: Sequence[Segment], found: Attributions) -> Chart | None:
    """Draw the shares over the steps; None where several segments have the same ones."""
    if any(one.start < before.end for before, one in pairwise(segments)):
        return None
    points = [(float(one.start + 1), share) for one, share in zip(segments, found.shares.tolist(), strict=True)]
    return Chart("share of each step", [Series("share", points, "held", dots=len(points) < 60)], "step", zero=True)
