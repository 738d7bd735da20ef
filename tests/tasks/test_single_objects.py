"""Objects from maps: touching ones parted, lone parts kept, small ones left out, numbers 1 to n."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelwise.arrays.object_guides import contact_map, depth_map
from pixelwise.metrics.instances import average_precision
from pixelwise.tasks import build_task
from pixelwise.tasks.single_objects import find_objects


def maps_of(numbers: np.ndarray, sigma: float = 1.5) -> np.ndarray:
    """What a perfect network would answer: background, class, depth, contact."""
    inside = (numbers > 0).astype(np.float32)
    return np.stack([1 - inside, inside, depth_map(numbers), contact_map(numbers, sigma=sigma)])


def discs(*places: tuple[int, int], radius: int = 9) -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    numbers = np.zeros((48, 64), np.int32)
    for number, (row, column) in enumerate(places, start=1):
        near = (y - row) ** 2 + (x - column) ** 2 <= radius**2
        numbers[near & (numbers == 0)] = 7 * number
    return numbers


def test_touching_discs_are_parted() -> None:
    """One part as a mask, three objects by their maps."""
    truth = discs((20, 14), (20, 31), (20, 48))
    found = find_objects(maps_of(truth), (truth > 0).astype(np.uint8))
    assert found.max() == 3
    mean, _ = average_precision(truth, found)
    assert mean > 0.9


@pytest.mark.parametrize("smallest", [0, 20])
def test_what_has_no_seed_is_an_object_unless_it_is_small(smallest: int) -> None:
    truth = discs((20, 14))
    truth[40:43, 50:54] = 900
    planes = maps_of(truth)
    planes[2, 40:43] = 0.1
    found = find_objects(planes, (truth > 0).astype(np.uint8), smallest=smallest)
    assert found.max() == (2 if smallest == 0 else 1)
    assert (found[41, 51] > 0) == (smallest == 0)


def test_no_foreground_no_objects() -> None:
    empty = np.zeros((5, 6), np.int32)
    assert not find_objects(maps_of(empty), np.zeros((5, 6), np.uint8)).any()


def test_volumes() -> None:
    truth = np.zeros((12, 14, 30), np.int32)
    truth[2:10, 2:12, 2:15], truth[2:10, 2:12, 15:28] = 4, 9
    found = find_objects(maps_of(truth), (truth > 0).astype(np.uint8))
    assert average_precision(truth, found)[0] == 1.0


def test_probabilities_are_of_classes_and_of_maps() -> None:
    task = build_task("instances", 3, {})
    assert task.n_outputs == 5
    found = task.probabilities(torch.tensor([0.0, 0.0, 0.0, 0.0, 30.0]).reshape(1, 5, 1, 1))
    torch.testing.assert_close(
        found.reshape(5), torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.5, 1.0]), atol=1e-6, rtol=0
    )
    logits = torch.tensor([0.0, 1.0, 2.0, 9.0, 9.0]).reshape(1, 5, 1, 1)
    assert task.decode_logits is not None
    assert int(task.decode_logits(logits)) == 2
