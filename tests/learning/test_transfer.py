"""What fits by name and shape is taken from another network, and said."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixelwise.core.errors import BadRun
from pixelwise.learning.transfer import load_matching


def make(classes: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, classes, 1))


def test_everything_fits() -> None:
    own, other = make(2), make(2)
    said = load_matching(own, other.state_dict())
    assert said == "All 4 tensors were taken from the given run"
    assert all(torch.equal(v, own.state_dict()[k]) for k, v in other.state_dict().items())


def test_a_new_head_stays_as_it_was() -> None:
    own, other = make(5), make(2)
    head = own[1].weight.detach().clone()
    said = load_matching(own, other.state_dict())
    assert said == "2 of 4 tensors were taken from the given run; new: 1.bias, 1.weight"
    assert torch.equal(own[0].weight, other[0].weight)
    assert torch.equal(own[1].weight, head)


def test_nothing_fits() -> None:
    with pytest.raises(BadRun, match="none of its 1 tensors fits the 4"):
        load_matching(make(2), {"x": torch.zeros(3)})
