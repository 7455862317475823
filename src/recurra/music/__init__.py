"""Music: reading it from MIDI files and piano rolls, keys, and writing it as MIDI and as sound."""

from recurra.music.grid import USUAL_TEMPO, has_drums_alone, to_drums, to_piece, to_song
from recurra.music.key import KEYS, estimate_key, key_name, key_of_signature, parse_key, transpose_key
from recurra.music.midi import MAX_TEMPO, MIN_TEMPO, Song, is_midi, read_midi, write_midi
from recurra.music.piece import (
    DRUM_PITCHES,
    DRUMS,
    HIGHEST,
    LOWEST,
    PITCHES,
    Kind,
    Piece,
    shift_frames,
)
from recurra.music.rolls import MAX_VOICES, frames_of, read_rolls
from recurra.music.synth import MAX_SECONDS, RATE, render, wav_bytes

__all__ = [
    "DRUMS",
    "DRUM_PITCHES",
    "HIGHEST",
    "KEYS",
    "LOWEST",
    "MAX_SECONDS",
    "MAX_TEMPO",
    "MAX_VOICES",
    "MIN_TEMPO",
    "PITCHES",
    "RATE",
    "USUAL_TEMPO",
    "Kind",
    "Piece",
    "Song",
    "estimate_key",
    "frames_of",
    "has_drums_alone",
    "is_midi",
    "key_name",
    "key_of_signature",
    "parse_key",
    "read_midi",
    "read_rolls",
    "render",
    "shift_frames",
    "to_drums",
    "to_piece",
    "to_song",
    "transpose_key",
    "wav_bytes",
    "write_midi",
]
