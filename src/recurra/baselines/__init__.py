"""Plain models that every result stands beside."""

from recurra.baselines.base import Baseline
from recurra.baselines.discounts import Discounts
from recurra.baselines.gaussian import RollingGaussian, log_tail, windowed_gaussian
from recurra.baselines.majority import ClassBaseline, Majority
from recurra.baselines.neighbour import NearestNeighbour
from recurra.baselines.ngram import KneserNey, language_baselines
from recurra.baselines.tags import MostFrequentTag
from recurra.baselines.tfidf import TfidfLogistic
from recurra.baselines.uniform import Uniform

__all__ = [
    "Baseline",
    "ClassBaseline",
    "Discounts",
    "KneserNey",
    "Majority",
    "MostFrequentTag",
    "NearestNeighbour",
    "RollingGaussian",
    "TfidfLogistic",
    "Uniform",
    "language_baselines",
    "log_tail",
    "windowed_gaussian",
]
