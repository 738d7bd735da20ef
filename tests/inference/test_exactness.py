"""Tiles against the whole image at once, for every registered network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from pixelwise.core.image import Array, Header, Region, whole_region
from pixelwise.core.plan import InferenceSection
from pixelwise.inference.exactness import exactness_of
from pixelwise.inference.predictor import Predictor
from pixelwise.networks import NETWORKS, NetworkIO, build_network, field_of
from pixelwise.tasks import build_task

Floats = npt.NDArray[np.float32]
TASK = build_task("semantic", 3, {})

WITH_WHOLE_MAPS = ("nnunet", "nnunet-residual")
"""Instance norm by default."""

HEAVY = ("deconvnet", "dilated", "sliding-window", "fcn-8s-at-once", "fcn-16s", "segnet")
"""Hundreds of pixels of reach; a smaller one of their kind is in the fast tests."""

CASES = [
    pytest.param(name, n_dims, marks=[pytest.mark.slow] if name in HEAVY else [])
    for name in NETWORKS.names()
    for n_dims in NETWORKS.find(name).facts.get("dimensions", (2,))
]

EXTEND_THEMSELVES = ("unet", "light", "nnunet", "nnunet-residual", "dilated-context")
"""Padded networks that mirror an image at its end up to a multiple, as tiles do."""

SHALLOW = {"unet": {"depth": 2}, "light": {"depth": 1}}
"""In 3D, where reach costs its cube."""

_DOUBLE = 2.5e-7
"""Float64 answers that are handed on as float32 differ by the rounding of that: 1 in 2^22."""

_SINGLE = 2e-5


class Held:
    """An image in memory."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.header = Header(
            Path("held.png"), values.shape[1:], values.shape[0], values.dtype, "PNG"
        )

    def read(self, region: Region | None = None) -> Array:
        return self.values[(slice(None), *(region or whole_region(self.values.shape[1:])))]


class Plain:
    """An engine that computes in the network's own number type."""

    name = "plain"

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.dtype = next(network.parameters()).dtype
        self.n_tiles = 0

    def logits(self, images: Floats) -> Floats:
        self.n_tiles += len(images)
        with torch.inference_mode():
            answer: Floats = self.network(torch.from_numpy(images).to(self.dtype)).float().numpy()
        return answer


def build(name: str, n_dims: int, **options: Any) -> nn.Module:
    """A small network with random weights everywhere, the scores too."""
    torch.manual_seed(0)
    facts = NETWORKS.find(name).facts.get("small", {"width": 4})
    network = build_network(name, NetworkIO(n_dims, 1, 3), dict(facts) | options).eval()
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Conv3d) and not part.weight.any():
            nn.init.normal_(part.weight, 0, 0.1)
    return network


def at_once(network: nn.Module, image: Floats) -> Floats:
    """The network on the whole image, mirrored by its margin and at the end to a size that fits."""
    field = field_of(network)
    widths = [(0, 0)]
    for n in image.shape[1:]:
        if field.margin:
            goal = field.valid_size(n + 2 * field.margin)
        else:
            goal = -(-n // field.alignment) * field.alignment
        widths.append((field.margin, goal - n - field.margin))
    padded = np.pad(image, widths, mode="reflect")
    found = Plain(network).logits(padded[None])[0]
    return found[(slice(None), *(slice(0, n) for n in image.shape[1:]))]


def by_tiles(network: nn.Module, image: Floats, halo: int) -> Floats:
    """The logits of all tiles along the last axis, put together."""
    n_dims = image.ndim - 1
    edge = field_of(network).alignment * 2
    section = InferenceSection(
        tile=(1024,) * (n_dims - 1) + (edge,), halo=(0,) * (n_dims - 1) + (halo,), batch=2
    )
    engine = Plain(network)
    predictor = Predictor(engine, field_of(network), TASK, section)
    source: Any = Held(image)
    grid = predictor.lay_tiles(image.shape[1:])
    found = np.full((3, *image.shape[1:]), np.nan, np.float32)
    for request, scores in predictor.score(predictor.requests(source, lambda x: x, grid)):
        assert request.tile is not None
        assert scores is not None
        found[(slice(None), *request.tile.region)] = scores[(slice(None), *request.tile.inside)]
    assert engine.n_tiles > 1
    return found


def image_for(network: nn.Module, n_dims: int, halo: int) -> Floats:
    """Long enough for three tiles in a row, thin otherwise; no size fits the pooling."""
    length = 2 * halo + 5 * field_of(network).alignment + 3
    thin = max(field_of(network).alignment, 8) + 1
    shape = (1, *(thin,) * (n_dims - 1), length)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def scale_of(values: Floats) -> float:
    return float(np.abs(values).max())


@pytest.mark.parametrize(("name", "n_dims"), CASES)
def test_every_network_is_exact_where_it_says_so(name: str, n_dims: int) -> None:
    options: dict[str, Any] = {"norm": "batch"} if name in WITH_WHOLE_MAPS else {}
    options |= SHALLOW.get(name, {}) if n_dims == 3 else {}
    network = build(name, n_dims, **options).double()
    halo = exactness_of(network).halo
    assert halo is not None
    image = image_for(network, n_dims, halo)
    whole = at_once(network, image)
    assert scale_of(whole) > 0
    tiled = by_tiles(network, image, halo)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=_DOUBLE * scale_of(whole))
    if name in EXTEND_THEMSELVES:
        bare = Plain(network).logits(image[None])[0]
        np.testing.assert_allclose(tiled, bare, rtol=0, atol=_DOUBLE * scale_of(whole))


@pytest.mark.parametrize(("name", "n_dims"), [("unet", 2), ("unet", 3), ("light", 2)])
def test_in_single_precision(name: str, n_dims: int) -> None:
    network = build(name, n_dims, **(SHALLOW[name] if n_dims == 3 else {}))
    halo = exactness_of(network).halo or 0
    image = image_for(network, n_dims, halo)
    whole = at_once(network, image)
    tiled = by_tiles(network, image, halo)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=_SINGLE * scale_of(whole))


def test_a_short_halo_is_not_exact() -> None:
    """So that the tests above could fail."""
    network = build("unet", 2).double()
    image = image_for(network, 2, 112)
    whole = at_once(network, image)
    difference = np.abs(by_tiles(network, image, 16) - whole).max() / scale_of(whole)
    assert difference > 1000 * _DOUBLE


@pytest.mark.parametrize("name", WITH_WHOLE_MAPS)
def test_norms_over_whole_maps_are_never_exact(name: str) -> None:
    network = build(name, 2).double()
    found = exactness_of(network)
    assert found.halo is None
    assert "InstanceNorm2d" in found.sentence
    image = image_for(network, 2, 64)
    whole = at_once(network, image)
    assert np.abs(by_tiles(network, image, 64) - whole).max() > 1e-3 * scale_of(whole)


def test_halos_by_hand() -> None:
    """U-Net of depth 1: nine pixels to each side, pooled by two: ten. Depth 4: 107, so 112."""
    assert exactness_of(build("unet", 2, depth=1)).halo == 10
    assert exactness_of(build("unet", 2)).halo == 112
    assert exactness_of(build("unet-paper", 2)).halo == 0
    assert exactness_of(nn.Conv2d(1, 3, 3, padding=1)).halo is None
    assert exactness_of(nn.Conv2d(1, 3, 3, padding=1), reach=1).halo == 1
