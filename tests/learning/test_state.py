"""Stored states that belong elsewhere are refused; decay is for weights, not for biases."""

from __future__ import annotations

import pytest
import torch

from pixelwise.core.errors import BadRun
from pixelwise.learning.state import restore_state, state_tensors

from .fixtures import start


def test_a_state_of_another_network_is_refused() -> None:
    tensors, numbers = state_tensors(start(3, width=8, depth=1))
    with pytest.raises(BadRun, match="does not fit the planned network"):
        restore_state(start(3, width=4, depth=1), tensors, numbers)


def test_biases_and_norms_do_not_decay() -> None:
    state = start()
    decays = {g["weight_decay"]: g["params"] for g in state.optimizer.param_groups}
    assert sorted(decays) == [0.0, 0.01]
    assert all(p.ndim > 1 for p in decays[0.01])
    assert all(p.ndim == 1 for p in decays[0.0])
    n_all = sum(1 for _ in state.network.parameters())
    assert sum(len(params) for params in decays.values()) == n_all


def test_the_average_starts_at_the_weights_and_needs_no_gradient() -> None:
    state = start()
    own = state.network.state_dict()
    assert all(torch.equal(v, own[k]) for k, v in state.averaged.state_dict().items())
    assert not any(p.requires_grad for p in state.averaged.parameters())
    assert not state.averaged.training
