"""Layers by number of dimensions: convolution, norm, activation, dropout, He initialisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NetworkIO

Norm = Literal["batch", "instance", "none"]
Activation = Literal["relu", "leaky-relu"]

Size = int | tuple[int, ...]
"""A kernel, stride or dilation: one number for all axes, or one for each."""


class MaxPool3d(nn.MaxPool3d):
    """Maxima in the arithmetic that the values come in: on processors autocast would take float32.

    A maximum is one of the values, so nothing is lost, and nothing is converted there and back.
    """

    def forward(self, values: Tensor) -> Tensor:
        """The largest value of each window."""
        with torch.autocast(values.device.type, enabled=False):
            found: Tensor = super().forward(values)
            return found


CONVOLUTION: dict[int, Callable[..., nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Callable[..., nn.ConvTranspose2d | nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
MAX_POOL: dict[int, Callable[..., nn.Module]] = {2: nn.MaxPool2d, 3: MaxPool3d}
AVERAGE_POOL: dict[int, Callable[..., nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
BATCH_NORM: dict[int, Callable[..., nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
INSTANCE_NORM: dict[int, Callable[..., nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}

_LEAK = 0.01
"""Slope of the leaky ReLU below 0 (nnU-Net)."""


def make_norm(n_dims: int, channels: int, norm: Norm) -> list[nn.Module]:
    """A norm layer with learned scale and shift as a list; empty for "none"."""
    if norm == "batch":
        return [BATCH_NORM[n_dims](channels)]
    if norm == "instance":
        return [INSTANCE_NORM[n_dims](channels, affine=True)]
    return []


def make_activation(activation: Activation) -> nn.Module:
    """An activation that works in place."""
    return nn.ReLU(inplace=True) if activation == "relu" else nn.LeakyReLU(_LEAK, inplace=True)


def conv_unit(  # noqa: PLR0913  # the arguments of a convolution are its nature
    n_dims: int,
    inputs: int,
    outputs: int,
    *,
    kernel: Size = 3,
    stride: Size = 1,
    dilation: Size = 1,
    padding: Size | None = None,
    norm: Norm = "batch",
    activation: Activation = "relu",
    bias: bool | None = None,
) -> list[nn.Module]:
    """Convolution, norm, activation. Padding keeps the size by default; no bias before a norm."""
    if padding is None:
        pairs = zip(_per_axis(kernel, n_dims), _per_axis(dilation, n_dims), strict=True)
        padding = tuple(size // 2 * step for size, step in pairs)
    if bias is None:
        bias = norm == "none"
    convolution = CONVOLUTION[n_dims](
        inputs,
        outputs,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        bias=bias,
    )
    return [convolution, *make_norm(n_dims, outputs, norm), make_activation(activation)]


def _per_axis(size: Size, n_dims: int) -> tuple[int, ...]:
    return (size,) * n_dims if isinstance(size, int) else size


def initialise(module: nn.Module, *, slope: float = 0.0) -> None:
    """He initialisation: Gaussian with variance 2 / fan-in (slope 0), biases zero.

    Source: He et al. 2015, the value that the U-Net paper asks for. Transposed
    convolutions count the inputs that really reach one output.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            fan_in = layer.weight[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d):
            taps = layer.weight[0, 0].numel() / math.prod(layer.stride)
            fan_in = max(1, round(layer.in_channels // layer.groups * taps))
        else:
            continue
        nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / (1 + slope**2) / fan_in))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def require_dims(io: NetworkIO, name: str, permitted: tuple[int, ...]) -> None:
    """Raise BadPlan unless a network can be built for these spatial dimensions."""
    if io.n_dims not in permitted:
        can = " or ".join(f"{n}D" for n in permitted)
        raise BadPlan(
            f"network {name} cannot be built for {io.n_dims}D images",
            f"{can} images",
            "Choose unet, nnunet or light for volumes, or give single slices.",
            code="network-dims",
        )
