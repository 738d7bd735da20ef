"""One architecture per file: a registered function of `NetworkIO` that returns a module.

What training and inference may rely on, for every network here and every user's own:

- forward maps (n, c, [z,] y, x) to logits (n, k, [z,] y, x).
- `field_of(network)` tells how sizes relate. Without a `field` attribute a module takes every
  size and answers on the input's grid. A network with valid convolutions has `margin` > 0:
  the caller mirrors `margin` pixels on each side (or cuts the target to the middle), feeds a
  size that the field allows, and gets `output_size(n) = n - 2 margin`. Tiles whose origins
  are multiples of `alignment` give the whole image's answer wherever `reach` pixels of true
  context are there.
- A network with deep supervision answers in training mode with a tuple of logits, finest
  first, level i on every 2^i-th pixel; in evaluation mode with one tensor, as all others do.
  `training_loss(loss, answer, target, valid)` takes either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from pixelwise.core.errors import ShapeMismatch
from pixelwise.core.registry import Registry


@dataclass(frozen=True, slots=True)
class NetworkIO:
    """What a network is built for: spatial dimensions, input channels, output channels."""

    n_dims: int
    in_channels: int
    out_channels: int


@dataclass(frozen=True, slots=True)
class Field:
    """How the input and output grids of a network relate, the same along every axis.

    margin: pixels that the output lacks on each side. Allowed input sizes are
    `multiple * i + remainder`, from `smallest` on. alignment: coarsest stride inside, in
    input pixels. reach: how far from an output pixel an input pixel can still count,
    None where it is not known.
    """

    margin: int = 0
    multiple: int = 1
    remainder: int = 0
    smallest: int = 1
    alignment: int = 1
    reach: int | None = None

    def allows(self, size: int) -> bool:
        """Whether an input of this many pixels along an axis can be fed."""
        return size >= self.smallest and (size - self.remainder) % self.multiple == 0

    def output_size(self, size: int) -> int:
        """Output pixels along an axis for an allowed input size."""
        return size - 2 * self.margin

    def valid_size(self, size: int) -> int:
        """The smallest allowed input size that is at least `size`."""
        size = max(size, self.smallest)
        return size + (self.remainder - size) % self.multiple

    def nearest_sizes(self, size: int) -> tuple[int, ...]:
        """The allowed sizes below and above one that is not allowed (one if there is no lower)."""
        above = self.valid_size(size)
        below = above - self.multiple
        return (below, above) if below >= self.smallest else (above,)


EVERY_SIZE = Field()

NETWORKS: Registry[Callable[..., nn.Module]] = Registry("network", "pixelwise.networks")


def build_network(name: str, io: NetworkIO, options: dict[str, Any]) -> nn.Module:
    """Build a registered network; it maps (n, c, [z,] y, x) to logits (n, k, [z,] y, x).

    Raises UnknownName or BadPlan with every problem of name and options.
    """
    network: nn.Module = NETWORKS.build(name, io, options=options)
    return network


def field_of(network: nn.Module) -> Field:
    """How input and output sizes of a network relate; every size, unchanged, if it is silent."""
    field = getattr(network, "field", EVERY_SIZE)
    return field if isinstance(field, Field) else EVERY_SIZE


def check_size(field: Field, shape: Sequence[int], name: str) -> None:
    """Raise ShapeMismatch with the nearest sizes unless a field allows a spatial shape."""
    for size in shape:
        if not field.allows(size):
            near = " and ".join(str(other) for other in field.nearest_sizes(size))
            allowed = (
                f"{field.multiple} i + {field.remainder}, at least {field.smallest}"
                if field.multiple > 1
                else f"at least {field.smallest}"
            )
            raise ShapeMismatch(
                f"{name} cannot take an input of {'x'.join(map(str, shape))}: {size} does not fit",
                f"sizes of the form {allowed}",
                f"The nearest that it takes: {near}.",
                code="network-size",
            )


def training_loss(
    loss: Callable[..., Tensor],
    answer: Tensor | Sequence[Tensor],
    *planes: Tensor,
) -> Tensor:
    """The loss of a network's answer; with deep supervision the weighted sum over its levels.

    planes: what the loss takes behind the logits, on the grid of the finest level: target, valid
    and whatever else stands for single pixels.
    A coarser level is compared with every 2^i-th pixel of them. Weights are 1, 1/2, 1/4, …,
    0 for the coarsest, scaled to the sum 1.
    Source: Isensee et al. 2021 (nnU-Net); there the coarser targets are nearest resamplings.
    """
    if isinstance(answer, Tensor):
        return loss(answer, *planes)
    weights = supervision_weights(len(answer))
    total = answer[0].new_zeros(())
    for logits, weight in zip(answer, weights, strict=True):
        if weight > 0:
            coarse = (_thin_out(values, logits.shape[2:]) for values in planes)
            total = total + weight * loss(logits, *coarse)
    return total


def _thin_out(values: Tensor, shape: Sequence[int]) -> Tensor:
    """Every 2^i-th pixel along each axis, so that `shape` is left."""
    for axis, size in enumerate(shape, start=values.ndim - len(shape)):
        step = 1
        while -(-values.shape[axis] // step) > size:
            step *= 2
        values = values[(slice(None),) * axis + (slice(None, None, step),)]
    return values


def supervision_weights(n_levels: int) -> tuple[float, ...]:
    """Weights of the levels, finest first: halves, the coarsest 0, sum 1 (one level: 1)."""
    if n_levels == 1:
        return (1.0,)
    raw = [0.5**level for level in range(n_levels - 1)]
    return (*(weight / sum(raw) for weight in raw), 0.0)
