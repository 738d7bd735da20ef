"""Image against mask: equal sizes, and one place in space; the likely cause where not."""

from __future__ import annotations

from pixelwise.core.case import Case
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.grids import compare_grids
from pixelwise.core.image import Header, Source
from pixelwise.data.labels import label_shape

_CROPPED_PIXELS = 16
"""Sizes that differ by no more than this look cropped or padded, not resized."""


def compare_sizes(case: Case, header: Header) -> list[Problem]:
    """Masks of a case whose size is not that of its image."""
    problems = []
    is_volume = len(header.shape) == 3
    noun = "voxels" if is_volume else "pixels"
    axes = "x, y, z" if is_volume else "width x height"
    for path, kind in ((case.label, "mask"), (case.fov, "field-of-view mask")):
        if path is None:
            continue
        try:
            shape = label_shape(path)
        except UserError:
            continue  # reported already
        if shape != header.shape:
            problems.append(
                Problem(
                    f"the {kind} is {_size(shape)} {noun}, its image {_size(header.shape)}: "
                    + _likely_cause(shape, header.shape),
                    f"the same size ({axes}) for image and {kind}",
                    "Export the mask again from the original, at full size; it is not resized "
                    "here, for that would hide the fault.",
                    shown(path),
                    code="mask-size",
                )
            )
    return problems


def compare_places(image: Header, *masks: Source | None) -> list[Problem]:
    """Masks of the image's size that lie elsewhere in space, or may do so."""
    problems = []
    for mask in masks:
        if mask is None or mask.header.shape != image.shape:
            continue  # another size is reported already
        difference = compare_grids(image, mask.header)
        if difference is None:
            continue
        is_error = difference.is_certain and len(image.shape) == 3
        problems.append(
            Problem(
                f"image and mask do not lie on one grid: {difference.text}"
                if difference.is_certain
                else f"image and mask: {difference.text}",
                "the same spacing, origin and axes in both headers",
                "Correct the header that is wrong, or draw or resample the mask on the grid of "
                "the image; only axes that are stored in another order or direction are turned "
                "here."
                if is_error
                else "Correct the header that is wrong, if one is.",
                shown(mask.header.path),
                "error" if is_error else "warning",
                "mask-geometry",
            )
        )
    return problems


def _likely_cause(mask: tuple[int, ...], image: tuple[int, ...]) -> str:
    if len(mask) != len(image):
        return "one is a volume, the other is not"
    if len(mask) == 3 and sorted(mask) == sorted(image):
        return "its axes are in another order, and its header does not tell"
    if mask == image[::-1]:
        return "it is turned by 90 degrees (transposed, or EXIF rotation applied to one of the two)"
    if max(abs(a - b) for a, b in zip(mask, image, strict=True)) <= _CROPPED_PIXELS:
        return "a few rows or columns were cropped or added"
    ratios = [a / b for a, b in zip(mask, image, strict=True)]
    if max(ratios) / min(ratios) < 1.03:
        return f"it was resized to {100 * ratios[0]:.0f} %"
    return "it probably belongs to another image"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in reversed(shape))
