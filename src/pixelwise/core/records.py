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
    """How much of the labelled pixels a class takes, and in how many cases it occurs.

    size: area or volume of all of them in the squared or cubed unit of the set, None if
    nothing is known about lengths.
    """

    id: int
    name: str
    n_pixels: int
    share: float
    n_cases: int
    size: float | None = None


class ChannelFacts(Record):
    """Intensities of one channel over the training split, void and non-finite left out.

    foreground: mean, standard deviation, 0.5 and 99.5 percentile over the pixels of all
    classes but the first, () if there are none.
    """

    minimum: float
    maximum: float
    mean: float
    std: float
    percentile_005: float
    percentile_995: float
    foreground: tuple[float, ...] = ()


class ImageLook(Record):
    """How an image looks, from a sample of its stored values: see `data.image_look`.

    steps[channel][axis]: mean absolute differences of pixels some distances apart, 0 where too
    far for the axis. colourfulness: mean distance of three channels from their mean, in deviations.
    """

    quantiles: tuple[tuple[float, ...], ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    steps: tuple[tuple[tuple[float, ...], ...], ...]
    colourfulness: float = 0.0
    invalid_share: float = 0.0


class CaseFacts(Record):
    """One case: spatial shape ([z,] y, x), channels, dtype, pixels of each class.

    means, stds: intensity of each channel over the case's finite pixels. zero_share: of the
    pixels that are 0 in every channel.
    spacing ([z,] y, x) in the unit of the set, empty if the file states none; orientation:
    which way its stored axes run, as "RAS". n_labelled: pixels that count, neither void nor
    outside the field of view; class_pixels add up to more or less where regions overlap.
    look: None in facts stored before it was measured.
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
    spacing: tuple[float, ...] = ()
    orientation: str = ""
    n_labelled: int | None = None
    zero_share: float = 0.0
    look: ImageLook | None = None

    @property
    def quantiles(self) -> tuple[tuple[float, ...], ...]:
        """By channel, () if they were not measured."""
        return () if self.look is None else self.look.quantiles

    @property
    def roughness(self) -> tuple[float, ...]:
        """Mean absolute difference of neighbours along the last axis, by channel."""
        return () if self.look is None else tuple(s[-1][0] for s in self.look.steps)

    @property
    def n_counted(self) -> int:
        """Pixels that count, also of facts stored before this was."""
        return sum(self.class_pixels) if self.n_labelled is None else self.n_labelled


class Facts(Record):
    """What is known about a data set before anything is trained. Counts are of pixels.

    spacing: the median per axis in `unit`; channel_names: empty where nobody names them.
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
    unit: str = "px"
    channel_names: tuple[str, ...] = ()


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
    spacing: one number per axis ([z,] y, x) in the unit of the summary, 1 where that is pixels.
    """

    id: str
    group: str = ""
    n_valid: int
    n_ignored: int
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScores, ...]
    confidence: float | None = None
    spacing: tuple[float, ...] = ()


class MetricSummary(Record):
    """A metric of one class over a set, averaged over cases and pooled over pixels.

    n_undefined counts cases left out of `mean` because the metric has no value there
    (both empty); n_missed and n_false_alarm count cases with only truth, only prediction.
    n_both_empty and n_all_ignored say why cases can have no value: the class is in neither,
    every pixel is void. mean is None if there is no defined case, or if n_infinite cases
    make it infinite;
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
    n_both_empty: int = 0
    n_all_ignored: int = 0


class GroupScores(Record):
    """A metric of one class over the cases of one group: averaged over them, and pooled.

    mean is None if no case of the group has a value; n_undefined counts those without.
    """

    group: str
    class_id: int
    metric: str
    mean: float | None
    pooled: float | None
    n_cases: int
    n_undefined: int


class SizeRecall(Record):
    """True objects of a class by their size, and how many of each size class were found.

    edges: n sizes in pixels between n + 1 size classes, an object on an edge belongs to the
    larger. touched: sharing a pixel with a predicted object; matched: with an IoU above 0.5.
    """

    class_id: int
    edges: tuple[float, ...]
    n_objects: tuple[int, ...]
    n_touched: tuple[int, ...]
    n_matched: tuple[int, ...]


class ProbabilityScores(Record):
    """How good the probabilities of one class are, all scored pixels of the set pooled.

    roc: points (false positive rate, sensitivity); pr: (recall, precision); reliability:
    (mean probability, share found, pixels) of every bin that is not empty.
    best_threshold, best_dice: searched on validation or training cases only, else None.
    """

    class_id: int
    n_pixels: int
    n_positive: int
    roc_auc: float | None
    pr_auc: float | None
    brier: float | None
    ece: float | None
    mce: float | None
    roc: tuple[tuple[float, float], ...]
    pr: tuple[tuple[float, float], ...]
    reliability: tuple[tuple[float, float, int], ...]
    dice_at_half: float | None = None
    best_threshold: float | None = None
    best_dice: float | None = None


class Summary(Record):
    """All cases of a scoring, summarised. The rule for empty cases is part of it.

    confusion is () where the classes are regions that may overlap (`has_regions`).
    groups, size_recall, probabilities are empty where they were not asked for; conditions
    says in sentences how it was scored where that is not the default.
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
    groups: tuple[GroupScores, ...] = ()
    size_recall: tuple[SizeRecall, ...] = ()
    probabilities: tuple[ProbabilityScores, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def has_regions(self) -> bool:
        """Whether the classes are regions that may overlap, so that a pixel can have several."""
        return not self.confusion and bool(self.class_names)
