"""Layers in bfloat16: what loses nothing stays in it, so that nothing is converted twice."""

from __future__ import annotations

import pytest
import torch

from pixelwise.networks.layers import MAX_POOL


@pytest.mark.parametrize("n_dims", [2, 3])
def test_maxima_stay_in_the_arithmetic_of_their_values(n_dims: int) -> None:
    values = torch.arange(2.0 * 4**n_dims).reshape(1, 2, *(4,) * n_dims).bfloat16()
    values.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = MAX_POOL[n_dims](2)(values)
    assert found.dtype == torch.bfloat16
    last = values.detach()[(..., *(slice(1, None, 2),) * n_dims)]  # ascending: the last is largest
    assert torch.equal(found, last)
    found.sum().backward()
    assert values.grad is not None
    assert int(values.grad.sum()) == last.numel()
