"""What a run may count on in its images, and what speaks against a new one, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem
from pixelwise.core.image import Header
from pixelwise.core.plan import DataSection, IntensitySection
from pixelwise.core.records import Facts, ImageLook, Record
from pixelwise.data.drift import Drift, Reference, measure_drift, reference_of
from pixelwise.data.set_geometry import spacing_in_unit

WARN_FROM, REFUSE_FROM = 3.0, 6.0
"""Drift scores from which an image is warned of, and refused: above all 174 validation images of
eight public sets, the farthest of which reached 2.7 against its own training images; and twice
that. LOG.md has the distances."""

MOST_CASES = 64
"""Training images that new ones are compared with, spread over the set."""

_SPACING_WARN, _SPACING_REFUSE = 1.25, 4.0
"""Factors beyond the spacings of the training. Patches are drawn at 0.7 to 1.4 times the size of
what they show: a network knows objects a little larger or smaller, not several times."""

_RESAMPLED_WARN, _RESAMPLED_REFUSE = 2.0, 8.0
"""Where the plan brings all images to one grid: what was never measured cannot be resampled."""

_SMALL = 4
_MOST_INVALID = 0.5
_TINTED, _COLOURED = 0.02, 0.1
"""Colourfulness from which a picture for a grey run is warned of, and refused: grey stored as RGB
has 0, street scenes on dull days from 0.03 on, skin and retinas above 0.2."""


class InputContract(Record):
    """What the images of a training were like; stored in the facts of a run, and in bundles.

    spacing_range: lowest and highest per axis in `unit`, () if none is known. resamples:
    whether images are brought to one grid. value_range: lowest and highest stored value by
    channel; size_range: shortest and longest edge per axis. looks: of training images, without
    names, () if the run did not keep them.
    """

    format_version: int = 1
    n_dims: int
    n_channels: int
    intensity: IntensitySection
    spacing_range: tuple[tuple[float, float], ...] = ()
    unit: str = "px"
    resamples: bool = False
    is_oriented: bool = False
    dtypes: tuple[str, ...]
    size_range: tuple[tuple[int, int], ...]
    value_range: tuple[tuple[float, float], ...]
    looks: tuple[ImageLook, ...] = ()


def contract_of(
    data: DataSection, intensity: IntensitySection, facts: Facts, *, resamples: bool = False
) -> InputContract:
    """The contract of a run, from what is stored about its training images."""
    training = [case for case in facts.cases if case.split == "train"] or list(facts.cases)
    known = [case for case in training if case.look is not None]
    looks = [fitted for case in known if (fitted := _fit(case.look, data.n_channels)) is not None]
    n = min(len(looks), MOST_CASES)
    return InputContract(
        n_dims=data.n_dims,
        n_channels=data.n_channels,
        intensity=intensity,
        spacing_range=_ranges([case.spacing for case in training if case.spacing]),
        unit=data.unit,
        resamples=resamples,
        is_oriented=all(case.orientation for case in training),
        dtypes=tuple(sorted({case.dtype for case in training})),
        size_range=_ranges([case.shape for case in training]),
        value_range=tuple((channel.minimum, channel.maximum) for channel in facts.channels),
        looks=tuple(looks[i * len(looks) // n] for i in range(n)),
    )


class ContractCheck:
    """Judges images by a contract. Several threads may call at once."""

    def __init__(self, contract: InputContract) -> None:
        self.contract = contract

    @cached_property
    def _reference(self) -> Reference | None:
        looks = self.contract.looks
        return reference_of(looks, self.contract.intensity) if looks else None

    def drift(self, look: ImageLook) -> Drift | None:
        """How far an image is from those of the training; None if these are not known."""
        if self._reference is None:
            return None
        return measure_drift(self._reference, look, self.contract.intensity)

    def problems(self, header: Header, look: ImageLook) -> list[Problem]:
        """What is against an image: errors where labels would mean nothing, else warnings."""
        found = [
            *self._content(look),
            *self._drift(header, look),
            *self._spacing(header),
            *self._orientation(header),
            *self._colour(header, look),
            *self._size(header),
        ]
        return [
            Problem(
                what,
                expected,
                "Give images like those of the training, or label it all the same with "
                "--ignore-contract (ignore_contract=True)."
                if severity == "error"
                else "Look at the labels before you use them.",
                shown(header.path),
                severity="error" if severity == "error" else "warning",
                code=code,
            )
            for severity, code, what, expected in found
        ]

    def _content(self, look: ImageLook) -> list[_Finding]:
        if look.invalid_share > _MOST_INVALID:
            what = f"{look.invalid_share:.0%} of its values are NaN or infinite"
            return [("error", "not-finite", what, "finite values")]
        if look.invalid_share > 0:
            what = f"{look.invalid_share:.2%} of its values are NaN or infinite, taken for the mean"
            return [("warning", "not-finite", what, "finite values")]
        if _is_constant(look):
            return [("warning", "constant", "all of its pixels are equal", "an image of something")]
        return []

    def _drift(self, header: Header, look: ImageLook) -> list[_Finding]:
        drift = self.drift(look)
        if drift is None or _is_constant(look) or drift.score < WARN_FROM:
            return []
        what = (
            f"it looks unlike every training image: drift score {drift.score:.1f} (intensities "
            f"{drift.intensities:.1f}, texture {drift.texture:.1f}, colour {drift.colour:.1f}); "
            f"it is {header.dtype} with values {_ends(look)}"
        )
        ranges = ", ".join(f"{low:g} to {high:g}" for low, high in self.contract.value_range)
        expected = (
            f"a score below {WARN_FROM:g} (training images keep below 1 among themselves; from "
            f"{REFUSE_FROM:g} on labels mean nothing); training images are "
            f"{'/'.join(self.contract.dtypes)} with values {ranges}"
        )
        severity = "error" if drift.score >= REFUSE_FROM else "warning"
        return [(severity, "drift", what, expected)]

    def _spacing(self, header: Header) -> list[_Finding]:
        contract = self.contract
        own = spacing_in_unit(header, contract.unit)
        if own is None or not contract.spacing_range or contract.unit == "px":
            return []
        ratios = [
            max(step / high, low / step)
            for step, (low, high) in zip(own, contract.spacing_range, strict=True)
        ]
        warn = _RESAMPLED_WARN if contract.resamples else _SPACING_WARN
        refuse = _RESAMPLED_REFUSE if contract.resamples else _SPACING_REFUSE
        if max(ratios) < warn:
            return []
        text = " x ".join(f"{value:.4g}" for value in own)
        wanted = " x ".join(_range(low, high) for low, high in contract.spacing_range)
        what = (
            f"its spacing is {text} {contract.unit}, {max(ratios):.1f} times beyond that of the "
            "training images"
        )
        severity = "error" if max(ratios) >= refuse else "warning"
        return [(severity, "spacing", what, f"about {wanted} {contract.unit}")]

    def _orientation(self, header: Header) -> list[_Finding]:
        is_file = header.format_name != "array"
        if not self.contract.is_oriented or header.placement is not None or not is_file:
            return []
        what = "it does not say how it lies in space; its axes are taken as they are stored"
        return [("warning", "orientation", what, "an orientation, as all training images have")]

    def _colour(self, header: Header, look: ImageLook) -> list[_Finding]:
        is_lost = header.n_channels == 3 and self.contract.n_channels == 1
        if not is_lost or look.colourfulness < _TINTED:
            return []
        what = (
            f"it is a colour picture (its channels differ by {look.colourfulness:.2f} deviations) "
            "and the run was trained on one channel"
        )
        severity = "error" if look.colourfulness >= _COLOURED else "warning"
        return [(severity, "colour", what, "an image of one channel, or grey stored as colour")]

    def _size(self, header: Header) -> list[_Finding]:
        pairs = zip(header.shape, self.contract.size_range, strict=True)
        if all(_SMALL * length >= low for length, (low, _) in pairs):
            return []
        text = " x ".join(map(str, header.shape))
        wanted = " x ".join(_range(low, high) for low, high in self.contract.size_range)
        what = f"it has only {text} pixels"
        return [("warning", "small", what, f"about {wanted} pixels, as training images have")]


_Number = TypeVar("_Number", int, float)

_Finding = tuple[str, str, str, str]
"""Severity, code, what is wrong, what was expected."""


def _fit(look: ImageLook | None, n_channels: int) -> ImageLook | None:
    """A training image's look in the channels of the run: grey is repeated, colour left out."""
    if look is None or len(look.means) == n_channels:
        return look
    if len(look.means) != 1 or n_channels != 3:
        return None
    return ImageLook(
        quantiles=look.quantiles * 3,
        means=look.means * 3,
        stds=look.stds * 3,
        steps=look.steps * 3,
        invalid_share=look.invalid_share,
    )


def _is_constant(look: ImageLook) -> bool:
    return all(row[0] == row[-1] for row in look.quantiles) and not any(look.stds)


def _ranges(rows: Sequence[Sequence[_Number]]) -> tuple[tuple[_Number, _Number], ...]:
    return tuple((min(column), max(column)) for column in zip(*rows))


def _range(low: float, high: float) -> str:
    return f"{low:.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:.4g} to {high:.4g}"


def _ends(look: ImageLook) -> str:
    return ", ".join(f"{row[0]:g} to {row[-1]:g}" for row in look.quantiles)
