"""Sizes and parameter counts that papers and released code state, network by network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.networks.dilated import context_module, front_end
from pixelwise.networks.sliding_window import window_classifier


def build(name: str, inputs: int, outputs: int, n_dims: int = 2, **options: Any) -> nn.Module:
    """A network without memory for its weights: only the numbers matter here."""
    with torch.device("meta"):
        return build_network(name, NetworkIO(n_dims, inputs, outputs), options)


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (1, 2, 31_030_658),
        (3, 2, 31_031_810),
        (1, 1, 31_030_593),
        (3, 1, 31_031_745),
        (3, 11, 31_032_395),
        (3, 12, 31_032_460),
    ],
)
def test_unet_of_the_paper(inputs: int, outputs: int, expected: int) -> None:
    assert count(build("unet-paper", inputs, outputs)) == expected


def test_other_unets() -> None:
    assert count(build("unet-paper", 1, 2, width=32)) == 7_759_554
    assert count(build("unet-paper", 1, 2, width=16)) == 1_940_834
    assert count(build("unet-released", 1, 2)) == 31_100_354
    assert count(build("unet", 1, 2, width=64)) == 31_036_546
    assert count(build("unet", 3, 2, width=64)) == 31_037_698
    assert count(build("unet", 3, 1, width=64)) == 31_037_633


def test_sliding_window() -> None:
    with torch.device("meta"):
        classifier = window_classifier(NetworkIO(2, 1, 2))
    assert count(classifier) == 219_290
    assert count(build("sliding-window", 1, 2)) == 219_290


@pytest.mark.parametrize(
    ("name", "outputs", "expected", "full"),
    [
        ("fcn-32s", 21, 134_346_581, 136_152_917),
        ("fcn-16s", 21, 134_357_354, 134_815_994),
        ("fcn-8s", 21, 134_362_751, 134_489_759),
        ("fcn-8s-at-once", 21, 134_362_751, 134_489_759),
        ("fcn-32s", 11, 134_305_611, None),
        ("fcn-16s", 11, 134_311_254, None),
        ("fcn-8s", 11, 134_314_081, None),
    ],
)
def test_fcn(name: str, outputs: int, expected: int, full: int | None) -> None:
    assert count(build(name, 3, outputs)) == expected
    if full is not None:
        assert count(build(name, 3, outputs, upsampling="full")) == full


def test_fcn_upsampling_kernels_one_per_class() -> None:
    learned = [count(build(name, 3, 21, upsampling="learned")) for name in
               ("fcn-32s", "fcn-16s", "fcn-8s")]  # fmt: skip
    fixed = [134_346_581, 134_357_354, 134_362_751]
    assert [a - b for a, b in zip(learned, fixed, strict=True)] == [86_016, 21_840, 6_048]


def test_deconvnet() -> None:
    assert count(build("deconvnet", 3, 21)) == 251_805_653
    assert count(build("deconvnet", 3, 21, norm="none")) == 251_772_245
    assert count(build("deconvnet", 3, 11, hidden=1024)) == 81_917_259


@pytest.mark.parametrize(
    ("outputs", "expected"), [(11, 29_449_355), (12, 29_449_932), (21, 29_455_125), (2, 29_444_162)]
)
def test_segnet(outputs: int, expected: int) -> None:
    assert count(build("segnet", 3, outputs)) == expected


def test_segnet_without_norm_and_basic() -> None:
    assert count(build("segnet", 3, 11, norm="none")) == 29_433_483
    basic = build("segnet-basic", 3, 11)
    assert count(basic) == 1_416_587
    convolutions = [layer for layer in basic.modules() if isinstance(layer, nn.Conv2d)]
    assert sum(layer.weight.numel() for layer in convolutions) == 1_415_040
    biases = sum(layer.bias.numel() for layer in convolutions if layer.bias is not None)
    assert count(basic) - biases == 1_416_064


@pytest.mark.parametrize(
    ("outputs", "context", "expected"),
    [
        (21, "none", 134_346_581),
        (11, "none", 134_305_611),
        (19, "none", 134_338_387),
        (11, "basic", 134_313_443),
        (21, "large", 141_149_720),
        (19, "deep", 134_368_179),
    ],
)
def test_dilated(outputs: int, context: str, expected: int) -> None:
    assert count(build("dilated", 3, outputs, context=context)) == expected


@pytest.mark.parametrize("channels", [2, 11, 19, 21])
def test_context_modules(channels: int) -> None:
    with torch.device("meta"):
        basic, large = (context_module(2, channels, kind) for kind in ("basic", "large"))
    assert count(basic) == 64 * channels**2 + 8 * channels
    assert count(large) == 15_422 * channels**2 + 97 * channels


@pytest.mark.parametrize(
    ("n_dims", "stages", "inputs", "outputs", "expected"),
    [
        (2, 8, 1, 2, 46_324_558),
        (2, 8, 3, 2, 46_325_134),
        (2, 7, 1, 2, 33_471_820),
        (2, 7, 3, 2, 33_472_396),
        (2, 7, 3, 12, 33_487_496),
        (2, 9, 3, 2, 59_177_872),
        (3, 6, 1, 2, 31_195_594),
        (3, 6, 4, 4, 31_199_796),
    ],
)
def test_nnunet(n_dims: int, stages: int, inputs: int, outputs: int, expected: int) -> None:
    assert count(build("nnunet", inputs, outputs, n_dims, stages=stages)) == expected


def test_nnunet_residual_has_the_size_of_the_released_one() -> None:
    """Counted in version 0.4.4 of the released architectures, 6 stages, 1 channel, 2 classes."""
    assert count(build("nnunet-residual", 1, 2, 2)) == 71_816_586
    assert count(build("nnunet-residual", 1, 2, 3)) == 102_349_770


@pytest.mark.parametrize(
    ("size", "expected"), [(188, 4), (252, 68), (508, 324), (572, 388), (684, 500), (700, 516)]
)
def test_unet_paper_sizes(size: int, expected: int) -> None:
    network = build("unet-paper", 1, 2)
    field = field_of(network)
    assert field.allows(size)
    assert field.output_size(size) == expected
    assert tuple(network(torch.empty(1, 1, size, size, device="meta")).shape[2:]) == (expected,) * 2


def test_unet_paper_crops_its_skips_by_the_offsets_of_the_paper() -> None:
    network = build("unet-paper", 1, 2)
    encoder_sizes: list[int] = []
    up_sizes: list[int] = []
    for stage in network.encoder[:-1]:
        stage.register_forward_hook(lambda *a: encoder_sizes.append(a[2].shape[-1]))
    for up in network.upsampling:
        up.register_forward_hook(lambda *a: up_sizes.append(a[2].shape[-1]))
    network(torch.empty(1, 1, 572, 572, device="meta"))
    assert encoder_sizes == [568, 280, 136, 64]
    assert up_sizes == [56, 104, 200, 392]
    offsets = [(a - b) // 2 for a, b in zip(encoder_sizes[::-1], up_sizes, strict=True)]
    assert offsets == [4, 16, 40, 88]


def test_unet_paper_has_23_convolutions_and_starts_as_the_paper_asks() -> None:
    torch.manual_seed(0)
    network = build_network("unet-paper", NetworkIO(2, 1, 2), {})
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == 23
    second = network.encoder[0][2]  # 3 x 3 on 64 maps: N = 576
    assert second.weight.std().item() == pytest.approx(0.05893, rel=0.02)
    assert all(not layer.bias.any() for layer in layers)


@pytest.mark.parametrize(
    ("size", "pools", "top"),
    [
        (500, [349, 175, 88, 44, 22], 16),
        (512, [355, 178, 89, 45, 23], 17),
        (224, [211, 106, 53, 27, 14], 8),
    ],
)
def test_fcn_sizes(size: int, pools: list[int], top: int) -> None:
    """Pooling rounds up; with floor pooling a 500-pixel image could not be cropped."""
    ups = {"fcn-32s": [32], "fcn-16s": [2, 16], "fcn-8s": [2, 2, 8]}
    for name, factors in ups.items():
        network = build(name, 3, 21)
        seen: list[int] = []
        for pool in network.pools:
            pool.register_forward_hook(lambda *a, seen=seen: seen.append(a[2].shape[-1]))
        network.fc7.register_forward_hook(lambda *a, seen=seen: seen.append(a[2].shape[-1]))
        for up in network.ups:
            up.register_forward_hook(lambda *a, seen=seen: seen.append(a[2].shape[-1]))
        answer = network(torch.empty(1, 3, size, size, device="meta"))
        wanted, width = [], top
        for factor in factors:
            width = factor * (width - 1) + 2 * factor
            wanted.append(width)
        assert seen == [*pools, top, *wanted]
        assert tuple(answer.shape[2:]) == (size, size)


def test_fcn_final_maps_of_a_500_pixel_image() -> None:
    finals = {"fcn-32s": [544], "fcn-16s": [34, 560], "fcn-8s": [34, 70, 568]}
    crops = {"fcn-32s": (19,), "fcn-16s": (5, 27), "fcn-8s": (5, 9, 31)}
    for name, sizes in finals.items():
        network = build(name, 3, 21)
        seen: list[int] = []
        for up in network.ups:
            up.register_forward_hook(lambda *a, seen=seen: seen.append(a[2].shape[-1]))
        network(torch.empty(1, 3, 500, 500, device="meta"))
        assert seen == sizes
        assert network.crops == crops[name]


def test_segnet_sizes_at_360_by_480() -> None:
    network = build("segnet", 3, 11)
    seen: list[tuple[int, ...]] = []
    for block in network.encoder:
        block.register_forward_hook(lambda *a: seen.append(tuple(a[2].shape[2:])))
    network(torch.empty(1, 3, 360, 480, device="meta"))
    assert seen == [(360, 480), (180, 240), (90, 120), (45, 60), (23, 30)]


@pytest.mark.parametrize(("size", "expected"), [(500, 16), (628, 32), (852, 60), (900, 66)])
def test_front_end_sizes(size: int, expected: int) -> None:
    with torch.device("meta"):
        network = front_end(NetworkIO(2, 3, 21), 64)
    assert network(torch.empty(1, 3, size, size, device="meta")).shape[-1] == expected
