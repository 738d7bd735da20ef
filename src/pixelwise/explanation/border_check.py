"""How far a network's padding is felt inside the image."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from pixelwise.core.records import Record
from pixelwise.explanation.watching import first_tensor
from pixelwise.networks import field_of

_NOTICEABLE = 0.01
"""Relative change of the answer from which the border counts as felt."""


class BorderInfluence(Record):
    """How far the padding inside a network is felt from the border of its answer.

    change[i]: mean absolute change of the answer at a distance of i pixels from the border,
    against the same pixels with true surroundings, relative to the answer's spread.
    felt: first distance from which on the change stays below 1 %.
    """

    change: tuple[float, ...]
    felt: int


def border_influence(
    network: nn.Module, n_channels: int, n_dims: int = 2, *, size: int = 128
) -> BorderInfluence:
    """Compare the answer for a piece of noise alone with the answer for it in its surroundings.

    A valid network pads nothing, so nothing changes. Random weights as given, norms in
    evaluation mode.
    """
    field = field_of(network)
    twin = copy.deepcopy(network).float().eval()
    step = max(field.alignment, 1)
    margin = -(-size // step) * step
    inner = field.valid_size(-(-size // step) * step)
    outer = field.valid_size(inner + 2 * margin)
    generator = torch.Generator().manual_seed(0)
    scene = torch.randn(1, n_channels, *(outer,) * n_dims, generator=generator)
    piece = _cut(scene, margin, inner)
    with torch.no_grad():
        alone = first_tensor(twin(piece))
        whole = first_tensor(twin(scene))
    if alone is None or whole is None:
        return BorderInfluence(change=(), felt=0)
    length = alone.shape[-1]
    reference = _cut(whole, margin, length)
    spread = float(reference.std()) or 1.0
    difference = (alone - reference).abs().mean(dim=(0, 1)) / spread
    distances = [
        torch.minimum(index, length - 1 - index)
        for index in torch.meshgrid(*[torch.arange(length)] * n_dims, indexing="ij")
    ]
    distance = torch.stack(distances).amin(dim=0)
    curve = [float(difference[distance == i].mean()) for i in range(length // 2)]
    felt = max((i + 1 for i, value in enumerate(curve) if value >= _NOTICEABLE), default=0)
    return BorderInfluence(change=tuple(round(value, 5) for value in curve), felt=felt)


def _cut(values: Tensor, start: int, length: int) -> Tensor:
    for axis in range(2, values.ndim):
        values = values.narrow(axis, start, length)
    return values
