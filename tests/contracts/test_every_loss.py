"""What every registered loss keeps: finite, blind to invalid pixels, lower is better."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.core.case import IGNORE
from pixelwise.losses import LOSSES, LossFunction

N_CLASSES = 3
SHAPES = [(2, 9, 7), (1, 4, 5, 6)]


@pytest.fixture(params=LOSSES.names())
def loss(request: pytest.FixtureRequest) -> LossFunction:
    built: LossFunction = LOSSES.build(request.param, options={})
    if LOSSES.find(request.param).facts.get("targets") != "regions":
        return built

    def of_planes(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Classes are regions that happen not to overlap; class 255 is all of them, and void."""
        planes = torch.stack([(target == k) | (target == IGNORE) for k in range(N_CLASSES)], 1)
        return built(logits, planes.long(), valid)

    return of_planes


def make_target(shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, N_CLASSES, shape, generator=generator)
    return target, torch.rand(shape, generator=generator) > 0.3


def right_logits(target: Tensor, size: float) -> Tensor:
    return F.one_hot(target, N_CLASSES).movedim(-1, 1).float() * size


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [0.0, 1e4, -1e4])
def test_finite_at_extremes(
    loss: LossFunction, shape: tuple[int, ...], dtype: torch.dtype, size: float
) -> None:
    target, valid = make_target(shape)
    logits = right_logits(target, size).to(dtype).requires_grad_()
    value = loss(logits, target, valid)
    value.backward()
    assert value.ndim == 0
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_invalid_pixels_count_for_nothing(loss: LossFunction, shape: tuple[int, ...]) -> None:
    target, valid = make_target(shape)
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(shape[0], N_CLASSES, *shape[1:], generator=generator).requires_grad_()
    value = loss(logits, target, valid)
    value.backward()
    assert logits.grad is not None
    assert logits.grad.movedim(1, -1)[~valid].abs().max() == 0
    assert logits.grad.movedim(1, -1)[valid].abs().max() > 0
    with torch.no_grad():
        other_target = torch.where(valid, target, IGNORE)
        other_logits = torch.where(valid[:, None], logits, 7.5)
        torch.testing.assert_close(loss(other_logits, other_target, valid), value.detach())


@pytest.mark.parametrize("shape", SHAPES)
def test_lower_is_better(loss: LossFunction, shape: tuple[int, ...]) -> None:
    target, valid = make_target(shape)
    values = [float(loss(right_logits(target, size), target, valid)) for size in (8, 1, 0, -8)]
    assert values == sorted(values)
    assert values[0] < values[2] < values[3]


def test_following_its_gradient_lowers_it(loss: LossFunction) -> None:
    target, valid = make_target((2, 9, 7))
    logits = torch.zeros(2, N_CLASSES, 9, 7, requires_grad=True)
    before = loss(logits, target, valid)
    before.backward()
    assert logits.grad is not None
    with torch.no_grad():
        after = loss(logits - 0.1 * logits.grad / logits.grad.abs().max(), target, valid)
    assert after < before


@pytest.mark.parametrize("present", range(N_CLASSES))
def test_absent_classes(loss: LossFunction, present: int) -> None:
    target = torch.full((1, 6, 6), present)
    valid = torch.ones_like(target, dtype=torch.bool)
    logits = right_logits(target, 3.0).requires_grad_()
    value = loss(logits, target, valid)
    value.backward()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_no_valid_pixel_gives_zero_that_can_be_differentiated(loss: LossFunction) -> None:
    target, _ = make_target((2, 5, 5))
    logits = right_logits(target, -3.0).requires_grad_()
    value = loss(logits, target, torch.zeros_like(target, dtype=torch.bool))
    assert value.detach() == 0
    value.backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0
