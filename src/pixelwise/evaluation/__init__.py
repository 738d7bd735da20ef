"""Engine: truth and prediction become scores and summaries."""

from pixelwise.evaluation.region_scores import score_regions
from pixelwise.evaluation.scoring import DEFAULT_METRICS, score_case
from pixelwise.evaluation.summary import summarise

__all__ = ["DEFAULT_METRICS", "score_case", "score_regions", "summarise"]
