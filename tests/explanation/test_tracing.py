"""Traces against the papers: multiply-accumulates, receptive fields, sizes, any module."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.core.errors import ShapeMismatch
from pixelwise.explanation.receptive import influenced_region, receptive_field, seen_region
from pixelwise.explanation.tracing import trace_network
from pixelwise.networks import NetworkIO, build_network
from pixelwise.networks.dilated import context_module, front_end
from pixelwise.networks.sliding_window import window_classifier


def build(name: str, inputs: int, outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return build_network(name, NetworkIO(2, inputs, outputs), options)


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "options", "size", "expected"),
    [
        ("unet-paper", 1, 2, {}, (572, 572), 150_428_424_448),
        ("unet-paper", 1, 2, {}, (700, 700), 246_634_518_784),
        ("unet", 1, 2, {"width": 64}, (512, 512), 192_384_335_872),
        ("sliding-window", 1, 2, {}, (606, 606), 66_990_362_368),
    ],
)
def test_exact_multiplications(
    name: str, inputs: int, outputs: int, options: Any, size: Any, expected: int
) -> None:
    trace = trace_network(build(name, inputs, outputs, **options), (1, inputs, *size))
    assert trace.multiplications == expected


@pytest.mark.parametrize(
    ("name", "outputs", "size", "giga"),
    [
        ("fcn-32s", 21, (512, 512), 189.698),
        ("fcn-16s", 21, (512, 512), 189.723),
        ("fcn-8s", 21, (512, 512), 189.767),
        ("fcn-8s", 21, (500, 500), 180.993),
        ("fcn-8s", 21, (360, 480), 139.398),
        ("deconvnet", 21, (224, 224), 32.746),
        ("segnet", 11, (360, 480), 106.712),
        ("segnet-basic", 11, (360, 480), 59.189),
    ],
)
def test_multiplications_in_giga(name: str, outputs: int, size: Any, giga: float) -> None:
    trace = trace_network(build(name, 3, outputs), (1, 3, *size))
    assert trace.multiplications / 1e9 == pytest.approx(giga, abs=6e-4)


def test_multiplications_of_parts() -> None:
    with torch.device("meta"):
        classifier = window_classifier(NetworkIO(2, 1, 2))
        basic, large = (context_module(2, 21, kind) for kind in ("basic", "large"))
        front = front_end(NetworkIO(2, 3, 21), 64)
    assert trace_network(classifier, (1, 1, 95, 95)).multiplications == 121_464_592
    assert trace_network(basic, (1, 21, 64, 64)).multiplications == 115_605_504
    assert trace_network(large, (1, 21, 64, 64)).multiplications == 27_857_313_792
    assert trace_network(front, (1, 3, 900, 900)).multiplications / 1e9 == pytest.approx(
        791.6, abs=0.05
    )


def test_layers_of_the_unet_as_in_the_table_of_the_paper() -> None:
    trace = trace_network(build("unet-paper", 1, 2), (1, 1, 572, 572))
    wanted = {
        "encoder.0.0": (570, 640, 187_142_400),
        "encoder.4.2": (28, 9_438_208, 7_398_752_256),
        "upsampling.3": (56, 2_097_664, 1_644_167_168),
        "decoder.3.0": (54, 4_719_104, 13_759_414_272),
        "heads.0": (388, 130, 19_269_632),
    }
    rows = {row.module: row for row in trace.rows}
    for module, (size, parameters, multiplications) in wanted.items():
        row = rows[module]
        assert (row.shape[-1], row.parameters, row.multiplications) == (
            size, parameters, multiplications,
        )  # fmt: skip
    assert rows["encoder.4.2"].sees == (140, 140)
    assert rows["encoder.4.2"].jump == 16
    assert sum(row.parameters for row in trace.rows) == trace.parameters == 31_030_658


def test_cropping_a_skip_copies_nothing() -> None:
    trace = trace_network(build("unet-paper", 1, 2), (1, 1, 572, 572))
    crops = [row for row in trace.rows if row.operation == "crop"]
    assert len(crops) == 4
    assert all(row.n_bytes == 0 for row in crops)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("unet-paper", (188, 204)),
        ("sliding-window", (95,)),
        ("fcn-32s", (436,)),
        ("fcn-8s", (436, 468)),
        ("segnet-basic", (186, 202)),
        ("segnet", (372, 404)),
    ],
)
def test_receptive_fields(name: str, sizes: tuple[int, ...]) -> None:
    assert receptive_field(build(name, 3, 2), 3).sizes == sizes


def test_receptive_fields_inside_networks() -> None:
    rows = {r.module: r for r in trace_network(build("fcn-32s", 3, 21), (1, 3, 512, 512)).rows}
    assert rows["fc7.0"].sees == (404, 404)
    segnet = trace_network(build("segnet", 3, 2), (1, 3, 512, 512))
    assert max(r.sees[0] for r in segnet.rows if r.operation == "max pooling") == 212
    basic = trace_network(build("segnet-basic", 3, 2), (1, 3, 512, 512))
    assert max(r.sees[0] for r in basic.rows if r.operation == "max pooling") == 106
    with torch.device("meta"):
        front = front_end(NetworkIO(2, 3, 2), 4)
        both = nn.Sequential(front, context_module(2, 2, "basic"))
    assert trace_network(front, (1, 3, 900, 900)).rows[-1].sees == (380, 380)
    assert trace_network(both, (1, 3, 1900, 1900)).rows[-1].sees == (908, 908)


def test_which_output_rows_of_the_unet_see_188() -> None:
    trace = trace_network(build("unet-paper", 1, 2), (1, 1, 572, 572))
    sizes = trace.sights[0].sizes()
    assert {int(i) % 16 for i in range(388) if sizes[i] == 188} == {0, 1, 2, 3}
    assert set(sizes.tolist()) == {188, 204}


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_stacked_convolutions_see_one_plus_two_n(count: int) -> None:
    stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(count)))
    assert receptive_field(stack, 1).sizes == (1 + 2 * count,)


def test_axes_may_see_differently() -> None:
    """A kernel of 1 x 3 looks aside only; half the grid is given in input pixels."""
    flat = nn.Sequential(nn.Conv2d(1, 1, (1, 3), padding=(0, 1)), nn.Conv2d(1, 1, 2, stride=2))
    found = receptive_field(flat, 1)
    assert found.by_axis == ((2,), (4,))
    assert found.sizes == (2,)
    assert found.reach == 2  # of 1.5 pixels from the middle of the 4


def test_dilations_one_two_four_see_3_7_15() -> None:
    for count, expected in ((1, 3), (2, 7), (3, 15)):
        steps = [2**i for i in range(count)]
        stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=d, padding=d) for d in steps))
        assert receptive_field(stack, 1).sizes == (expected,)


def test_context_module_sees_3_5_9_17_33_65_67_67() -> None:
    trace = trace_network(context_module(2, 2, "basic"), (1, 2, 200, 200))
    seen = [row.sees[0] for row in trace.rows if row.operation == "convolution"]
    assert seen == [3, 5, 9, 17, 33, 65, 67, 67]
    deep = trace_network(context_module(2, 2, "deep"), (1, 2, 400, 400))
    assert deep.rows[-1].sees == (259, 259)


def numeric_region(network: nn.Module, size: int, pixel: int) -> tuple[int, int]:
    """The slow twin: which inputs have a gradient, with positive weights and inputs."""
    for weight in network.parameters():
        nn.init.uniform_(weight, 0.1, 0.2)
    image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    network.double()(image)[0, :, pixel, pixel].sum().backward()
    assert image.grad is not None
    hit = torch.nonzero(image.grad[0, 0].sum(dim=0))[:, 0]
    return int(hit[0]), int(hit[-1])


class Foreign(nn.Module):
    """A network of nobody here: function calls, an odd kernel, an interpolation."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 2, 5, stride=2, padding=2)
        self.b = nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1, output_padding=1)
        self.c = nn.Conv2d(3, 1, 3, padding=1, groups=1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.avg_pool2d(F.relu(self.a(x)), 2)
        y = F.interpolate(y, scale_factor=2, mode="bilinear")
        y = self.b(y)
        return self.c(torch.cat((F.pad(x, (1, 1, 1, 1), mode="reflect")[..., 1:-1, 1:-1], y), 1))


def test_foreign_network_is_followed_exactly() -> None:
    network = Foreign()
    trace = trace_network(network, (1, 1, 48, 48))
    for pixel in (0, 1, 17, 18, 19, 20, 47):
        assert seen_region(trace, (pixel, pixel))[0] == numeric_region(network, 48, pixel)
    assert influenced_region(trace, (20, 20))[0] is not None


def test_seen_and_influenced_are_each_others_inverse() -> None:
    trace = trace_network(build("unet", 1, 2, width=2, depth=2), (1, 1, 64, 64))
    for output in range(64):
        first, last = seen_region(trace, (output, output))[0]
        for place in (first, last):
            region = influenced_region(trace, (place, place))[0]
            assert region is not None
            assert region[0] <= output <= region[1]


def test_an_impossible_size_is_one_clear_error() -> None:
    with pytest.raises(ShapeMismatch, match="5x5"):
        trace_network(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 5)), (1, 1, 5, 5))
