"""Sounds: reading them from files, bringing them to a rate, and their log-mel energies."""

from recurra.audio.augment import SPEEDS, add_noise, change_loudness, change_speed, join_sounds, spec_augment
from recurra.audio.excerpt import EXCERPT_RATE, MAX_EXCERPT_SECONDS, excerpt
from recurra.audio.mel import LogMel, LogMelStream
from recurra.audio.resample import ResampleStream, resample
from recurra.audio.sound import MAX_SAMPLES, Sound, is_sound, read_sound, to_mono
from recurra.audio.stream import SoundStream
from recurra.audio.wav import MAX_RATE, MIN_RATE, decode_samples, encode_mu_law, is_wav, mu_law_wav

__all__ = [
    "EXCERPT_RATE",
    "MAX_EXCERPT_SECONDS",
    "MAX_RATE",
    "MAX_SAMPLES",
    "MIN_RATE",
    "SPEEDS",
    "LogMel",
    "LogMelStream",
    "ResampleStream",
    "Sound",
    "SoundStream",
    "add_noise",
    "change_loudness",
    "change_speed",
    "decode_samples",
    "encode_mu_law",
    "excerpt",
    "is_sound",
    "is_wav",
    "join_sounds",
    "mu_law_wav",
    "read_sound",
    "resample",
    "spec_augment",
    "to_mono",
]
