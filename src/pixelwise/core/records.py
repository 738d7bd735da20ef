"""What the work yields: facts, choices, progress of a training, scores. Frozen, and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

RECORD_FORMAT = 1


class Record(BaseModel):
    """A frozen value that is stored as JSON; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(Record):
    """One decision of the planner: the field it sets, its value, the fact, the reason."""

    field: str
    value: str
    fact: str
    reason: str


class ClassFacts(Record):
    """How much of the labelled pixels a class takes, and in how many cases it occurs."""

    id: int
    name: str
    n_pixels: int
    share: float
    n_cases: int


class ChannelFacts(Record):
    """Intensities of one channel over the training split, void and non-finite left out."""

    minimum: float
    maximum: float
    mean: float
    std: float
    percentile_005: float
    percentile_995: float


class CaseFacts(Record):
    """One case: spatial shape ([z,] y, x), channels, dtype, pixels of each class.

    means, stds: intensity of each channel over the case's finite pixels.
    """

    id: str
    split: str
    shape: tuple[int, ...]
    n_channels: int
    dtype: str
    class_pixels: tuple[int, ...]
    n_ignored: int
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()


class Facts(Record):
    """What is known about a data set before anything is trained. Counts are of pixels.

    asymmetry: per spatial axis, how far the mean class maps are from their mirror image
    along it: 0 symmetric, 1 the most; empty if not measured.
    """

    format_version: int = RECORD_FORMAT
    n_dims: int
    n_cases: Mapping[str, int]
    cases: tuple[CaseFacts, ...]
    classes: tuple[ClassFacts, ...]
    channels: tuple[ChannelFacts, ...]
    median_shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    is_colour: bool
    has_fov: bool
    asymmetry: tuple[float, ...] = ()


class IntervalRecord(Record):
    """What happened in one stretch of training (at most 30 s)."""

    step: int
    n_steps: int
    seconds: float
    loss: float
    learning_rate: float
    images_per_second: float
    validation_score: float | None = None


CaseStatus = Literal["present", "only-truth", "only-predicted", "both-empty", "all-ignored"]


class ClassScores(Record):
    """One class in one case: pixel counts and every metric.

    A value is None where the metric is undefined, or infinite and then named in `infinite`.
    """

    class_id: int
    status: CaseStatus
    tp: int
    fp: int
    fn: int
    tn: int
    values: Mapping[str, float | None]
    infinite: tuple[str, ...] = ()


class CaseScores(Record):
    """All scores of one case. confusion[truth][predicted] counts valid pixels.

    Where classes are regions that may overlap there is no confusion of one with another: ().
    """

    id: str
    group: str = ""
    n_valid: int
    n_ignored: int
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScores, ...]
    confidence: float | None = None


class MetricSummary(Record):
    """A metric of one class over a set, averaged over cases and pooled over pixels.

    n_undefined counts cases left out of `mean` because the metric has no value there
    (both empty); n_missed and n_false_alarm count cases with only truth, only prediction.
    mean is None if there is no defined case, or if n_infinite cases make it infinite;
    mean_present is over the cases where truth and prediction both have the class.
    pooled is None for metrics that cannot be pooled (distances). low, high: bootstrap
    interval of the mean over cases, or over groups of cases.
    """

    class_id: int
    metric: str
    mean: float | None
    std: float | None
    minimum: float | None
    median: float | None
    maximum: float | None
    pooled: float | None
    n_cases: int
    n_undefined: int
    n_missed: int
    n_false_alarm: int
    n_infinite: int = 0
    mean_present: float | None = None
    low: float | None = None
    high: float | None = None


class Summary(Record):
    """All cases of a scoring, summarised. The rule for empty cases is part of it.

    confusion is () where the classes are regions that may overlap (`has_regions`).
    """

    format_version: int = RECORD_FORMAT
    n_cases: int
    class_names: tuple[str, ...]
    metrics: tuple[MetricSummary, ...]
    overall: Mapping[str, float | None]
    confusion: tuple[tuple[int, ...], ...]
    rule: str
    cases: tuple[CaseScores, ...]
    background: int | None = 0
    interval: str = ""
    unit: str = "px"

    @property
    def has_regions(self) -> bool:
        """Whether the classes are regions that may overlap, so that a pixel can have several."""
        return not self.confusion and bool(self.class_names)
