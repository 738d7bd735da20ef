"""Two ways to the same numbers, in float64: what the networks are built on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan
from pixelwise.networks import NetworkIO, build_network
from pixelwise.networks.bilinear import BilinearUpsampling, bilinear_kernel
from pixelwise.networks.dense import to_dense
from pixelwise.networks.dilated import context_module
from pixelwise.networks.sliding_window import label_by_windows, window_classifier
from pixelwise.networks.unpooling import pool_with_places, unpool, unpool_portably


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return window_classifier(NetworkIO(2, 1, 2), width=4).double().eval()


def test_dense_form_equals_the_classifier_at_every_position(classifier: nn.Sequential) -> None:
    image = noise(1, 1, 100, 101)
    with torch.no_grad():
        slow = label_by_windows(classifier, image)
        dense = to_dense(classifier, (95, 95))(image)
    assert dense.shape == (1, 2, 6, 7)
    assert (slow - dense).abs().max() <= 1e-12


def test_strided_form_is_the_dense_one_sub_sampled(classifier: nn.Sequential) -> None:
    image = noise(1, 1, 127, 127)
    with torch.no_grad():
        dense = to_dense(classifier, (95, 95))(image)
        strided = to_dense(classifier, (95, 95), keep_strides=True)(image)
    assert strided.shape[-1] == 3
    assert (dense[..., ::16, ::16] - strided).abs().max() <= 1e-12


def test_registered_network_takes_one_window_as_the_classifier_does() -> None:
    torch.manual_seed(0)
    network = build_network("sliding-window", NetworkIO(2, 1, 2), {"width": 4}).double().eval()
    image = noise(1, 1, 100, 100)
    with torch.no_grad():
        assert (network(image)[0, :, 2, 3] - network(image[..., 2:97, 3:98])[0, :, 0, 0]).abs().max(
        ) <= 1e-12  # fmt: skip


def test_any_sequence_of_ordinary_layers_becomes_dense() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, bias=False),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(4, 6, 2, groups=2)),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 5),
        nn.BatchNorm1d(5),
        nn.ELU(),
        nn.Linear(5, 3),
    )
    net(torch.randn(8, 2, 21, 21))  # lets the norms learn statistics
    net = net.double().eval()
    image = noise(1, 2, 24, 23)
    with torch.no_grad():
        dense = to_dense(net, (21, 21))(image)
        for row in range(4):
            for column in range(3):
                window = image[..., row : row + 21, column : column + 21]
                assert (net(window)[0] - dense[0, :, row, column]).abs().max() <= 1e-12


def test_what_cannot_be_dense_is_refused() -> None:
    with pytest.raises(BadPlan, match="pads with zeros"):
        to_dense(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1)), (9, 9))
    with pytest.raises(BadPlan, match="no dense form"):
        to_dense(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2)), (9, 9))


def test_linear_layer_is_a_convolution() -> None:
    linear = nn.Linear(512 * 49, 8).double()
    features = noise(2, 512, 7, 7)
    weight = linear.weight.reshape(8, 512, 7, 7)
    convolved = F.conv2d(features, weight, linear.bias)[..., 0, 0]
    assert (linear(features.flatten(1)) - convolved).abs().max() <= 1e-12


def test_tiles_of_a_valid_network_equal_the_whole_image() -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"width": 2, "padding": "valid", "norm": "none"}
    network = build_network("unet", NetworkIO(2, 1, 2), options).double().eval()
    image = noise(1, 1, 252, 252)
    with torch.no_grad():
        whole = network(image)
        for y, x in ((0, 0), (16, 32), (48, 16)):
            tile = network(image[..., y : y + 204, x : x + 204])
            part = whole[..., y : y + 20, x : x + 20]
            assert (tile - part).abs().max() <= 1e-12


@pytest.mark.parametrize("shape", [(2, 3, 8, 10), (1, 2, 7, 9), (1, 1, 1, 5), (1, 2, 5, 6, 7)])
def test_unpooling_puts_maxima_back(shape: tuple[int, ...]) -> None:
    values = noise(*shape).abs()
    pooled, places = pool_with_places(values)
    back = unpool(pooled, places, shape[2:])
    assert torch.equal(back, unpool_portably(pooled, places, shape[2:]))
    assert torch.equal(pool_with_places(back)[0], pooled)
    kept = back != 0
    assert torch.equal(back[kept], values[kept])
    assert int(kept.sum()) == pooled.numel()


@pytest.mark.parametrize(("size", "total"), [(4, 4), (16, 64), (32, 256), (64, 1024)])
def test_bilinear_kernels(size: int, total: float) -> None:
    assert float(bilinear_kernel(size).sum()) == pytest.approx(total)


def test_bilinear_deconvolution_is_interpolation_away_from_the_border() -> None:
    assert bilinear_kernel(4)[1].tolist() == pytest.approx([0.1875, 0.5625, 0.5625, 0.1875])
    for factor in (2, 8, 16):
        up = BilinearUpsampling(3, factor).double()
        values = noise(1, 3, 6, 7)
        half = factor // 2
        ours = up(values)[..., half:-half, half:-half]
        theirs = F.interpolate(values, scale_factor=factor, mode="bilinear", align_corners=False)
        assert ours.shape == theirs.shape
        inside = (..., slice(half, -half), slice(half, -half))
        assert (ours - theirs)[inside].abs().max() <= 1e-12


def test_transposed_convolution_is_a_convolution_of_the_zero_dilated_input() -> None:
    values, weight = noise(1, 2, 4, 5), noise(2, 3, 3, 3)
    spread = torch.zeros(1, 2, 7, 9, dtype=torch.float64)
    spread[..., ::2, ::2] = values
    flipped = weight.flip(2, 3).transpose(0, 1)
    slow = F.conv2d(spread, flipped, padding=2)
    assert (F.conv_transpose2d(values, weight, stride=2) - slow).abs().max() <= 1e-12


@pytest.mark.parametrize("kind", ["basic", "large", "deep"])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_context_module_starts_as_the_identity(kind: Any, n_dims: int) -> None:
    module = context_module(n_dims, 2, kind, noise=0.0).double()
    values = noise(1, 2, *(9,) * n_dims).abs()
    assert (module(values) - values).abs().max() <= 1e-12


def test_exported_unpooling_needs_no_special_operation() -> None:
    torch.manual_seed(0)
    network = build_network("segnet-basic", NetworkIO(2, 1, 2), {"width": 2}).eval()
    image = torch.randn(1, 1, 37, 45)
    exported = torch.export.export(network, (image,))
    operations = {str(node.target) for node in exported.graph.nodes}
    assert not any("unpool" in name or "scatter" in name for name in operations)
    torch.testing.assert_close(exported.module()(image), network(image))
