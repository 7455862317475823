"""A trained picture model, and what can be asked of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.pictures import PictureOptions, Pictures, holds_pictures, read_pictures
from recurra.errors import DataError, UsageError
from recurra.files import is_folder
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.pixels.config import EvaluateOptions, GenerateOptions, PictureConfig, PredictOptions
from recurra.tasks.pixels.explain import PictureExplainOptions, explain_row
from recurra.tasks.pixels.network import PixelNetwork
from recurra.tasks.pixels.preprocessing import PicturePreprocessor
from recurra.tasks.pixels.results import score_to_json, to_lines, to_result
from recurra.tasks.pixels.sampling import complete, known_rows, score
from recurra.text import Faults, base_name, is_archive


class NamedPicture(np.ndarray):
    """A picture in grey, uint8 (H, W), with where it stands."""

    place: str = ""


class PictureModel(Predictor[PictureConfig]):
    """Knows how likely a picture is, writes new ones, and completes given ones from their upper rows.

    A prediction is the likeliest completion, pixel by pixel: {"rows", "picture"}, the rows that were kept and the levels of all
    pixels; with `steps` also what the row after each would be, as {"row", "next"}, from none to all that are kept.
    """

    name = "pixels"
    PredictOptions = PredictOptions
    EvaluateOptions = EvaluateOptions
    GenerateOptions = GenerateOptions
    ExplainOptions = PictureExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: PictureConfig) -> PicturePreprocessor:
        return PicturePreprocessor.load(folder, config.data)

    @classmethod
    def build_network(cls, config: PictureConfig, preprocessor: PicturePreprocessor) -> PixelNetwork:
        return PixelNetwork(preprocessor.size[1], preprocessor.levels, config.model)

    @property
    def _pixel_network(self) -> PixelNetwork:
        return cast(PixelNetwork, self.network)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "picture"

    @checked
    def parse(self, line: str) -> np.ndarray:
        """Read a line as the name of a file with a picture."""
        return self.preprocessor.check(line.strip())

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        name = base_name(source)
        if source == "-" or not (holds_pictures(name) or is_archive(name) or is_folder(Path(source))):
            return None
        files, _ = resolve_files([source])
        faults = faults or Faults("stop")
        read = read_pictures(files, PictureOptions(self.preprocessor.size, faults.on_error))
        faults.skipped += read.skipped
        return named_pictures(read)

    def read_scored(self, source: str) -> list[Any] | None:
        """Read what a user wants scored, as `read_file` does; a name that is no file's may be that of a data set."""
        return self.read_file(source)

    # Predictions

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        levels = self._encode(inputs)
        if not len(levels):
            return []
        height = self.preprocessor.size[0]
        known = known_rows(levels, self._rows(options.rows))
        found = complete(self._pixel_network, known, height, temperature=0.0)
        results = [to_result(each, known.shape[1]) for each in found]
        if options.steps:
            for result, each in zip(results, levels, strict=True):
                result["steps"] = self._steps(each, known.shape[1])
        return results

    def _steps(self, levels: np.ndarray, rows: int) -> list[dict[str, Any]]:
        """Give the likeliest row after each of the upper rows of a picture (H, W), as long as there is one."""
        found = []
        for count in range(min(rows + 1, len(levels))):
            made = complete(self._pixel_network, levels[None, :count], count + 1, temperature=0.0)
            found.append({"row": count, "next": made[0, count].tolist()})
        return found

    def _rows(self, rows: int | None) -> int | None:
        height = self.preprocessor.size[0]
        if rows is not None and rows > height:
            raise UsageError(f"rows: expected at most the {height} that a picture has, got {rows}")
        return rows

    def _encode(self, inputs: Iterable[Any]) -> np.ndarray:
        """Give the levels, uint8 (N, H, W), of what a user hands over."""
        pictures = list(inputs)
        grey = []
        for number, picture in enumerate(pictures, 1):
            try:
                grey.append(self.preprocessor.check(picture))
            except DataError as error:
                if error.source is not None or len(pictures) == 1:
                    raise
                raise DataError(str(error), source=f"input {number}") from None
        return self.preprocessor.encode(np.stack(grey)) if grey else np.zeros((0, *self.preprocessor.size), np.uint8)

    def format_result(self, result: Mapping[str, Any]) -> str:
        picture = np.array(result["picture"])
        return to_lines(self.preprocessor.decode(picture)) + "\n"

    # What only some predictors can do

    @checked
    def explained(self, item: Any, options: PictureExplainOptions) -> Explained:
        """Give the log-probability of a row, given those above it; see `explain.explain_row`."""
        return explain_row(self._pixel_network, self.preprocessor, self._encode([item])[0], options)

    @checked
    def score(self, texts: Iterable[Any]) -> list[dict[str, Any]]:
        """Give the log-probability of pictures, nats; each is a file's name or an array (H, W)."""
        pictures = list(texts)
        found = score(self._pixel_network, self._encode(pictures))
        names = [picture_name(picture, number) for number, picture in enumerate(pictures, 1)]
        return [score_to_json(name, log_probs) for name, log_probs in zip(names, found, strict=True)]

    def generate_pictures(self, picture: Any, options: GenerateOptions) -> np.ndarray:
        """Write pictures, or complete a given one (None: `options.picture`); grey uint8 (N, H, W)."""
        if picture is not None and options.picture is not None:
            raise UsageError("from: expected one picture to complete, got two")
        given = options.picture if picture is None else picture
        if given is None and options.rows:
            raise UsageError("rows: are those of a picture to complete; name one with --from, or leave rows out")
        height, width = self.preprocessor.size
        known = np.zeros((1, 0, width), np.uint8)
        if given is not None:
            known = known_rows(self._encode([given]), self._rows(options.rows))
        made = complete(
            self._pixel_network,
            known.repeat(options.count, 0),
            height,
            temperature=options.temperature,
            seed=options.seed or 0,
        )
        return self.preprocessor.decode(made)

    def generate_whole(self, prefix: Any, options: GenerateOptions) -> np.ndarray:
        """Give what `generate_pictures` does."""
        return self.generate_pictures(prefix, options)


def named_pictures(read: Pictures) -> list[NamedPicture]:
    """Give pictures that know where they stand."""
    named = []
    for values, place in zip(read.values, read.places, strict=True):
        picture = values.view(NamedPicture)
        picture.place = place
        named.append(picture)
    return named


def picture_name(picture: Any, number: int) -> str:
    """Name a picture: where it stands, its file, or its number.

    >>> picture_name("cat.png", 1), picture_name(np.zeros((2, 2)), 3)
    ('cat.png', 'picture 3')
    """
    if isinstance(picture, str | Path):
        return str(picture)
    return getattr(picture, "place", "") or f"picture {number}"
