"""Weights of pixels: means by hand, which losses take them, weights of zero, low precision."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.core.registry import Entry
from pixelwise.losses import LOSSES, LossFunction
from pixelwise.losses.entropy import cross_entropy, focal

WEIGHTED = [name for name in LOSSES.names() if LOSSES.find(name).facts.get("pixel_weights")]
LOGITS = torch.tensor([[[[0.0, math.log(3.0)]], [[0.0, 0.0]]]])  # p0 = 1/2, 3/4
TARGET = torch.tensor([[[0, 1]]])
VALID = torch.ones_like(TARGET, dtype=torch.bool)


def test_a_weighted_mean_by_hand() -> None:
    """-log 1/2 with weight 1 and -log 1/4 with weight 3, over 4."""
    weights = torch.tensor([[[1.0, 3.0]]])
    found = cross_entropy()(LOGITS, TARGET, VALID, weights)
    assert float(found) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4, rel=1e-6)
    with_classes = cross_entropy(class_weights=(2.0, 1.0))(LOGITS, TARGET, VALID, weights)
    assert float(with_classes) == pytest.approx((2 * math.log(2) + 3 * math.log(4)) / 5, rel=1e-6)


def test_focal_divides_by_pixels_not_by_weights() -> None:
    weights = torch.tensor([[[1.0, 3.0]]])
    found = focal(gamma=0.0)(LOGITS, TARGET, VALID, weights)
    assert float(found) == pytest.approx((math.log(2) + 3 * math.log(4)) / 2, rel=1e-6)


def test_label_smoothing_by_hand() -> None:
    """A tenth of the target on both classes: 0.95 and 0.05."""
    found = cross_entropy(label_smoothing=0.1)(LOGITS[..., 1:], TARGET[..., 1:], VALID[..., 1:])
    expected = -0.95 * math.log(0.25) - 0.05 * math.log(0.75)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def build(name: str) -> LossFunction:
    entry: Entry[object] = LOSSES.find(name)
    assert entry.facts["pixel_weights"]
    built: LossFunction = LOSSES.build(name, options={})
    return built


@pytest.mark.parametrize("name", WEIGHTED)
def test_equal_weights_change_nothing(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 6, 7, generator=generator)
    target = torch.randint(0, 3, (2, 6, 7), generator=generator)
    valid = torch.rand(2, 6, 7, generator=generator) > 0.2
    plain = build(name)(logits, target, valid)
    torch.testing.assert_close(build(name)(logits, target, valid, torch.ones(2, 6, 7)), plain)
    uneven = build(name)(logits, target, valid, torch.rand(2, 6, 7, generator=generator) + 0.1)
    assert not torch.isclose(uneven, plain, rtol=1e-4)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_of_zero(name: str, dtype: torch.dtype) -> None:
    logits = torch.full((1, 2, 4, 4), 50.0, dtype=dtype, requires_grad=True)
    target = torch.ones(1, 4, 4, dtype=torch.long)
    valid = torch.ones_like(target, dtype=torch.bool)
    value = build(name)(logits, target, valid, torch.zeros(1, 4, 4))
    value.backward()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    if name in ("cross-entropy", "focal"):
        assert value.detach() == 0


def test_naive_forms_fail_where_ours_do_not() -> None:
    """log(softmax) is minus infinity in bfloat16 at 200; log-sum-exp is 200."""
    logits = torch.tensor([[[[200.0]], [[0.0]]]], dtype=torch.bfloat16)
    target, valid = torch.ones(1, 1, 1, dtype=torch.long), torch.ones(1, 1, 1, dtype=torch.bool)
    naive = -torch.log(torch.softmax(logits, dim=1))[0, 1, 0, 0]
    assert torch.isinf(naive)
    assert float(cross_entropy()(logits, target, valid)) == pytest.approx(200.0)
    assert float(focal()(logits, target, valid)) == pytest.approx(200.0)
