"""A trained model of drawings, and what can be asked of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from recurra.arguments import PathName, checked
from recurra.data.drawings import Drawing, DrawingOptions, drawing_kind, read_drawings
from recurra.decoding import row_generators
from recurra.errors import DataError, UsageError
from recurra.files import is_folder
from recurra.formatting import abbreviate
from recurra.ink import END, LIFTED, Ink, from_offsets, make_ink, parse_offsets, parse_stroke, to_offsets
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.strokes.batches import collate_given
from recurra.tasks.strokes.config import DrawingConfig, EvaluateOptions, GenerateOptions, PredictOptions
from recurra.tasks.strokes.data import Split, condition_ids, encode
from recurra.tasks.strokes.network import StrokeNetwork
from recurra.tasks.strokes.preprocessing import StrokePreprocessor, check_condition
from recurra.tasks.strokes.results import ink_to_json, pens_to_json, score_to_json, to_lines
from recurra.tasks.strokes.sampling import Drawn, Manner, Prefix, draw, knowledge, score
from recurra.tasks.strokes.stream import StrokeStream
from recurra.text import Faults, base_name, is_archive


class DrawingModel(Predictor[DrawingConfig]):
    """Knows how likely a drawing is, makes new ones, and finishes given ones.

    A prediction is {"points", "step", "pen", "strokes"}: how many points were given, where the next one is on average, (dx, dy) in
    units of the data, how likely each pen state is after it, and the finished drawing; with `steps` also the same knowledge after each point.
    """

    name = "strokes"
    PredictOptions = PredictOptions
    EvaluateOptions = EvaluateOptions
    GenerateOptions = GenerateOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: DrawingConfig) -> StrokePreprocessor:  # noqa: ARG003
        return StrokePreprocessor.load(folder)

    @classmethod
    def build_network(cls, config: DrawingConfig, preprocessor: StrokePreprocessor) -> StrokeNetwork:
        return StrokeNetwork(len(preprocessor.names), preprocessor.condition, config.model)

    @property
    def _strokes(self) -> StrokeNetwork:
        return cast(StrokeNetwork, self.network)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "pen"

    @checked
    def parse(self, line: str) -> Drawing:
        """Read a line as strokes in JSON, with a label or text where the run draws by one, or as the name of a file with a drawing."""
        line = line.strip()
        if not line.startswith(("[", "{")):
            return self._first_of(line)
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError("expected strokes as JSON") from None
        return self._of_json(value, "the line")

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        name = base_name(source)
        if source == "-" or not (drawing_kind(name) or is_archive(name) or is_folder(Path(source))):
            return None
        faults = faults or Faults("stop")
        return list(read_drawings([source], self._reading(), faults))

    def read_scored(self, source: str) -> list[Any] | None:
        """Read what a user wants scored, as `read_file` does."""
        return self.read_file(source)

    def _reading(self) -> DrawingOptions:
        return replace(self.config.data.reading(), only=None)

    def _first_of(self, name: str) -> Drawing:
        return read_drawings([name], self._reading())[0]

    def _of_json(self, value: Any, name: str) -> Drawing:
        facts = value if isinstance(value, dict) else {}
        strokes = facts.get("strokes") if facts else value
        if not isinstance(strokes, list):
            raise DataError("expected a list of strokes")
        text = facts.get("text", facts.get("label", facts.get("word")))
        if text is not None and not isinstance(text, str):
            raise DataError(f"expected a text, got {abbreviate(text, 40)}")
        ink = make_ink([parse_stroke(stroke, name) for stroke in strokes], name)
        return Drawing(ink, text, None, name)

    def drawing(self, item: Any, number: int = 1) -> Drawing:
        """Give what a user hands over as a drawing, prepared as those of training: a drawing, an ink, strokes, steps (N, 3), or a file's name."""
        place = f"drawing {number}"
        if isinstance(item, str | Path):
            item = self.parse(str(item))
        if isinstance(item, Ink):
            item = Drawing(item, None, None, place)
        elif hasattr(item, "shape"):
            item = Drawing(parse_offsets(np.asarray(item), place, 1), None, None, place)
        elif isinstance(item, list | dict):
            item = self._of_json(item, place)
        if not isinstance(item, Drawing):
            raise DataError(f"expected a drawing, strokes or steps (N, 3), got {abbreviate(item, 40)}")
        return replace(item, ink=self.preprocessor.prepare(item.ink))

    def _split(self, inputs: Iterable[Any]) -> Split:
        return encode([self.drawing(item, number) for number, item in enumerate(inputs, 1)], self.preprocessor)

    # Predictions

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        split = self._split(inputs)
        results = []
        for row in range(len(split)):
            prefix = self._prefix(split.inks[row], split.ids[row])
            known = knowledge(self._strokes, prefix, self.preprocessor.condition)
            manner = Manner(self._length(prefix, None), options.temperature)
            (drawn,) = draw(
                self._strokes, [prefix], self.preprocessor.condition, manner, row_generators(options.seed, 1)
            )
            steps = [self._known(mean, pens) for mean, pens in zip(*known, strict=True)]
            result = {"points": len(prefix.pens) + 1, **steps[-1]}
            result["strokes"] = ink_to_json(self._whole(prefix, drawn, split.inks[row]))
            if options.steps:
                result["steps"] = [{"points": number, **one} for number, one in enumerate(steps, 1)]
            results.append(result)
        return results

    def _known(self, mean: np.ndarray, pens: np.ndarray) -> dict[str, Any]:
        return {"step": (mean * self.preprocessor.unit).tolist(), "pen": pens_to_json(pens)}

    def format_result(self, result: Mapping[str, Any]) -> str:
        return to_lines(Ink(tuple(np.array(stroke, np.float32) for stroke in result["strokes"]))) + "\n"

    def _prefix(self, ink: Ink, ids: np.ndarray) -> Prefix:
        """Give an ink, prepared, as what is to be gone on with: its last stroke has ended, the drawing has not."""
        steps, pens = to_offsets(ink)
        return Prefix(self.preprocessor.encode(steps), np.where(pens == END, LIFTED, pens).astype(np.uint8), ids)

    def _length(self, prefix: Prefix, asked: int | None) -> int:
        return len(prefix.pens) + (self.preprocessor.default_length if asked is None else asked)

    def _whole(self, prefix: Prefix, drawn: Drawn, before: Ink | None) -> Ink:
        """Give the given and the new part as one ink, where the given one is."""
        made = self.preprocessor.to_ink(
            np.concatenate([prefix.steps, drawn.steps]), np.concatenate([prefix.pens, drawn.pens])
        )
        if before is None:
            return made
        return Ink(tuple(stroke + before.strokes[0][0] for stroke in made.strokes))

    # What only some predictors can do

    @checked
    def score(self, texts: Iterable[Any]) -> list[dict[str, Any]]:
        """Give the log-probability of drawings, nats; each is a file's name, an ink, strokes or steps (N, 3)."""
        split = self._split(list(texts))
        found = score(self._strokes, split, self.preprocessor)
        return [score_to_json(place, log_probs) for place, log_probs in zip(split.places, found, strict=True)]

    def generate_drawings(self, prefix: Any, options: GenerateOptions) -> tuple[list[Ink], int]:
        """Make drawings, or finish a given one (None: `options.prefix`); gives also how many strokes of each were given."""
        if prefix is not None and options.prefix is not None:
            raise UsageError("continue: expected one drawing to finish, got two")
        given = options.prefix if prefix is None else prefix
        check_condition(self.preprocessor, options.label, options.text)
        if options.like is not None:
            return [ink for ink, _ in self._write_like(options)], 0
        before = None if given is None else self.drawing(given)
        starts = self._starts(before, options)
        found = self.draw_from(starts, options)
        inks = [
            self._whole(start, drawn, None if before is None else before.ink)
            for start, drawn in zip(starts, found, strict=True)
        ]
        return inks, 0 if before is None else len(before.ink.strokes)

    def generate_whole(self, prefix: Any, options: GenerateOptions) -> list[Ink]:
        """Give the inks of `generate_drawings`."""
        return self.generate_drawings(prefix, options)[0]

    def draw_from(self, starts: list[Prefix], options: GenerateOptions) -> list[Drawn]:
        """Go on with drawings as the options say."""
        length = max(self._length(start, options.length) for start in starts)
        manner = Manner(length, options.temperature, options.bias)
        return draw(self._strokes, starts, self.preprocessor.condition, manner, options.seed or 0)

    def _starts(self, before: Drawing | None, options: GenerateOptions) -> list[Prefix]:
        """Give what each drawing begins with: nothing or what is given, by the label or text that is named, or else by labels in turn."""
        asked = options.text if self.preprocessor.condition == "text" else options.label
        if asked is None and before is not None:
            asked = before.text
        names = [asked] * options.count
        if asked is None and self.preprocessor.condition == "label":
            known = self.preprocessor.names
            names = [known[number % len(known)] for number in range(options.count)]
        ids = [condition_ids(name, self.preprocessor) for name in names]
        return [Prefix.nothing(each) if before is None else self._prefix(before.ink, each) for each in ids]

    def _write_like(self, options: GenerateOptions) -> list[tuple[Ink, Drawn]]:
        """Write a text as the hand of a sample does: the sample is read with what it says, then the new text is written on."""
        sample = self.drawing(options.like)
        if not sample.text:
            raise DataError("does not say what is written", source=options.like, hint="InkML and JSON can hold a text")
        between = " " if " " in self.preprocessor.names else ""  # a run that learnt from single words knows no space
        ids = condition_ids(f"{sample.text}{between}{options.text}", self.preprocessor)
        start = self._prefix(sample.ink, ids)
        found = self.draw_from([start] * options.count, options)
        # The first step is the way from the sample to the new text.
        return [
            (from_offsets(drawn.steps[1:].astype(np.float64) * self.preprocessor.unit, drawn.pens[1:]), drawn)
            for drawn in found
        ]

    def why_not_streamable(self) -> str | None:
        return None

    @checked
    def stream(self, prompt: str = "") -> StrokeStream:
        """Give a stream of a pen's points; prompt: the label or the text, of a run that draws by one."""
        ids = condition_ids(prompt or None, self.preprocessor)
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            given = collate_given([ids], self.preprocessor.condition).to(device)
        return StrokeStream(self._strokes, self.preprocessor, given)
