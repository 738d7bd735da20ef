"""Losses on y = (1, 1, 0, 0), p = (.8, .6, .3, .1), worked out by hand, and on small pictures."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from pixelwise.core.errors import BadPlan
from pixelwise.losses import LOSSES
from pixelwise.losses.boundary import signed_distance
from pixelwise.losses.centre_lines import soft_skeleton

Y = (1, 1, 0, 0)
P = (0.8, 0.6, 0.3, 0.1)


def two_class_logits(probabilities: Tensor) -> Tensor:
    """(n, 2, …) logits whose softmax gives the foreground these probabilities (n, …)."""
    return torch.stack([torch.zeros_like(probabilities), torch.logit(probabilities)], dim=1)


def value_of(name: str, **options: Any) -> float:
    loss = LOSSES.build(name, options=options)
    logits = two_class_logits(torch.tensor([[P]], dtype=torch.float64))
    target = torch.tensor([[Y]])
    return float(loss(logits, target, torch.ones_like(target, dtype=torch.bool)))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("cross-entropy", {}, 0.299001),
        ("cross-entropy", {"class_weights": (1.0, 3.0)}, 0.332993),
        ("focal", {"gamma": 0.0}, 0.299001),
        ("focal", {}, 0.030953),
        ("focal", {"class_weights": (0.75, 0.25)}, 0.011883),
        ("soft-dice", {"smooth": 0.0}, 1 - 0.736842),
        ("soft-dice", {"smooth": 1.0}, 1 - 0.791667),
        ("soft-dice", {"smooth": 0.0, "denominators": "squared"}, 1 - 0.903226),
        ("soft-dice", {"smooth": 0.0, "scope": "image"}, 1 - 0.736842),
        ("soft-jaccard", {"smooth": 0.0}, 1 - 0.583333),
        ("tversky", {"smooth": 0.0}, 1 - 0.721650),
        ("tversky", {"smooth": 0.0, "exponent": 0.75}, 0.383216),
        ("tversky", {"smooth": 0.0, "false_positives": 0.5, "false_negatives": 0.5}, 0.263158),
        ("generalised-dice", {"smooth": 0.0}, 0.25),
        ("lovasz", {"include_background": False}, 0.316667),
    ],
)
def test_worked_values(name: str, options: dict[str, Any], expected: float) -> None:
    assert value_of(name, **options) == pytest.approx(expected, abs=1e-6)


def test_a_sum_is_a_sum() -> None:
    parts = ("cross-entropy", "focal", "lovasz")
    total = value_of("sum", parts=parts, weights=(1.0, 2.0, 0.5))
    single = [value_of(name) for name in parts]
    assert total == pytest.approx(single[0] + 2 * single[1] + 0.5 * single[2])
    with pytest.raises(BadPlan, match="as many weights"):
        LOSSES.build("sum", options={"parts": parts, "weights": (1.0,)})
    with pytest.raises(BadPlan, match="different kinds of target"):
        LOSSES.build("sum", options={"parts": ("cross-entropy", "binary-dice")})


def square(probability_inside: float, probability_outside: float) -> tuple[Tensor, Tensor]:
    truth = torch.zeros(1, 5, 5, dtype=torch.int64)
    truth[:, 1:4, 1:4] = 1
    probabilities = torch.where(truth == 1, probability_inside, probability_outside)
    return two_class_logits(probabilities.double()), truth


@pytest.mark.parametrize(
    ("inside", "outside", "expected"), [(1.0, 0.0, -0.04), (0.0, 0.0, 0.0), (1.0, 1.0, 0.666274)]
)
def test_boundary_loss_of_a_square(inside: float, outside: float, expected: float) -> None:
    """A perfect mask gives -1 / 25, an empty one 0, a full one (12 + 4 sqrt 2 - 1) / 25."""
    logits, truth = square(inside, outside)
    logits = logits.clamp(-40, 40)
    valid = torch.ones_like(truth, dtype=torch.bool)
    value = LOSSES.build("boundary", options={})(logits, truth, valid)
    assert float(value) == pytest.approx(expected, abs=1e-6)
    assert (12 + 4 * math.sqrt(2) - 1) / 25 == pytest.approx(0.666274, abs=1e-6)


def test_signed_distance() -> None:
    mask = square(1, 0)[1][0].numpy() == 1
    distance = signed_distance(mask)
    assert distance[2, 2] == -1
    assert distance[1, 1] == distance[1, 2] == 0
    assert distance[0, 1] == 1
    assert distance[0, 0] == pytest.approx(math.sqrt(2))
    assert not signed_distance(mask & False).any()


def bar() -> Tensor:
    """A bar of 3 x 11 pixels with a margin of 2."""
    values = torch.zeros(1, 1, 7, 15)
    values[..., 2:5, 2:13] = 1
    return values


@pytest.mark.parametrize(("iterations", "n_pixels"), [(0, 0), (1, 9), (5, 9)])
def test_soft_skeleton_of_a_bar(iterations: int, n_pixels: int) -> None:
    skeleton = soft_skeleton(bar(), iterations)
    assert float(skeleton.sum()) == n_pixels
    assert float(skeleton[..., 3, 3:12].sum()) == n_pixels


def test_cl_dice_of_a_cut_bar() -> None:
    """One column of eleven cut out: 8 of 9 centre pixels are left, none of them wrong."""
    truth, cut = bar(), bar()
    cut[..., 7] = 0
    logits = two_class_logits(cut[:, 0].double()).clamp(-40, 40)
    loss = LOSSES.build("cl-dice", options={"share": 1.0, "smooth": 0.0, "iterations": 5})
    valid = torch.ones(1, 7, 15, dtype=torch.bool)
    assert 1 - float(loss(logits, truth[:, 0].long(), valid)) == pytest.approx(0.941176, abs=1e-6)


@pytest.mark.parametrize("name", [n for n in LOSSES.names() if not n.startswith("binary")])
def test_gradients_against_finite_differences(name: str) -> None:
    """In float64; the boundary loss is linear in p, clDice has corners only where maxima tie."""
    loss = LOSSES.build(name, options={})
    generator = torch.Generator().manual_seed(3)
    target = torch.randint(0, 3, (2, 6, 5), generator=generator)
    valid = torch.rand(2, 6, 5, generator=generator) > 0.2
    logits = torch.randn(2, 3, 6, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: loss(values, target, valid), logits)


def test_where_the_naive_forms_break() -> None:
    """softmax then log gives infinity at confident errors; bfloat16 sums lose small objects."""
    logits = torch.tensor([[[200.0]], [[-200.0]]]).movedim(0, 1)
    target = torch.ones(1, 1, dtype=torch.int64)
    valid = torch.ones_like(target, dtype=torch.bool)
    naive = -torch.log(torch.softmax(logits, 1))[0, 1, 0]
    assert torch.isinf(naive)
    for name in ("cross-entropy", "focal"):
        assert float(LOSSES.build(name, options={})(logits, target, valid)) == pytest.approx(400)

    truth = torch.zeros(1, 512, 512, dtype=torch.int64)
    truth[:, :16, :16] = 1
    flat = torch.zeros(1, 2, 512, 512, dtype=torch.bfloat16)
    flat[:, 1][truth == 1] = 4.0
    flat[:, 1][truth == 0] = -4.0
    p = torch.softmax(flat, 1)[:, 1]
    naive_dice = 2 * (p * truth).sum() / (p.sum() + truth.sum())
    exact = torch.sigmoid(torch.tensor(4.0)).double()
    wanted = 2 * 256 * exact / (256 * exact + (512**2 - 256) * (1 - exact) + 256)
    ours = 1 - LOSSES.build("soft-dice", options={"smooth": 0.0})(
        flat, truth, torch.ones_like(truth, dtype=torch.bool)
    )
    assert float(ours) == pytest.approx(float(wanted), rel=1e-4)
    assert abs(float(naive_dice) - float(wanted)) > 10 * abs(float(ours) - float(wanted))


@pytest.mark.parametrize("name", [n for n in LOSSES.names() if not n.startswith("binary")])
def test_a_class_of_weight_zero_and_a_batch_without_labels(name: str) -> None:
    options = {"class_weights": (0.0, 0.0)} if name in ("cross-entropy", "focal") else {}
    loss = LOSSES.build(name, options=options)
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    target = torch.zeros(1, 4, 4, dtype=torch.int64)
    for valid in (torch.ones_like(target).bool(), torch.zeros_like(target).bool()):
        value = loss(logits, target, valid)
        assert torch.isfinite(value)
        value.backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
