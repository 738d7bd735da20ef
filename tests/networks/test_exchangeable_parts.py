"""Every way down, up and across, in every network that lets it be exchanged."""

from __future__ import annotations

import itertools
from itertools import pairwise
from typing import Any

import pytest
import torch

from pixelwise.core.errors import BadPlan
from pixelwise.explanation.receptive import receptive_field
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.networks.bilinear import make_score_upsampling

DOWN = ("max", "average", "strided", "dilated")
UP = ("transposed", "nearest", "bilinear", "bicubic", "pixel-shuffle", "unpooling")
SCORES_UP = ("fixed", "learned", "full", "nearest", "bicubic", "pixel-shuffle")
SKIPS = ("concatenate", "add", "none")


def one_at_a_time(down: tuple[str, ...], up: tuple[str, ...], usual_up: str) -> list[Any]:
    """Each value of each option once, the others as usual."""
    varied: list[dict[str, str]] = [{"downsampling": kind, "upsampling": usual_up} for kind in down]
    varied += [{"upsampling": kind} for kind in up]
    varied += [{"skip": kind, "upsampling": usual_up} for kind in SKIPS]
    return varied


MIRRORED = [
    (name, options)
    for name, down in (
        ("segnet", DOWN),
        ("segnet-basic", DOWN),
        ("deconvnet", ("max", "average", "strided")),
    )
    for options in one_at_a_time(down, UP, "nearest")
]
FULLY_CONVOLUTIONAL = [
    (name, options)
    for name in ("fcn-16s", "fcn-8s-at-once")
    for options in one_at_a_time(("max", "average", "strided"), SCORES_UP, "fixed")
]
DOWN_AND_UP = [
    ("dilated", {key: kind})
    for key, kinds in (("downsampling", ("max", "average", "strided")), ("upsampling", SCORES_UP))
    for kind in kinds
]
WITH_PLACES = {"downsampling": "max", "upsampling": "unpooling"}
STAGED = [
    (name, {"stages": 3, **options})
    for name in ("nnunet", "nnunet-residual")
    for options in (*one_at_a_time(DOWN, UP[:-1], "transposed"), WITH_PLACES)
]
LIGHT = [
    ("light", {"depth": 2, **options})
    for options in (*one_at_a_time(DOWN[:-1], UP[:-1], "transposed"), WITH_PLACES)
]
IN_3D = [
    (name, options)
    for name, options in STAGED + LIGHT
    if options.get("upsampling") != "bicubic" and name != "nnunet-residual"
]
THICK = {
    "nnunet": {"strides": ((1, 1, 1), (1, 2, 2), (2, 2, 2)), "kernels": ((1, 3, 3),) * 3},
    "light": {"strides": ((1, 2, 2), (1, 2, 2), (2, 2, 2)), "kernels": ((1, 3, 3),) * 3},
}


def name_of(value: Any) -> str:
    return value if isinstance(value, str) else "-".join(map(str, value.values()))


def learn(network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The finest answer, after every weight was seen to get a gradient."""
    answer = network.train()(images)
    answers = (answer,) if isinstance(answer, torch.Tensor) else answer
    sum((logits * torch.randn_like(logits)).sum() for logits in answers).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, f"{key} gets none"
        assert torch.isfinite(weight.grad).all(), key
    finest: torch.Tensor = answers[0]
    return finest


@pytest.mark.parametrize(
    ("name", "options"),
    MIRRORED + FULLY_CONVOLUTIONAL + DOWN_AND_UP + STAGED + LIGHT,
    ids=name_of,
)
def test_answers_on_the_grid_and_every_weight_learns(name: str, options: dict[str, str]) -> None:
    torch.manual_seed(0)
    network = build_network(name, NetworkIO(2, 1, 3), {"width": 2, **options})
    assert learn(network, torch.randn(2, 1, 41, 37)).shape == (2, 3, 41, 37)


@pytest.mark.parametrize(("name", "options"), IN_3D, ids=name_of)
def test_the_same_for_volumes_with_thick_slices(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = build_network(name, NetworkIO(3, 1, 2), {"width": 2, **options, **THICK[name]})
    assert learn(network, torch.randn(2, 1, 5, 14, 17)).shape == (2, 2, 5, 14, 17)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *STAGED,
        *LIGHT,
        ("segnet-basic", {"downsampling": "dilated", "upsampling": "nearest"}),
        ("segnet-basic", {"upsampling": "bicubic", "skip": "add"}),
        ("fcn-16s", {"upsampling": "bicubic"}),
        ("dilated", {"upsampling": "bicubic", "context": "none"}),
    ],
    ids=name_of,
)
def test_no_output_pixel_sees_further_than_stated(name: str, options: dict[str, Any]) -> None:
    """Tiles rest on it. The trace is exact; the statement may be larger."""
    with torch.device("meta"):
        network = build_network(name, NetworkIO(2, 1, 2), {"width": 1, **options})
    sight = receptive_field(network, 1)
    stated = field_of(network).reach
    assert sight.reach is not None
    assert stated is not None
    assert sight.reach <= stated <= 1.5 * sight.reach


def test_published_forms_are_untouched_by_the_exchange() -> None:
    """Without an option, nothing is added to the weights; a pooling adds none, a stride one."""
    counts = {}
    for kind in ("strided", "max", "dilated"):
        with torch.device("meta"):
            options = {"stages": 6, "downsampling": kind}
            network = build_network("nnunet", NetworkIO(3, 1, 2), options)
        counts[kind] = sum(weight.numel() for weight in network.parameters())
    assert counts["strided"] == counts["max"] == 31_195_594
    up = sum(8 * a * b - a * b for a, b in pairwise((32, 64, 128, 256, 320)))
    same = 8 * 320 * 320 + 320  # 320 maps on both sides need no convolution at all
    assert counts["dilated"] == 31_195_594 - up - same


def test_average_pooling_in_the_classifier_is_dense_too() -> None:
    torch.manual_seed(0)
    options = {"width": 2, "downsampling": "average"}
    network = build_network("sliding-window", NetworkIO(2, 1, 2), options).double().eval()
    image = torch.randn(1, 1, 98, 97, dtype=torch.float64)
    with torch.no_grad():
        whole, window = network(image), network(image[..., 1:96, 2:97])
    torch.testing.assert_close(whole[..., 1:2, 2:3], window, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["segnet", "segnet-basic", "deconvnet"])
@pytest.mark.parametrize("down", ["average", "strided"])
def test_unpooling_needs_the_places_of_maxima(name: str, down: str) -> None:
    with pytest.raises(BadPlan, match="unpooling puts values where max pooling found them"):
        build_network(name, NetworkIO(2, 1, 2), {"width": 2, "downsampling": down})


def test_skips_carry_fine_detail() -> None:
    """With a skip, the finest encoder map reaches the output though all below is cut off."""
    for skip, sees in (("none", False), ("add", True), ("concatenate", True)):
        torch.manual_seed(1)
        options = {"width": 2, "upsampling": "nearest", "skip": skip}
        network = build_network("segnet-basic", NetworkIO(2, 1, 2), options).eval()
        for block in list(network.encoder)[1:]:
            for weight in block.parameters():
                torch.nn.init.zeros_(weight)
        with torch.no_grad():
            first, second = (network(torch.randn(1, 1, 32, 32)) for _ in range(2))
        assert (not torch.allclose(first, second)) == sees, skip


def test_dilation_keeps_the_grid_and_every_shift() -> None:
    """Without any step down, a shifted image gives the shifted answer, away from the border."""
    options = {"width": 2, "downsampling": "dilated", "upsampling": "nearest"}
    torch.manual_seed(2)
    network = build_network("segnet-basic", NetworkIO(2, 1, 2), options).double().eval()
    network.encoder[0][0] = torch.nn.Identity()
    image = torch.randn(1, 1, 201, 201, dtype=torch.float64)
    with torch.no_grad():
        whole, shifted = network(image), network(image[..., 1:, 1:])
    middle = slice(95, 105)
    inner = slice(94, 104)
    torch.testing.assert_close(whole[..., middle, middle], shifted[..., inner, inner])


@pytest.mark.parametrize(("kind", "factor"), list(itertools.product(SCORES_UP, (2, 8))))
def test_scores_of_one_value_stay_that_value_inside(kind: Any, factor: int) -> None:
    up = make_score_upsampling(3, factor, kind)
    if kind == "pixel-shuffle":
        up.start_even()
    values = torch.tensor([1.0, -2.0, 0.5]).reshape(1, 3, 1, 1).expand(1, 3, 5, 4)
    fine = up(values)
    assert fine.shape == (1, 3, factor * 6, factor * 5)
    inside = fine[..., factor:-factor, factor:-factor]
    torch.testing.assert_close(inside, values[..., :1, :1].expand_as(inside))
