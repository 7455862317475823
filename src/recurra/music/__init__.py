"""Music: reading it from MIDI files and piano rolls, keys, and writing it as MIDI and as sound."""

from recurra.music.grid import USUAL_TEMPO, has_drums_alone, to_drums, to_piece, to_song
from recurra.music.histograms import histogram_distances, histograms, top_line
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
from recurra.music.text import decode_frame, pitch_name, step_text, to_lines, to_steps

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
    "decode_frame",
    "estimate_key",
    "frames_of",
    "has_drums_alone",
    "histogram_distances",
    "histograms",
    "is_midi",
    "key_name",
    "key_of_signature",
    "parse_key",
    "pitch_name",
    "read_midi",
    "read_rolls",
    "render",
    "shift_frames",
    "step_text",
    "to_drums",
    "to_lines",
    "to_piece",
    "to_song",
    "to_steps",
    "top_line",
    "transpose_key",
    "wav_bytes",
    "write_midi",
]
