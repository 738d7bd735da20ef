"""The plan: every setting of a run in one frozen file, a reason for every choice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from pixelwise.core.case import LabelMeaning
from pixelwise.core.records import Choice

PLAN_FORMAT: Literal[1] = 1

Options = Annotated[
    Mapping[str, Any],
    AfterValidator(lambda options: MappingProxyType(dict(options))),
    PlainSerializer(dict),
]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """A part of the plan; frozen, unknown fields and what is not finite are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ClassEntry(Section):
    """A class as the plan stores it."""

    id: Annotated[int, Field(ge=0, le=254)]
    name: str
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class LabelSection(Section):
    """How stored mask values become class ids or sets of regions: see `LabelMeaning`."""

    kind: Literal["values", "colours", "polygons"]
    to_class: Options
    threshold: float | None = None
    palette: tuple[tuple[int, int, int], ...] | None = None
    holds_regions: bool = False
    folders: tuple[str, ...] = ()


class DataSection(Section):
    """What the network is fed with and what its answers mean.

    hold_out is above 0 only where a single case serves for training and validation:
    that share of its longest axis, at the end, is kept from training.
    """

    n_dims: Literal[2, 3]
    n_channels: Positive
    classes: Annotated[tuple[ClassEntry, ...], Field(min_length=2)]
    labels: LabelSection
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    splits: Mapping[str, tuple[str, ...]]
    hold_out: Share = 0.0


class GeometrySection(Section):
    """The grid that the network works on; labels always come back on the image's own grid.

    spacing: distance of its voxels in the data's unit, None for an axis that keeps each
    image's own; () keeps all. nearest_axes: axes whose values are taken from the nearest
    stored one, because slices are too far apart to interpolate between.
    slice_axis: if set, the network is two-dimensional and sees slices across this axis,
    each with `neighbours` slices on either side as further channels.
    """

    spacing: tuple[Annotated[float, Field(gt=0)] | None, ...] = ()
    nearest_axes: tuple[int, ...] = ()
    interpolation: Literal["linear", "cubic"] = "linear"
    slice_axis: int | None = None
    neighbours: Annotated[int, Field(ge=0)] = 0


class IntensitySection(Section):
    """How stored intensities become network input: (x - centre) / scale, per channel.

    scheme "data set" uses the stored numbers for every image and clips to [low, high]
    first; "image" takes mean and standard deviation of each image and clips nothing.
    without_zeros: these are taken over the pixels that are not 0 in every channel, where 0
    stands for what was cut away around the object.
    channels: names of the channels in the order of these numbers, () if they have none; by
    them channel files are found and put in order.
    shading: a smooth surface is fitted to each image and taken out before all of this.
    """

    scheme: Literal["data set", "image"]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    without_zeros: bool = False
    channels: tuple[str, ...] = ()
    shading: Literal["none", "divide", "subtract"] = "none"


class PartSection(Section):
    """A registered part by name, with its options."""

    name: str
    options: Options = Field(default_factory=dict, validate_default=True)


class NetworkSection(PartSection):
    """The network, and a local file of published weights to start from (None: a random start).

    weights_sha256 is of that file, so that a repetition starts from the same numbers.
    """

    weights: str | None = None
    weights_sha256: str | None = None


class LossSection(PartSection):
    """The loss, and how much single pixels count in it.

    class_weights: from the training pixels of each class; "inverse" makes all classes count
    alike, "median-frequency" divides the median share by each class's own; with "none",
    options.class_weights of the loss may give them. border_peak: surplus of background
    pixels between two objects (the U-Net paper takes 10; 0: none), border_sigma its reach in
    pixels (5). Objects that touch are then parted by background.
    """

    class_weights: Literal["none", "inverse", "median-frequency"] = "none"
    border_peak: Annotated[float, Field(ge=0)] = 0.0
    border_sigma: Annotated[float, Field(gt=0)] = 5.0


class SamplingSection(Section):
    """Which patches are drawn. foreground_share of them is centred on a labelled object,
    drawn over the whole data set and class by class."""

    patch: tuple[Positive, ...]
    batch: Positive
    foreground_share: Share


class AugmentationSection(Section):
    """One fused spatial transform and intensity changes; 0 or an empty tuple turns one off.

    rotation in degrees, scaling and shear as factors around 1 and 0, elastic as the
    standard deviation of the displacement in pixels on a coarse grid, mirror_axes as
    indices of spatial axes, intensity as a factor on the strength of all grey changes.
    still_axis: an axis that turns, shear and deformation leave alone (thick slices).
    Angles and distances are physical where the spacing is known; pixels are the finest axis'.
    """

    rotation: Annotated[float, Field(ge=0, le=180)]
    scaling: Annotated[float, Field(ge=0, lt=1)]
    shear: Annotated[float, Field(ge=0, lt=1)]
    elastic: Annotated[float, Field(ge=0)]
    mirror_axes: tuple[int, ...]
    intensity: Annotated[float, Field(ge=0)]
    colour: Annotated[float, Field(ge=0)]
    still_axis: int | None = None


class OptimizerSection(Section):
    """AdamW with warm-up and cosine decay; weights are averaged exponentially."""

    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    warmup_share: Share
    final_share: Share
    averaging: Annotated[float, Field(ge=0, lt=1)]
    gradient_clip: Annotated[float, Field(gt=0)]


class TrainingSection(Section):
    """How long and in which arithmetic.

    steps is None while a time budget rules; a finished run holds the steps really taken.
    pace lists (step, last step): from there on the rest of the schedule was spread over the
    steps up to that last one, to stay with the clock; a plan that holds it repeats the run.
    """

    steps: Positive | None
    budget_seconds: Annotated[float, Field(gt=0)] | None
    seed: int
    precision: Literal["float32", "bfloat16"]
    memory_format: Literal["contiguous", "channels_last"]
    threads: Positive
    pace: tuple[tuple[int, int], ...] = ()
    validation_cases: Annotated[int, Field(ge=0)] = 4


class InferenceSection(Section):
    """How whole images are labelled: tile edge without halo, halo on each side, tiles a batch.

    mirror_axes: answers are averaged over all combinations of mirrored axes; rotations adds
    quarter turns of the last two. overlap: above 0, windows of `tile` pixels share this part
    with the next one and are blended with Gaussian weights, and there is no halo.
    skip_below: tiles whose normalised intensities differ by less are taken for background.
    """

    tile: tuple[Positive, ...]
    halo: tuple[Annotated[int, Field(ge=0)], ...]
    batch: Positive
    mirror_axes: tuple[int, ...] = ()
    rotations: bool = False
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    skip_below: Annotated[float, Field(ge=0)] = 0.0


class OriginSection(Section):
    """Where a plan was made and for which data: what must be the same for the same weights.

    machine: processor, instructions and versions. data_digest: of sizes, masks and intensities
    of the cases, "" if unknown (plans from before this was stored).
    """

    machine: Mapping[str, str] = Field(default_factory=dict)
    data_digest: str = ""


class Plan(Section):
    """Every setting of a run. Never edited, only replaced."""

    format_version: Literal[1] = PLAN_FORMAT
    package_version: str
    task: PartSection
    data: DataSection
    geometry: GeometrySection = Field(default_factory=GeometrySection)
    intensity: IntensitySection
    network: NetworkSection
    loss: LossSection
    sampling: SamplingSection
    augmentation: AugmentationSection
    optimizer: OptimizerSection
    training: TrainingSection
    inference: InferenceSection
    origin: OriginSection = Field(default_factory=OriginSection)
    reasons: tuple[Choice, ...] = ()


def network_input(plan: Plan) -> tuple[int, int]:
    """Spatial dimensions and channels of what the network is fed with.

    They are those of the data unless volumes are seen slice by slice.
    """
    geometry = plan.geometry
    if geometry.slice_axis is None:
        return plan.data.n_dims, plan.data.n_channels
    return plan.data.n_dims - 1, plan.data.n_channels * (1 + 2 * geometry.neighbours)


def label_meaning(section: LabelSection) -> LabelMeaning:
    """The stored meaning of mask values as the value that readers of masks take."""
    return LabelMeaning(
        kind=section.kind,
        to_class=section.to_class,
        sentence="as stored in the plan",
        threshold=section.threshold,
        palette=section.palette,
        holds_regions=section.holds_regions,
        folders=section.folders,
    )
