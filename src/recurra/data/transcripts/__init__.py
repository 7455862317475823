"""Signals with what was said or written in them: sounds, pictures of lines and the strokes of a pen, in every layout they come in."""

from recurra.data.transcripts.options import Kind, Signal, Transcript, TranscriptOptions
from recurra.data.transcripts.pattern import NamePattern
from recurra.data.transcripts.reader import iter_transcripts, read_transcripts

__all__ = ["Kind", "NamePattern", "Signal", "Transcript", "TranscriptOptions", "iter_transcripts", "read_transcripts"]
