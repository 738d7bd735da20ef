"""load: a run or a bundle as a function from arrays to labels: warm, for any number of threads."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.commands.load_predictor import make_predictor
from pixelwise.commands.open_engine import TRAINED
from pixelwise.commands.open_model import open_model
from pixelwise.commands.settled_tiling import check_tiling, settle_tiling
from pixelwise.commands.tiling import PLANNED, Tiling
from pixelwise.core.errors import BadData, InputWarning, Problem, raise_errors
from pixelwise.core.image import Array, Source
from pixelwise.core.plan import InferenceSection, Plan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.array_images import (
    ArraySource,
    Layout,
    accepted_channels,
    checked_array,
    checked_spacing,
    layout_of,
)
from pixelwise.data.channels import match_channels, mismatch_sentence
from pixelwise.data.image_look import look_at
from pixelwise.data.input_contract import ContractCheck
from pixelwise.data.intensity import IntensityScale, scale_for
from pixelwise.data.shading import evened
from pixelwise.inference.labeller import Answers, ending_answers
from pixelwise.inference.predictor import TileAnswer
from pixelwise.networks import Field

Spacing = float | Sequence[float]


def load(
    model: str | Path,
    *,
    engine: str = TRAINED,
    tiling: Tiling = PLANNED,
    ignore_contract: bool = False,
    use: str | Path | None = None,
    listener: Listener = SILENT,
) -> Model:
    """Open a run folder or a bundle once, to label arrays in memory as often as wanted.

    engine: what runs the network, see `open_engine`. tiling: how arrays are cut, blended and
    averaged. ignore_contract: do not compare arrays with the training images.
    Raises BadRun, BadBundle, BadPlan, MissingExtra.
    """
    if use is not None:
        load_user_parts(Path(use))
    opened = open_model(Path(model), engine=engine, listener=listener)
    check_tiling(opened, tiling)
    section = settle_tiling(opened, tiling, listener=listener)
    found = opened.opened
    predictor = make_predictor(found.engine, found.field, opened.plan, section)
    contract = None
    if opened.contract is not None and not ignore_contract:
        contract = ContractCheck(opened.contract)
    return Model(opened.plan, section, found.field, predictor, contract)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network that labels arrays. Several threads may use one at the same time.

    Arrays have the axes ([z,] y, x), with channels as a further axis at the end; `axes` names
    them where they are otherwise ("cyx", "xyz"). Labels come back on the same axes without
    channels. `model(block)` is `predict` without a look at the contract: a block of an image
    is no image (see `for_blocks_of`).
    """

    plan: Plan = field(repr=False)
    section: InferenceSection = field(repr=False)
    field_of_network: Field = field(repr=False)
    predictor: Answers = field(repr=False)
    contract: ContractCheck | None = field(repr=False)
    scale: IntensityScale | None = field(repr=False, default=None)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their ids."""
        return tuple(entry.name for entry in self.plan.data.classes)

    def predict(
        self, image: Any, *, axes: str | None = None, spacing: Spacing | None = None
    ) -> npt.NDArray[Any]:
        """The class id of every pixel, uint8; of overlapping regions masks (k, …), bool.

        spacing: of the array's spatial axes in their order, in the unit of the training data;
        that of the training images if it is not given.
        What the contract has to say comes as InputWarning; BadData is raised where labels would
        mean nothing, and for arrays that fit the run in no way.
        """
        work = self._open(image, axes, spacing)
        self._warn(work)
        return self._label(work)

    def predict_probabilities(
        self, image: Any, *, axes: str | None = None, spacing: Spacing | None = None
    ) -> npt.NDArray[np.float32]:
        """Probabilities (k, …), float32, one for each class; they add up to 1 unless classes
        are regions that overlap. Arguments and errors as of `predict`."""
        work = self._open(image, axes, spacing)
        self._warn(work)
        return self._estimate(work)

    def check(
        self, image: Any, *, axes: str | None = None, spacing: Spacing | None = None
    ) -> tuple[Problem, ...]:
        """What the contract has to say about an array, nothing raised and nothing labelled."""
        return tuple(self._compare(self._open(image, axes, spacing)))

    def for_blocks_of(self, image: Any, *, axes: str | None = None) -> Model:
        """The model for blocks of one large image: with the intensity scale of all of it.

        image: the image or every n-th pixel of it. Where the run normalises each image by
        itself, blocks would otherwise be normalised by themselves.
        """
        work = self._open(image, axes, None)
        return replace(self, scale=self._scale(work))

    @property
    def depth(self) -> tuple[int, ...]:
        """Context that a block needs on each side, per spatial axis ([z,] y, x), in pixels.

        For `map_overlap` of Dask; chunks whose edges are multiples of `grid` then meet the
        same pooling grid as the whole image.
        """
        geometry, data = self.plan.geometry, self.plan.data
        halos = [
            -(-max(halo, self.field_of_network.margin) // self.grid) * self.grid
            for halo in self.section.halo
        ]
        if geometry.slice_axis is not None:
            halos[geometry.slice_axis] = geometry.neighbours
        if geometry.spacing and data.spacing is not None:
            pairs = zip(geometry.spacing, data.spacing, strict=True)
            ratios = [1.0 if to is None else to / own for to, own in pairs]
            halos = [math.ceil(halo * ratio) for halo, ratio in zip(halos, ratios, strict=True)]
        return tuple(halos)

    @property
    def grid(self) -> int:
        """Edge of the network's coarsest pixel, in pixels of its input."""
        return math.lcm(self.field_of_network.alignment, self.field_of_network.multiple)

    def __call__(self, block: Any) -> npt.NDArray[Any]:
        """Labels of a block of an image (numpy array in, numpy array out), as of `predict`."""
        return self._label(self._open(block, None, None))

    def _open(self, image: Any, axes: str | None, spacing: Spacing | None) -> _Work:
        """The array as an image with the axes of a file, or BadData."""
        data, names = self.plan.data, self.plan.intensity.channels
        values = checked_array(image)
        accepted = accepted_channels(data.n_channels, names, data.n_dims)
        layout = layout_of(values.shape, n_dims=data.n_dims, accepted=accepted, axes=axes)
        steps = checked_spacing(spacing, data.n_dims)
        source = ArraySource(
            layout.turn(values),
            spacing=None if steps is None else layout.turn_numbers(steps),
            unit=data.unit,
        )
        mismatch_sentence(source.header, data.n_channels, names)
        return _Work(source, layout, partial(match_channels, n_channels=data.n_channels))

    def _warn(self, work: _Work) -> None:
        found = self._compare(work)
        raise_errors(found, BadData)
        for problem in found:
            warnings.warn(problem.text(), InputWarning, stacklevel=3)

    def _compare(self, work: _Work) -> list[Problem]:
        if self.contract is None:
            return []
        return self.contract.problems(work.source.header, look_at(work.source, work.convert))

    def _scale(self, work: _Work) -> IntensityScale:
        return self.scale or scale_for(self.plan.intensity, self._even(work), work.convert)

    def _even(self, work: _Work) -> Source:
        return evened(work.source, self.plan.intensity.shading)

    def _answers(self, work: _Work) -> Iterator[TileAnswer]:
        scale = self._scale(work)
        answers = self.predictor.predict(
            self._even(work), lambda image: scale.apply(work.convert(image))
        )
        with ending_answers(answers):
            yield from answers

    def _label(self, work: _Work) -> npt.NDArray[Any]:
        labels = np.empty(work.source.header.shape, np.uint8)
        for answer in self._answers(work):
            labels[answer.region] = answer.labels
        if self.plan.data.labels.holds_regions:
            n_regions = len(self.plan.data.classes)
            masks = np.stack([mask_of_region(labels, index) for index in range(n_regions)])
            return work.layout.turn_back(masks)
        return work.layout.turn_back(labels)

    def _estimate(self, work: _Work) -> npt.NDArray[np.float32]:
        n_classes = len(self.plan.data.classes)
        found = np.empty((n_classes, *work.source.header.shape), np.float32)
        for answer in self._answers(work):
            found[(slice(None), *answer.region)] = answer.probabilities
        return work.layout.turn_back(found)


@dataclass(frozen=True, slots=True)
class _Work:
    """An array that was understood: as an image, its axes, and how it gets the run's channels."""

    source: Source
    layout: Layout
    convert: Callable[[Array], Array]
