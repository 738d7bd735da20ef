"""From a classifier of windows to a dense network: strides become dilations, linear layers
convolutions, the weights stay."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks.layers import AVERAGE_POOL, BATCH_NORM, CONVOLUTION, MAX_POOL

_POINTWISE = (
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus,
    nn.Hardswish, nn.ReLU6, nn.PReLU, nn.Dropout, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
    nn.BatchNorm2d, nn.BatchNorm3d, nn.Identity,
)  # fmt: skip


def to_dense(
    classifier: nn.Sequential, window: tuple[int, ...], *, keep_strides: bool = False
) -> nn.Sequential:
    """The dense form of a window classifier: its answer at every position of a larger image.

    classifier: a sequence (nested ones too) of convolutions, pools, linear layers and
    pointwise layers. window: the spatial size that it was made for. The result maps
    (n, c, [z,] y, x) to (n, k, [z - window + 1,] …): output pixel p is the classifier's answer
    for the window that starts at p. With `keep_strides` only linear layers are replaced, and
    the answer comes at every stride-th position: cheaper, coarser, the same numbers.
    Weights are copied. Batch norm must have learned its statistics.
    Raises: BadPlan for a layer without a dense form, and for zero padding inside the
    network, which makes a window's answer depend on where the window ends.
    Source: Long, Shelhamer, Darrell 2015; Giusti et al. 2013 for the strides.
    """
    layers = list(_flatten(classifier))
    device = torch.device("meta")
    n_channels = _first_channels(layers, len(window))
    probe = torch.empty(1, n_channels, *window, device=device)
    builder = _Builder(len(window), keep_strides)
    for position, layer in enumerate(layers):
        builder.add(layer, probe, position)
        probe = _shape_after(layer, probe, position)
    return nn.Sequential(*builder.layers).train(classifier.training)


class DilatedAverage(nn.Module):
    """Average pooling with stride 1 and a dilation, which PyTorch's own does not have."""

    def __init__(self, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> None:
        super().__init__()
        self.kernel = kernel
        self.dilation = dilation

    def forward(self, values: Tensor) -> Tensor:
        """(n, c, …) -> (n, c, …), smaller by dilation * (kernel - 1) along each axis."""
        n_channels = values.shape[1]
        weight = values.new_full((n_channels, 1, *self.kernel), 1 / math.prod(self.kernel))
        convolve = F.conv2d if values.ndim == 4 else F.conv3d
        return convolve(values, weight, dilation=self.dilation, groups=n_channels)


class _Builder:
    """Collects dense layers; `spread` is the product of the strides so far, per axis."""

    def __init__(self, n_dims: int, keep_strides: bool) -> None:
        self.n_dims = n_dims
        self.keep_strides = keep_strides
        self.spread = (1,) * n_dims
        self.flattened_from: tuple[int, ...] | None = None
        self.layers: list[nn.Module] = []

    def add(self, layer: nn.Module, before: Tensor, position: int) -> None:
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            self.layers.append(self._convolution(layer, position))
        elif isinstance(layer, nn.MaxPool2d | nn.MaxPool3d | nn.AvgPool2d | nn.AvgPool3d):
            self.layers.append(self._pool(layer, position))
        elif isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveAvgPool3d):
            self._adaptive(layer, before, position)
        elif isinstance(layer, nn.Flatten):
            self.flattened_from = tuple(before.shape[1:])
        elif isinstance(layer, nn.Linear):
            self.layers.append(self._linear(layer))
        elif isinstance(layer, nn.BatchNorm1d):
            self.layers.append(self._norm(layer))
        elif isinstance(layer, (*_POINTWISE, nn.Softmax, nn.LogSoftmax)):
            self.layers.append(layer)
        else:
            raise _refusal(layer, position, "it has no dense form")

    def _advance(self, stride: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(stride, spread) that the dense layer takes; later layers see the new spread."""
        if self.keep_strides:
            return stride, (1,) * self.n_dims
        spread = self.spread
        self.spread = tuple(a * b for a, b in zip(spread, stride, strict=True))
        return (1,) * self.n_dims, spread

    def _convolution(self, layer: nn.Conv2d | nn.Conv3d, position: int) -> nn.Module:
        if any(self._numbers(layer.padding)) and not self.keep_strides:
            raise _refusal(layer, position, "it pads with zeros")
        stride, spread = self._advance(self._numbers(layer.stride))
        own = self._numbers(layer.dilation)
        dense = CONVOLUTION[self.n_dims](
            layer.in_channels,
            layer.out_channels,
            self._numbers(layer.kernel_size),
            stride=stride,
            padding=layer.padding,
            dilation=tuple(a * b for a, b in zip(own, spread, strict=True)),
            groups=layer.groups,
            bias=layer.bias is not None,
            dtype=layer.weight.dtype,
        )
        return _with_weights(dense, layer.weight, layer.bias)

    def _pool(self, layer: Any, position: int) -> nn.Module:
        if any(self._numbers(layer.padding)) or layer.ceil_mode:
            raise _refusal(layer, position, "it pads or rounds up")
        kernel = self._numbers(layer.kernel_size)
        is_max = isinstance(layer, nn.MaxPool2d | nn.MaxPool3d)
        if self.keep_strides:
            return layer  # type: ignore[no-any-return]  # isinstance above, layer is a module
        _, spread = self._advance(self._numbers(layer.stride))
        if not is_max:
            return DilatedAverage(kernel, spread)
        own = self._numbers(layer.dilation)
        dilation = tuple(a * b for a, b in zip(own, spread, strict=True))
        return MAX_POOL[self.n_dims](kernel, stride=1, dilation=dilation)

    def _adaptive(self, layer: Any, before: Tensor, position: int) -> None:
        sizes = tuple(before.shape[2:])
        goals = self._numbers(layer.output_size)
        if sizes == goals:
            return
        if any(size % goal for size, goal in zip(sizes, goals, strict=True)):
            raise _refusal(layer, position, f"{sizes} is no multiple of {goals}")
        kernel = tuple(size // goal for size, goal in zip(sizes, goals, strict=True))
        stride, spread = self._advance(kernel)
        if self.keep_strides:
            self.layers.append(AVERAGE_POOL[self.n_dims](kernel, stride=stride))
        else:
            self.layers.append(DilatedAverage(kernel, spread))

    def _linear(self, layer: nn.Linear) -> nn.Module:
        channels, *kernel = self.flattened_from or (layer.in_features, *(1,) * self.n_dims)
        self.flattened_from = None
        spread = (1,) * self.n_dims if self.keep_strides else self.spread
        dense = CONVOLUTION[self.n_dims](
            channels,
            layer.out_features,
            tuple(kernel),
            dilation=spread,
            bias=layer.bias is not None,
            dtype=layer.weight.dtype,
        )
        weight = layer.weight.reshape(layer.out_features, channels, *kernel)
        return _with_weights(dense, weight, layer.bias)

    def _norm(self, layer: nn.BatchNorm1d) -> nn.Module:
        dense = BATCH_NORM[self.n_dims](layer.num_features, eps=layer.eps, affine=layer.affine)
        dense.load_state_dict(layer.state_dict())
        return dense.to(layer.running_mean.dtype) if layer.running_mean is not None else dense

    def _numbers(self, value: Any) -> tuple[int, ...]:
        if isinstance(value, str):
            return (0,) * self.n_dims if value == "valid" else (1,) * self.n_dims
        return (value,) * self.n_dims if isinstance(value, int) else tuple(value)


def _flatten(layers: nn.Sequential) -> Iterator[nn.Module]:
    for layer in layers:
        if isinstance(layer, nn.Sequential):
            yield from _flatten(layer)
        else:
            yield layer


def _first_channels(layers: list[nn.Module], n_dims: int) -> int:
    for layer in layers:
        if isinstance(layer, nn.Conv2d if n_dims == 2 else nn.Conv3d):
            return int(layer.in_channels)
    raise BadPlan(
        f"the classifier has no {n_dims}D convolution",
        "a sequence of convolutions, pools and linear layers",
        "Give the spatial size of its window with as many numbers as it has dimensions.",
        code="not-a-classifier",
    )


def _shape_after(layer: nn.Module, probe: Tensor, position: int) -> Tensor:
    try:
        return copy.deepcopy(layer).to("meta", torch.float32).eval()(probe)  # type: ignore[no-any-return]  # nn.Module calls are untyped
    except (RuntimeError, ValueError) as error:
        reason = str(error).split("\n", 1)[0]
        raise _refusal(
            layer, position, f"it cannot follow the layers before it: {reason}"
        ) from error


def _with_weights(
    dense: nn.Conv2d | nn.Conv3d, weight: Tensor, bias: Tensor | None
) -> nn.Conv2d | nn.Conv3d:
    with torch.no_grad():
        dense.weight.copy_(weight)
        if bias is not None and dense.bias is not None:
            dense.bias.copy_(bias)
    return dense.to(weight.device)


def _refusal(layer: nn.Module, position: int, reason: str) -> BadPlan:
    return BadPlan(
        f"layer {position} ({type(layer).__name__}) cannot be made dense: {reason}",
        "convolutions and pools without padding, linear, norm and pointwise layers",
        "With keep_strides=True zero padding is accepted; the equality then holds away from "
        "the borders only.",
        code="no-dense-form",
    )
