"""The settings of a U-Net, and which of them go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelwise.core.errors import BadPlan, Problem, raise_errors
from pixelwise.networks.axis_steps import AxisSteps
from pixelwise.networks.layers import Norm
from pixelwise.networks.resampling import Downsampling, Upsampling

Skip = Literal["concatenate", "add", "none"]


@dataclass(frozen=True, slots=True)
class UNetShape:
    """Every setting of a U-Net; the registered functions fill it.

    widths: channels per level, finest first. last_up_width: maps of the last up-convolution
    (half as many as come in, except in the released network). steps: strides and kernels per
    level and axis where they are not halvings and threes.
    """

    widths: tuple[int, ...]
    convolutions: int = 2
    padding: Literal["same", "valid"] = "same"
    norm: Norm = "batch"
    dropout: float = 0.0
    downsampling: Downsampling = "max"
    upsampling: Upsampling = "transposed"
    skip: Skip = "concatenate"
    deep_supervision: bool = False
    activated_up: bool = False
    last_up_width: int | None = None
    steps: AxisSteps | None = None


def check_shape(shape: UNetShape, width: int, depth: int) -> None:
    """Raise BadPlan with every setting that is out of range or does not go with another."""
    problems = []
    for option, value, low in (
        ("width", width, 1),
        ("depth", depth, 0),
        ("convolutions", shape.convolutions, 1),
        ("max_width", shape.widths[-1] if shape.widths else 1, 1),
    ):
        if value < low:
            problems.append(_problem(f"option {option} is {value}", f"at least {low}"))
    if not 0 <= shape.dropout < 1:
        problems.append(_problem(f"option dropout is {shape.dropout}", "a share from 0 to below 1"))
    if shape.upsampling == "unpooling" and shape.downsampling != "max":
        problems.append(
            _problem(
                f"upsampling is unpooling and downsampling is {shape.downsampling}",
                "downsampling=max: unpooling puts values where max pooling found them",
            )
        )
    flags = {
        "deep_supervision=true": shape.deep_supervision,
        "padding=valid": shape.padding == "valid",
        "downsampling=dilated": shape.downsampling == "dilated",
    }
    special = [text for text, is_set in flags.items() if is_set]
    if len(special) > 1:
        problems.append(_problem(" and ".join(special), "only one of these at a time"))
    raise_errors(problems, BadPlan)


def check_steps(shape: UNetShape) -> None:
    """Raise BadPlan for parts that only know halvings of all axes."""
    parts = (
        ("padding", shape.padding, "same"),
        ("downsampling", shape.downsampling, "max, average or strided"),
        ("upsampling", shape.upsampling, "transposed, nearest or bilinear"),
    )
    raise_errors(
        [
            _problem(f"strides or kernels are given and {name} is {value}", allowed)
            for name, value, allowed in parts
            if value not in allowed
        ],
        BadPlan,
    )


def _problem(what: str, expected: str) -> Problem:
    return Problem(f"network unet: {what}", expected, "Change that option.", code="bad-option")
