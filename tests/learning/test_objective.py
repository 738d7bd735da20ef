"""What a training lowers: weights, partly annotated images and maps of objects in one value."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.learning.objective import Objective, map_loss
from pixelwise.losses.binary_overlap import binary_cross_entropy
from pixelwise.losses.entropy import cross_entropy
from pixelwise.networks import training_loss
from pixelwise.tasks import build_task

SEMANTIC = build_task("semantic", 2, {})
LOGITS = torch.tensor([[[[0.0, math.log(3.0)]], [[0.0, 0.0]]]])
TARGET = torch.tensor([[[0, 1]]])
VALID = torch.ones_like(TARGET, dtype=torch.bool)


def test_the_first_map_weighs_pixels() -> None:
    maps = torch.tensor([[[[1.0, 3.0]]]])
    found = Objective(cross_entropy(), SEMANTIC, has_weights=True)(LOGITS, TARGET, VALID, maps)
    assert float(found) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4, rel=1e-6)


def test_maps_by_hand() -> None:
    """p = 1/2 against 1 costs log 2, against 1/2 nothing; void pixels cost nothing."""
    logits = torch.zeros(1, 2, 1, 2)
    maps = torch.tensor([[[[1.0, 0.0]], [[0.5, 1.0]]]])
    valid = torch.tensor([[[True, False]]])
    assert float(map_loss(logits, maps, valid)) == pytest.approx(math.log(2) / 2, rel=1e-6)
    assert float(map_loss(logits, maps, torch.zeros_like(valid))) == 0.0


def test_instances_are_classes_and_maps() -> None:
    task = build_task("instances", 2, {})
    logits = torch.cat((LOGITS, torch.zeros(1, 2, 1, 2)), dim=1)
    weights, maps = torch.ones(1, 1, 1, 2), torch.tensor([[[[1.0, 1.0]], [[0.5, 0.5]]]])
    found = Objective(cross_entropy(), task, has_weights=True)(
        logits, TARGET, VALID, torch.cat((weights, maps), dim=1)
    )
    classes = (math.log(2) + math.log(4)) / 2
    assert float(found) == pytest.approx(classes + math.log(2) / 2, rel=1e-6)


def test_classes_not_annotated_are_not_wrong() -> None:
    """A pixel called background may be class 1 where class 1 was not annotated."""
    sure_of_one = torch.tensor([[[[-20.0]], [[20.0]]]])
    background = torch.zeros(1, 1, 1, dtype=torch.long)
    valid = torch.ones_like(background, dtype=torch.bool)
    objective = Objective(cross_entropy(), SEMANTIC)
    assert float(objective(sure_of_one, background, valid)) == pytest.approx(40.0)
    unknown = torch.tensor([[True, False]])
    found = objective(sure_of_one, background, valid, annotated=unknown)
    assert float(found) == pytest.approx(0.0, abs=1e-6)


def test_regions_not_annotated_get_no_gradient() -> None:
    task = build_task("regions", 2, {})
    logits = torch.zeros(1, 2, 1, 1, requires_grad=True)
    labels = torch.zeros(1, 1, 1, dtype=torch.long)  # in no region
    valid = torch.ones_like(labels, dtype=torch.bool)
    # cases of regions count what lies outside all of them behind the regions
    known = torch.tensor([[True, False, True]])
    value = Objective(binary_cross_entropy(), task)(logits, labels, valid, annotated=known)
    value.backward()
    assert logits.grad is not None
    assert float(logits.grad[0, 1]) == 0.0
    assert float(logits.grad[0, 0]) > 0.0


def test_deep_supervision_thins_out_every_plane() -> None:
    """Level 1 sees every second pixel of target, valid and maps."""
    seen: list[tuple[tuple[int, ...], ...]] = []

    def note(logits: torch.Tensor, *planes: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(tuple(plane.shape) for plane in planes))
        assert bool((planes[0] == planes[2][:, 1]).all())
        return logits.sum()

    answers = [torch.zeros(1, 2, n, n) for n in (8, 4, 2)]
    target = torch.arange(64).reshape(1, 8, 8)
    maps = torch.stack((torch.zeros(1, 8, 8), target.float()), dim=1)
    training_loss(note, answers, target, torch.ones_like(target).bool(), maps)
    assert seen == [((1, 8, 8), (1, 8, 8), (1, 2, 8, 8)), ((1, 4, 4), (1, 4, 4), (1, 2, 4, 4))]
