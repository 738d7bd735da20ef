"""Strides and kernels per axis: grids and reaches by hand, and the same networks as before."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.networks.axis_steps import axis_steps

THICK = {
    "strides": ((1, 1, 1), (1, 2, 2), (2, 2, 2)),
    "kernels": ((1, 3, 3), (3, 3, 3), (3, 3, 3)),
}


def test_spread_and_reach_by_hand() -> None:
    """z: 0 + 2 x 2 + 2 x 1 x 2 of kernels at spread 1, 1, 2, and 2 - 1 of the upsampling."""
    steps = axis_steps("x", 3, 3, THICK["strides"], THICK["kernels"])
    assert [steps.spread(stage) for stage in range(3)] == [(1, 1, 1), (1, 2, 2), (2, 4, 4)]
    assert steps.spread(-1) == (2, 4, 4)
    assert steps.widest == 4
    # one axis alone: y has kernels of 3 at spreads 1, 2, 4: 2 (2 + 4) + 2 x 2 x ... as below
    assert steps.reach(2) == 2 * 2 * 1 + 2 * 2 * 2 + 2 * 4 + 3
    flat = axis_steps("x", 1, 3, ((1,), (1,), (2,)), ((1,), (3,), (3,)))
    assert flat.reach(2) == 0 + 2 * 2 * 1 + 2 * 2 + 1


def test_halvings_and_threes_are_the_default() -> None:
    steps = axis_steps("x", 2, 3, None, None)
    assert steps.strides == ((1, 1), (2, 2), (2, 2))
    assert steps.kernels == ((3, 3),) * 3
    assert axis_steps("x", 2, 2, None, None, first=2).strides == ((2, 2), (2, 2))


@pytest.mark.parametrize(
    ("strides", "kernels", "text"),
    [
        (((1, 1), (2, 2), (2, 2)), None, "3 tuples"),
        (((2, 2, 2), (2, 2, 2), (2, 2, 2)), None, "ones for the first stage"),
        (((1, 1, 1), (3, 2, 2), (2, 2, 2)), None, "1 or 2"),
        (None, ((3, 3, 3), (2, 3, 3), (3, 3, 3)), "odd"),
    ],
)
def test_what_is_impossible_is_refused(strides: Any, kernels: Any, text: str) -> None:
    with pytest.raises(BadPlan, match=text):
        axis_steps("x", 3, 3, strides, kernels)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"width": 4, "depth": 2, **THICK}),
        (
            "unet",
            {"width": 4, "depth": 2, "downsampling": "strided", "upsampling": "bilinear", **THICK},
        ),
        ("unet", {"width": 4, "depth": 2, "deep_supervision": True, **THICK}),
        ("light", {"width": 4, "depth": 2, **THICK, "strides": ((1, 2, 2), (1, 2, 2), (2, 2, 2))}),
        ("nnunet", {"width": 4, "stages": 3, **THICK}),
    ],
)
def test_thick_slices_keep_their_grid(name: str, options: dict[str, Any]) -> None:
    """Any number of slices; without a kernel along z at first, slices are first seen alone."""
    torch.manual_seed(0)
    network = build_network(name, NetworkIO(3, 1, 2), options)
    network.train()
    for shape in ((5, 16, 19), (8, 16, 16)):
        answer = network(torch.randn(2, 1, *shape))
        finest = answer if isinstance(answer, torch.Tensor) else answer[0]
        assert tuple(finest.shape) == (2, 2, *shape)
    network.eval()
    reach = field_of(network).reach
    assert reach is not None
    images = torch.randn(1, 1, 4, 16, 4 * (2 * reach // 4 + 4))
    changed = images.clone()
    changed[..., -1] += 1
    with torch.no_grad():
        first, second = network(images), network(changed)
    if name != "nnunet":  # instance norm looks at everything
        far = images.shape[-1] - 1 - reach
        assert torch.equal(first[..., :far], second[..., :far])
    assert not torch.equal(first, second)


def test_a_unet_given_its_own_steps_is_the_same() -> None:
    io = NetworkIO(3, 1, 2)
    networks = []
    for extra in ({}, {"strides": ((1,) * 3, (2,) * 3), "kernels": ((3,) * 3, (3,) * 3)}):
        torch.manual_seed(1)
        networks.append(build_network("unet", io, {"width": 4, "depth": 1, **extra}).eval())
    images = torch.randn(1, 1, 9, 8, 10)
    with torch.no_grad():
        assert torch.equal(networks[0](images), networks[1](images))
    assert networks[0].field == networks[1].field


@pytest.mark.parametrize(
    "option", [{"padding": "valid"}, {"downsampling": "dilated"}, {"upsampling": "pixel-shuffle"}]
)
def test_parts_that_only_halve_all_axes_are_named(option: dict[str, Any]) -> None:
    with pytest.raises(BadPlan, match=next(iter(option.values()))):
        build_network("unet", NetworkIO(3, 1, 2), {"width": 4, "depth": 2, **THICK, **option})
