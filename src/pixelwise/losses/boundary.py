"""Boundary loss: probability mass pays for its distance from the true outline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from pixelwise.losses import LOSSES, LossFunction, at_least_float32
from pixelwise.losses.entropy import cross_entropy


def signed_distance(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Distance to an object in pixels: positive outside, -(distance - 1) inside, 0 on its rim.

    Empty or full masks have no outline: 0 everywhere.
    Source: Kervadec et al. 2019, as their code computes it.
    """
    if not mask.any() or mask.all():
        return np.zeros(mask.shape, np.float32)
    outside = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    return np.asarray(np.where(mask, 1.0 - inside, outside), np.float32)


@LOSSES.register("boundary")
def boundary(*, include_background: bool = False) -> LossFunction:
    """Mean over valid pixels and classes of probability times signed distance, in pixels.

    Negative where mass lies deep inside the object: there is no lower bound at 0. Alone it
    is content with an empty answer nearly as with the right one, so it is used in a sum
    (`cross-entropy-boundary`, or `sum`).
    Source: Kervadec et al., MIDL 2019, equation 5.
    """

    def loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        probabilities = torch.softmax(at_least_float32(logits), dim=1)
        first = 0 if include_background else 1
        distances = _distances(target, valid, range(first, logits.shape[1]))
        distances = distances.to(probabilities)
        n_values = (valid.sum() * distances.shape[1]).clamp_min(1)
        return (probabilities[:, first:] * distances * valid[:, None]).sum() / n_values

    return loss


@LOSSES.register("cross-entropy-boundary", pixel_weights=True)
def cross_entropy_boundary(
    *, boundary_weight: float = 0.05, class_weights: tuple[float, ...] | None = None
) -> LossFunction:
    """Cross-entropy plus a share of the boundary loss, which alone may choose nothing."""
    first, second = cross_entropy(class_weights=class_weights), boundary()

    def loss(
        logits: Tensor, target: Tensor, valid: Tensor, pixel_weights: Tensor | None = None
    ) -> Tensor:
        outline = second(logits, target, valid)
        return first(logits, target, valid, pixel_weights) + boundary_weight * outline

    return loss


def _distances(target: Tensor, valid: Tensor, classes: range) -> Tensor:
    """(n, k, …) signed distances; void pixels belong to no object."""
    labels = torch.where(valid, target, -1).cpu().numpy()
    maps = [[signed_distance(image == k) for k in classes] for image in labels]
    return torch.from_numpy(np.array(maps, dtype=np.float32))
