"""One class per pixel: softmax, and the most probable class."""

from __future__ import annotations

import math

import torch

from pixelwise.tasks import build_task


def test_probabilities_and_labels_by_hand() -> None:
    """Logits (0, ln 3) are 1/4 and 3/4; a tie goes to the first class."""
    task = build_task("semantic", 2, {})
    assert task.n_outputs == 2
    logits = torch.tensor([[[0.0, 0.0]], [[math.log(3), 0.0]]])[None]
    probabilities = task.probabilities(logits)
    torch.testing.assert_close(probabilities[0, :, 0, 0], torch.tensor([0.25, 0.75]))
    assert task.decode_output(probabilities).tolist() == [[[1, 0]]]


def test_bfloat16_logits_become_float32_probabilities() -> None:
    task = build_task("semantic", 3, {})
    probabilities = task.probabilities(torch.zeros(1, 3, 2, 2, dtype=torch.bfloat16))
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities, torch.full((1, 3, 2, 2), 1 / 3))


def test_the_target_is_the_labels() -> None:
    labels = torch.tensor([[0, 2], [1, 0]])
    assert torch.equal(build_task("semantic", 3, {}).encode_target(labels), labels)
