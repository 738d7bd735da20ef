"""What every registered task keeps: decode(encode(labels)) = labels."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pixelwise.tasks import TASKS, build_task


@pytest.mark.parametrize("name", TASKS.names())
@pytest.mark.parametrize("shape", [(2, 9, 11), (1, 4, 5, 6)])
def test_round_trip(name: str, shape: tuple[int, ...]) -> None:
    labels = torch.randint(0, 4, shape, generator=torch.Generator().manual_seed(0))
    task = build_task(name, 4, {})
    target = task.encode_target(labels)
    is_planes = target.ndim > labels.ndim
    planes = target if is_planes else F.one_hot(target.long(), task.n_outputs).movedim(-1, 1)
    sure = planes.float() * 40 - 20
    probabilities = task.probabilities(sure)
    assert probabilities.dtype == torch.float32
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    assert torch.equal(task.decode_output(probabilities).long(), labels)
