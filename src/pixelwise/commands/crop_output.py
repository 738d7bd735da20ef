"""Images cut to a predicted class or region: crop, mask, and where the box lay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pixelwise.commands.measure_output import class_masks
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadPlan, Problem
from pixelwise.core.files import write_json
from pixelwise.core.image import Array, Header, Region
from pixelwise.core.plan import Plan
from pixelwise.core.registry import suggest
from pixelwise.data.region_table import Scale, scale_of
from pixelwise.readers.image_parts import part_affine, write_part

CROPPED = "cropped"
"""The folder below the output that cropped images lie in."""

SPECK = 0.05
"""Pieces smaller than this share of the largest one do not stretch the box: they are specks."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Crop:
    """What images are cut to: a class, a margin around it, and a class to keep only.

    to: the class whose box is cut out, None for the whole image. margin: "10" pixels or "5mm"
    on every side. mask: the class outside of which nothing is left, None to leave all.
    """

    to: str | None = None
    margin: str = "0"
    mask: str | None = None


def check_crop(plan: Plan, crop: Crop) -> None:
    """Raise BadPlan with everything that is wrong: classes that the run lacks, the margin."""
    names = [c.name for c in plan.data.classes]
    problems = [
        Problem(
            f"--{option} names the class {name!r}, which the run does not know",
            f"one of {', '.join(names)}",
            suggest(name, names),
            code="unknown-class",
        )
        for option, name in (("crop-to", crop.to), ("mask-to", crop.mask))
        if name is not None and name not in names
    ]
    if crop.to is None and crop.margin != "0":
        problems.append(
            Problem(
                f"--margin {crop.margin} was given without --crop-to",
                "a class to crop to",
                "Name it with --crop-to.",
                code="bad-margin",
            )
        )
    try:
        unit = plan.data.unit if plan.data.unit != "px" else "mm"
        margin_pixels(crop.margin, Scale((1.0,) * plan.data.n_dims, unit))
    except BadPlan as error:
        problems += error.problems
    if problems:
        raise BadPlan(problems)


def margin_pixels(text: str, scale: Scale) -> tuple[int, ...]:
    """Pixels per axis of a margin such as "10" or "5mm", rounded up.

    Raises BadPlan if it cannot be read, or is a length where the size of pixels is unknown.
    """
    number, unit = text.strip(), ""
    while number and not number[-1].isdigit() and number[-1] != ".":
        number, unit = number[:-1], number[-1] + unit
    unit = unit.strip()
    try:
        length = float(number)
    except ValueError:
        length = -1.0
    if length < 0 or unit not in ("", "px", scale.unit):
        raise BadPlan(
            f"the margin is {text!r}",
            f"a number of pixels, as 10, or a length in {scale.unit}, as 5{scale.unit}"
            if scale.unit != "px"
            else "a number of pixels, as 10: these images do not say how large a pixel is",
            "Correct --margin.",
            code="bad-margin",
        )
    if unit in ("", "px"):
        return (int(np.ceil(length)),) * len(scale.spacing)
    return tuple(int(np.ceil(length / step - 1e-9)) for step in scale.spacing)


def find_box(mask: Mask, margin: Sequence[int]) -> Region | None:
    """The box around a mask with a margin, cut at the rim of the array; None for an empty mask.

    Pieces below SPECK of the largest one (connected also diagonally) are passed over.
    """
    pieces, n = ndimage.label(mask, np.ones((3,) * mask.ndim))
    if n == 0:
        return None
    sizes = np.bincount(pieces.ravel())[1:]
    kept = [i for i, size in enumerate(sizes) if size >= SPECK * sizes.max()]
    boxes = ndimage.find_objects(pieces)
    return tuple(
        slice(
            max(0, min(boxes[i][axis].start for i in kept) - margin[axis]),
            min(mask.shape[axis], max(boxes[i][axis].stop for i in kept) + margin[axis]),
        )
        for axis in range(mask.ndim)
    )


def write_crop(
    plan: Plan,
    crop: Crop,
    header: Header,
    image: Array,
    labels: npt.NDArray[np.uint8],
    place: tuple[Path, str],
) -> list[Problem]:
    """Write the cropped or masked image and STEM.json with its box into out/cropped.

    image (c, [z,] y, x), labels ([z,] y, x) class ids or sets of regions on its grid; place:
    the output folder and the stem. Outside of the class to mask, pixels take the smallest
    value of their channel. Returns a warning if the class is nowhere in the image: then
    nothing but the record is written. Raises BadPlan for a margin that does not fit, BadOutput.
    """
    out, stem = place
    masks = class_masks(plan, labels)
    wanted = [name for name in (crop.to, crop.mask) if name is not None]
    empty = [name for name in dict.fromkeys(wanted) if not masks[name].any()]
    record: dict[str, Any] = {
        "image": str(header.path),
        "crop_to": crop.to,
        "mask_to": crop.mask,
        "margin": crop.margin,
        "axes": "zyx"[-labels.ndim :],
        "shape": list(labels.shape),
    }
    if empty:
        write_json(out / CROPPED / f"{stem}.json", record | {"found": False, "files": []})
        return [_absent(header, empty)]
    region: Region = tuple(slice(0, length) for length in labels.shape)
    scale = scale_of(header, plan.data.spacing, plan.data.unit)
    if crop.to is not None:
        region = find_box(masks[crop.to], margin_pixels(crop.margin, scale)) or region
    part = image[(slice(None), *region)].copy()
    if crop.mask is not None:
        outside = ~masks[crop.mask][region]
        for channel, whole in zip(part, image, strict=True):
            channel[outside] = np.nanmin(whole)
    files = write_part(out / CROPPED, stem, header, part, region)
    record |= {
        "found": True,
        "start": [s.start for s in region],
        "stop": [s.stop for s in region],
        "files": [path.name for path in files],
    }
    affine = part_affine(header, region)
    if affine is not None:
        record |= {f"origin_xyz_{header.unit}": affine[:3, 3].tolist()}
    write_json(out / CROPPED / f"{stem}.json", record)
    return []


def _absent(header: Header, names: Sequence[str]) -> Problem:
    return Problem(
        f"no pixel was labelled {' or '.join(names)}, so nothing was cut out of it",
        "an image that shows it",
        "Its labels are written. Look at them, or leave the image out.",
        shown(header.path),
        "warning",
        "class-absent",
    )
