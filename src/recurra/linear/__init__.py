"""Linear classifiers on features that are not learnt: n-grams of texts, random convolutions of series."""

from recurra.linear.base import LinearClassifier, linear_classifier
from recurra.linear.coalitions import NgramCoalitions
from recurra.linear.series import ConvolutionRidge
from recurra.linear.texts import NgramClassifier

__all__ = ["ConvolutionRidge", "LinearClassifier", "NgramClassifier", "NgramCoalitions", "linear_classifier"]
