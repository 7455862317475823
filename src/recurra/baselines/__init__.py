"""Plain models that every result is compared with."""

from recurra.baselines.arpa import BackoffModel, read_arpa
from recurra.baselines.base import ClassBaseline, LanguageBaseline
from recurra.baselines.captions import CaptionBaseline, ConstantCaption, NearestPicture
from recurra.baselines.classes import known_targets
from recurra.baselines.discounts import Discounts
from recurra.baselines.ets import ETS
from recurra.baselines.forecasts import ForecastBaseline
from recurra.baselines.gaussian import RollingGaussian, log_tail, windowed_gaussian
from recurra.baselines.linear import Linear
from recurra.baselines.majority import Majority
from recurra.baselines.naive2 import Naive2
from recurra.baselines.neighbour import NearestNeighbour
from recurra.baselines.ngram import KneserNey, language_baselines, last_units
from recurra.baselines.ngram_table import NgramTable
from recurra.baselines.seasonal import SeasonalNaive
from recurra.baselines.tags import MostFrequentTag
from recurra.baselines.tfidf import TfidfLogistic, folds, unit_of
from recurra.baselines.titles import baseline_title, ignores_input, register_baseline, register_title
from recurra.baselines.transcripts import MostFrequentText, NearestSignal, TranscriptBaseline
from recurra.baselines.translation import NearestSource, TranslationBaseline, WordByWord
from recurra.baselines.uniform import Uniform

__all__ = [
    "ETS",
    "BackoffModel",
    "CaptionBaseline",
    "ClassBaseline",
    "ConstantCaption",
    "Discounts",
    "ForecastBaseline",
    "KneserNey",
    "LanguageBaseline",
    "Linear",
    "Majority",
    "MostFrequentTag",
    "MostFrequentText",
    "Naive2",
    "NearestNeighbour",
    "NearestPicture",
    "NearestSignal",
    "NearestSource",
    "NgramTable",
    "RollingGaussian",
    "SeasonalNaive",
    "TfidfLogistic",
    "TranscriptBaseline",
    "TranslationBaseline",
    "Uniform",
    "WordByWord",
    "baseline_title",
    "folds",
    "ignores_input",
    "known_targets",
    "language_baselines",
    "last_units",
    "log_tail",
    "read_arpa",
    "register_baseline",
    "register_title",
    "unit_of",
    "windowed_gaussian",
]
