"""Metrics: how good a model is, and how each is called and written."""

from recurra.metrics.base import (
    Metric,
    get_metric,
    headline_metric,
    metric_keys,
    register_metric,
    register_metric_family,
    registered_metrics,
    share_metric,
)
from recurra.metrics.bootstrap import intervals, ratio_intervals
from recurra.metrics.calibration import fit_temperature, reliability
from recurra.metrics.captions import CaptionScores, bleu_of, caption_words, join_caption_words
from recurra.metrics.classes import classification, confusion, most_confident_mistakes, multi_label, per_class
from recurra.metrics.clusters import adjusted_rand, mutual_information, neighbour_accuracy
from recurra.metrics.drawings import drawing_scores
from recurra.metrics.events import event_counts, event_scores, step_scores
from recurra.metrics.forecast import (
    coverage,
    crps,
    level_weights,
    mae,
    mase,
    mse,
    naive_scale,
    over_series,
    owa,
    quantile_loss,
    rmse,
    scaled,
    smape,
)
from recurra.metrics.forecast_scores import ForecastScores
from recurra.metrics.grammar import right_up_to
from recurra.metrics.language import LanguageScore
from recurra.metrics.music import music_scores
from recurra.metrics.nab import (
    NAB_PROFILES,
    NabProfile,
    NabScore,
    nab_probation,
    nab_score,
    nab_sweep,
    nab_weights,
    nab_windows,
)
from recurra.metrics.pictures import picture_scores
from recurra.metrics.ranking import average_precision, detection
from recurra.metrics.search import golden_section
from recurra.metrics.spans import marks_spans, span_counts, span_scores, spans, tag_scores
from recurra.metrics.transcription import Edits, character_confusions, count_edits, edit_pairs
from recurra.metrics.translation import (
    bleu_scores,
    edit_distance,
    error_rate,
    nearest_reference,
    resampled,
    text_scores,
)

__all__ = [
    "NAB_PROFILES",
    "CaptionScores",
    "Edits",
    "ForecastScores",
    "LanguageScore",
    "Metric",
    "NabProfile",
    "NabScore",
    "adjusted_rand",
    "average_precision",
    "bleu_of",
    "bleu_scores",
    "caption_words",
    "character_confusions",
    "classification",
    "confusion",
    "count_edits",
    "coverage",
    "crps",
    "detection",
    "drawing_scores",
    "edit_distance",
    "edit_pairs",
    "error_rate",
    "event_counts",
    "event_scores",
    "fit_temperature",
    "get_metric",
    "golden_section",
    "headline_metric",
    "intervals",
    "join_caption_words",
    "level_weights",
    "mae",
    "marks_spans",
    "mase",
    "metric_keys",
    "most_confident_mistakes",
    "mse",
    "multi_label",
    "music_scores",
    "mutual_information",
    "nab_probation",
    "nab_score",
    "nab_sweep",
    "nab_weights",
    "nab_windows",
    "naive_scale",
    "nearest_reference",
    "neighbour_accuracy",
    "over_series",
    "owa",
    "per_class",
    "picture_scores",
    "quantile_loss",
    "ratio_intervals",
    "register_metric",
    "register_metric_family",
    "registered_metrics",
    "reliability",
    "resampled",
    "right_up_to",
    "rmse",
    "scaled",
    "share_metric",
    "smape",
    "span_counts",
    "span_scores",
    "spans",
    "step_scores",
    "tag_scores",
    "text_scores",
]
