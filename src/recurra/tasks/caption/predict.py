"""A trained captioner, and what can be asked of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.decoding import Hypothesis
from recurra.errors import DataError
from recurra.files import is_folder, write_whole
from recurra.images import PICTURE, is_picture, jpeg_text, picture_kind, read_picture
from recurra.report.blocks import Overlay
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.caption.config import CaptionConfig, CaptionEvaluateOptions, CaptionPredictOptions
from recurra.tasks.caption.network import CaptionNetwork
from recurra.tasks.caption.overlay import overlay_page
from recurra.tasks.caption.preprocessing import CaptionPreprocessor, Picture
from recurra.tasks.caption.results import attention_lines, attention_to_json, to_result
from recurra.tasks.caption.search import attention_weights, score, search
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.results import DIGITS, END, units_of
from recurra.text import Faults, handled, is_archive, is_hidden, open_sources


class Captioner(Predictor[CaptionConfig]):
    """Says in a sentence what a picture shows.

    A picture is the name of its file, or its pixels (H, W) or (H, W, 3) uint8. A result is {"image", "caption", "log_prob"}; with
    `best` also "alternatives", with `attention` also "attention": the words, and for each the grid of what was looked at.
    """

    name = "caption"
    PredictOptions = CaptionPredictOptions
    EvaluateOptions = CaptionEvaluateOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: CaptionConfig) -> CaptionPreprocessor:
        return CaptionPreprocessor.load(folder, config.data)

    @classmethod
    def build_network(cls, config: CaptionConfig, preprocessor: CaptionPreprocessor) -> CaptionNetwork:
        pictures = preprocessor.pictures
        channels = None if pictures.encoder is None else pictures.encoder.channels
        return CaptionNetwork(preprocessor.vocabulary.size, config.model, pictures.grid, channels)

    @property
    def caption_network(self) -> CaptionNetwork:
        """The network, as what it is."""
        return cast(CaptionNetwork, self.network)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "picture"

    @checked
    def parse(self, line: str) -> Picture:
        return self.preprocessor.pictures.check(line.strip())

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source, faults = os.fspath(source), faults or Faults("stop")
        if source == "-":
            return None
        if is_folder(Path(source)):
            every = ((path, path.relative_to(source).parts) for path in Path(source).rglob("*"))
            found = sorted(path for path, parts in every if is_picture(path.name.lower()) and not is_hidden(parts))
            if not found:
                raise DataError("the folder holds no pictures", source=source)
            return _readable([str(path) for path in found], faults)
        if is_archive(source):
            return self._read_archive(source, faults)
        return _readable([source], faults) if is_picture(source.lower()) else None

    def _read_archive(self, source: str, faults: Faults) -> list[Any]:
        packed: list[Any] = []
        for one in open_sources([source], faults, picture_kind):
            with handled(faults):
                packed += [self.preprocessor.pictures.read(one.data, one.name)] if one.kind == PICTURE else []
        if not packed:
            reason = f" that can be read: {faults.skipped[0]}" if faults.skipped else ""
            raise DataError(f"the archive holds no pictures{reason}", source=source)
        return packed

    # Predictions

    def predict_with(self, inputs: list[Any], options: CaptionPredictOptions) -> list[dict[str, Any]]:
        pictures = [self._check(item, number, len(inputs)) for number, item in enumerate(inputs, 1)]
        asked = options.model_copy(update={"attention": True}) if options.overlay else options
        options.check_for(self.config.model)
        results, found = self.describe(pictures, asked)
        if options.steps:
            for picture, result, hypotheses in zip(pictures, results, found, strict=True):
                result["steps"] = self._steps(picture, hypotheses[0])
        if options.overlay is not None:
            shown = [self.overlay(picture, result) for picture, result in zip(pictures, results, strict=True)]
            write_whole(Path(options.overlay), overlay_page(shown))
            for result in results if not options.attention else []:
                result.pop("attention")
        return results

    def _check(self, item: Any, number: int, count: int) -> Picture:
        try:
            return self.preprocessor.pictures.check(item)
        except DataError as error:
            if error.source is not None or count == 1:
                raise
            raise DataError(str(error), source=f"input {number}") from None

    def describe(
        self, pictures: Sequence[Picture], options: SearchedOptions
    ) -> tuple[list[dict[str, Any]], list[list[Hypothesis]]]:
        """Give the result for each picture, and what was found."""
        inputs = [input_of(picture) for picture in pictures]
        found = search(self.caption_network, self.preprocessor, inputs, options)
        results = []
        for picture, one, hypotheses in zip(pictures, inputs, found, strict=True):
            result = to_result(picture.name, hypotheses, self.preprocessor, options.best)
            if options.attention:
                result["attention"] = self.attention(one, hypotheses[0])
            results.append(result)
        return results, found

    def attention(self, picture: np.ndarray, found: Hypothesis) -> dict[str, Any] | None:
        """Give where was looked for each word of a caption that was found; None without attention."""
        preprocessor = self.preprocessor
        ids = found.ids[:-1] if found.ended else found.ids
        weights = attention_weights(self.caption_network, preprocessor, picture, ids)
        if weights is None:
            return None
        names = [*units_of(ids, preprocessor.vocabulary), *([END] if found.ended else [])]
        return attention_to_json(weights[: len(names)], names, preprocessor.pictures.grid)

    def _steps(self, picture: Picture, found: Hypothesis) -> list[dict[str, Any]]:
        """Give the caption as it grows, with the log-probability so far."""
        ids = found.ids[:-1] if found.ended else found.ids
        values, _ = score(self.caption_network, self.preprocessor, [input_of(picture)], [[ids]])
        return [
            {
                "caption": self.preprocessor.decode(ids[:count]),
                "log_prob": round(float(values[0][:count].sum()), DIGITS),
            }
            for count in range(1, len(ids) + 1)
        ]

    def overlay(self, picture: Picture, result: Mapping[str, Any], references: Sequence[str] = ()) -> Overlay:
        """Give what a page shows of a result that has its attention."""
        looked = result.get("attention") or {"words": [], "weights": []}
        return Overlay(
            jpeg_text(picture.pixels),
            picture.name,
            result["caption"],
            list(references),
            looked["words"],
            looked["weights"],
        )

    @checked
    def score(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Give the log-probability of captions, nats; each text is the name of a picture's file, a tab, and the caption.

        Rows in errors are texts, from 1.
        """
        preprocessor, pairs = self.preprocessor, []
        for number, text in enumerate(texts, 1):
            name, tab, caption = text.partition("\t")
            if not tab:
                raise DataError("expected the name of a picture, a tab and its caption", row=number)
            try:
                picture = input_of(preprocessor.pictures.check(name))
            except DataError as error:
                raise DataError(str(error), row=number) from None
            pairs.append((text, picture, preprocessor.encode(caption)))
        inputs, captions = [picture for _, picture, _ in pairs], [[ids] for _, _, ids in pairs]
        values, _ = score(self.caption_network, preprocessor, inputs, captions)
        end = preprocessor.vocabulary.eos_id
        return [
            {
                "text": text,
                "log_prob": float(each.sum()),
                "log_prob_per_unit": float(each.mean()),
                "units": [
                    list(unit)
                    for unit in zip(units_of(np.append(ids, end), preprocessor.vocabulary), each.tolist(), strict=True)
                ],
            }
            for (text, _, ids), each in zip(pairs, values, strict=True)
        ]

    def format_result(self, result: Mapping[str, Any]) -> str:
        lines = []
        for one in result.get("steps") or [result]:
            several = [one, *one["alternatives"]] if "alternatives" in one else []
            lines += [f"{each['log_prob']:.2f}\t{each['caption']}" for each in several] or [one["caption"]]
        if result.get("attention"):
            lines += attention_lines(result["attention"])
        return "\n".join(lines)


def input_of(picture: Picture) -> np.ndarray:
    """Give what the network reads of a picture."""
    return picture.pixels if picture.features is None else picture.features


def _readable(names: list[str], faults: Faults) -> list[Any]:
    """Give the names of the pictures that can be read; all, where the first that cannot is an error, which it then is once it is predicted."""
    if not faults.skipping:
        return list(names)
    found = []
    for name in names:  # decoded twice, so that of a large folder not all are held
        with handled(faults):
            read_picture(name)
            found.append(name)
    return found
