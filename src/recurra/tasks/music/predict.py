"""A trained model of music, and what can be asked of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.music import MusicOptions, holds_music, read_music
from recurra.errors import DataError, UsageError
from recurra.files import is_folder
from recurra.formatting import abbreviate
from recurra.music import PITCHES, Piece, parse_key, step_text, top_line
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.music.config import EvaluateOptions, GenerateOptions, MusicConfig, PredictOptions
from recurra.tasks.music.network import MusicNetwork
from recurra.tasks.music.preprocessing import MusicPreprocessor
from recurra.tasks.music.results import score_to_json
from recurra.tasks.music.sampling import Writer, compose, decide, express, next_steps, sampling_of
from recurra.tasks.music.stream import MusicStream
from recurra.text import Faults, base_name, is_archive


class Composer(Predictor[MusicConfig]):
    """Knows how likely music is, composes, goes on with a piece, and puts voices below a melody.

    A prediction is what is likeliest at the step after a piece, each decision by itself: {"next": pitches}; with `steps` also
    what it is after each beginning.
    """

    name = "music"
    PredictOptions = PredictOptions
    EvaluateOptions = EvaluateOptions
    GenerateOptions = GenerateOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: MusicConfig) -> MusicPreprocessor:  # noqa: ARG003
        return MusicPreprocessor.load(folder)

    @classmethod
    def build_network(cls, config: MusicConfig, preprocessor: MusicPreprocessor) -> MusicNetwork:
        return MusicNetwork(preprocessor, config.model)

    @property
    def _music_network(self) -> MusicNetwork:
        return cast(MusicNetwork, self.network)

    # What a user hands over

    @checked
    def parse(self, line: str) -> Piece:
        """Read a line as steps in JSON, lists of pitches, or as the name of a file with one piece."""
        line = line.strip()
        if not line.startswith("["):
            return self.read_piece(line)
        try:
            steps = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError(f"expected steps as JSON, such as [[60, 64], [62]]; got {abbreviate(line, 40)}") from None
        return self.preprocessor.check(steps)

    def read_piece(self, source: str, *, melody: bool = False) -> Piece:
        """Read a file that holds one piece, or the first of several.  melody: whatever kind it is of."""
        read = read_music([source], self._reading(Faults("stop"), melody=melody)).pieces[0]
        return read if melody else self.preprocessor.check(as_voices(read, self.preprocessor), source)

    def _reading(self, faults: Faults, *, melody: bool = False) -> MusicOptions:
        own = self.config.data.reading()
        kind = "auto" if melody or self.preprocessor.kind == "voices" else self.preprocessor.kind
        return replace(own, kind=kind, metre=None, on_error=faults.on_error)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[Any] | None:
        source = os.fspath(source)
        name = base_name(source)
        if source == "-" or not (holds_music(name) or is_archive(name) or is_folder(Path(source))):
            return None
        files, _ = resolve_files([source])
        faults = faults or Faults("stop")
        read = read_music(files, self._reading(faults))
        faults.skipped += read.skipped
        return [self.preprocessor.check(as_voices(piece, self.preprocessor)) for piece in read.pieces]

    def read_scored(self, source: str) -> list[Any] | None:
        """Read what a user wants scored, as `read_file` does."""
        return self.read_file(source)

    def _pieces(self, inputs: Iterable[Any]) -> list[Piece]:
        found = []
        for number, item in enumerate(inputs, 1):
            name = f"piece {number}"
            found.append(
                self.read_piece(item)
                if isinstance(item, str)
                else self.preprocessor.check(item, None if isinstance(item, Piece) else name)
            )
        return found

    # Predictions

    def predict_with(self, inputs: list[Any], options: PredictOptions) -> list[dict[str, Any]]:
        results = []
        for piece in self._pieces(inputs):
            frames = next_steps(self._music_network, self.preprocessor, piece, each=options.steps)
            result: dict[str, Any] = {"next": self.preprocessor.decode(frames[-1])}
            if options.steps:
                result["steps"] = [
                    {"step": number, "next": self.preprocessor.decode(frame)} for number, frame in enumerate(frames)
                ]
            results.append(result)
        return results

    def format_result(self, result: Mapping[str, Any]) -> str:
        steps: Sequence[Mapping[str, Any]] = result.get("steps") or [result]
        return "\n".join(step_text(self.preprocessor.kind, step["next"]) for step in steps)

    # What only some predictors can do

    @checked
    def score(self, texts: Iterable[Any]) -> list[dict[str, Any]]:
        """Give the log-probability of pieces, nats, but for their first step, which is only read."""
        pieces = self._pieces(texts)
        found = decide(self._music_network, self.preprocessor, pieces)
        return [
            score_to_json(piece.name, each.log_probs[1:].numpy()) for piece, each in zip(pieces, found, strict=True)
        ]

    def why_not_streamable(self) -> str | None:
        return None

    def stream(self, prompt: Any = "") -> MusicStream:
        """Give a stream that has read a piece, or nothing."""
        made = MusicStream(self._music_network, self.preprocessor)
        if len(prompt):
            for frame in self._pieces([prompt])[0].frames:
                made.step(self.preprocessor.decode(frame))
        return made

    def generate_whole(self, prefix: Any, options: GenerateOptions) -> list[Piece]:
        """Compose pieces, as `compose` does."""
        return self.compose(prefix, options)

    def compose(self, given: Any, options: GenerateOptions) -> list[Piece]:
        """Compose pieces; given: what they begin with, or None. Raises `UsageError` for what this run cannot be asked."""
        if given is not None and (options.given or options.harmonise or options.humanize):
            raise UsageError("from: expected one piece to go on with, got two")
        if options.humanize is not None:
            return [self.humanize(self.read_piece(options.humanize), options.tempo)] * options.count
        if options.given is not None:
            given = self.read_piece(options.given)
        elif given is not None:
            given = self._pieces([given])[0]
        melody = None if options.harmonise is None else self._melody(options.harmonise)
        like = given or melody
        bar = self.preprocessor.bar if like is None else like.bar
        tempo = options.tempo or (None if like is None else like.tempo)
        key = None if options.key is None else self._key(options.key)
        writer = Writer(self._music_network, self.preprocessor, 1, bar, key, tempo)
        known = np.zeros((0, self.preprocessor.width), np.uint8) if given is None else given.frames
        length = len(known) + options.bars * bar
        tops = None
        if melody is not None:
            tops = highest_keys(melody)
            length = len(tops)
        frames = compose(writer, known, options.count, length, sampling_of(options), options.seed or 0, melody=tops)
        kind, steps = self.preprocessor.kind, self.preprocessor.steps
        made = [Piece(kind, each, f"piece {number}", steps, bar, tempo) for number, each in enumerate(frames, 1)]
        return express(self._music_network, self.preprocessor, made) if self.preprocessor.expression else made

    def humanize(self, piece: Piece, tempo: float | None = None) -> Piece:
        """Give drums as the training data are played: with a velocity and an offset for each hit."""
        if not self.preprocessor.expression:
            raise UsageError("humanize: this run has not learnt how drums are played; train on MIDI files of drums")
        (played,) = express(self._music_network, self.preprocessor, [piece])
        return replace(played, tempo=tempo or piece.tempo)

    def _key(self, name: str) -> int:
        if not self.preprocessor.key:
            why = "of drums" if self.preprocessor.kind == "drums" else "without keys (--no-key)"
            raise UsageError(f"key: this run has learnt {why}; leave --key out")
        return parse_key(name)

    def _melody(self, source: str) -> Piece:
        if self.preprocessor.kind == "drums":
            raise UsageError("harmonise: this run has learnt drums, which have no melody")
        melody = self.read_piece(source, melody=True)
        if melody.kind == "drums":
            raise DataError("holds drums, and no melody", source=source)
        return melody


def highest_keys(piece: Piece) -> np.ndarray:
    """Give the highest key of each step, from 1; 0 where nothing sounds."""
    sounding = piece.sounding
    tops = np.zeros(len(piece), np.int64)
    there = sounding.any(1)
    tops[there] = top_line(piece) + 1
    return tops


def as_voices(piece: Piece, preprocessor: MusicPreprocessor) -> Piece:
    """Bring notes to the voices of a run, the highest first; what is of another kind stays as it is, as do too many notes at once."""
    if preprocessor.kind != "voices" or piece.kind != "notes":
        return piece
    sounding = piece.sounding
    most = int(sounding.sum(1).max())
    if most > preprocessor.width:
        raise DataError(
            f"expected at most {preprocessor.width} notes at once, one a voice; got {most}", source=piece.name
        )
    frames = np.zeros((len(piece), preprocessor.width), np.uint8)
    for row, held in enumerate(sounding):
        keys = PITCHES - np.flatnonzero(held[::-1])
        frames[row, : len(keys)] = keys
    return replace(piece, kind="voices", frames=frames)
