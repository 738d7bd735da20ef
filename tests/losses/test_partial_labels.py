"""An image that does not annotate a class teaches nothing about where that class is."""

from __future__ import annotations

import pytest
import torch

from pixelwise.losses import LOSSES
from pixelwise.losses.partial_labels import merge_unannotated, respecting_annotation

CLASS_LOSSES = [name for name in LOSSES.names() if not name.startswith("binary")]


def test_probabilities_of_what_is_not_annotated_go_to_the_background() -> None:
    logits = torch.log(torch.tensor([0.1, 0.2, 0.3, 0.4])).reshape(1, 4, 1)
    annotated = torch.tensor([[True, False, True, False]])
    merged = torch.softmax(merge_unannotated(logits, annotated), 1).flatten()
    torch.testing.assert_close(merged, torch.tensor([0.7, 0.0, 0.3, 0.0]))


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_every_loss_is_content_with_either_background_or_the_unknown_class(name: str) -> None:
    """Called background and class 1 unknown: saying 0 or 1 costs the same, saying 2 costs more."""
    loss = LOSSES.build(name, options={})
    annotated = torch.tensor([[True, False, True]])
    target = torch.zeros(1, 6, 6, dtype=torch.int64)
    target[:, :2] = 2
    valid = torch.ones_like(target, dtype=torch.bool)
    values = []
    for said in (0, 1, 2):
        logits = torch.zeros(1, 3, 6, 6)
        logits[:, 2, :2] = 12.0
        logits[:, said, 2:] = 12.0
        values.append(float(respecting_annotation(loss, annotated)(logits, target, valid)))
    assert values[0] == pytest.approx(values[1], abs=1e-4)
    assert values[2] > values[0] + 1e-3


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_gradients_are_finite_and_nothing_changes_with_all_classes(name: str) -> None:
    loss = LOSSES.build(name, options={})
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 5, generator=generator).requires_grad_()
    target = torch.randint(0, 3, (2, 5, 5), generator=generator)
    valid = torch.ones_like(target, dtype=torch.bool)
    everything = torch.ones(2, 3, dtype=torch.bool)
    assert respecting_annotation(loss, everything) is loss
    some = torch.tensor([[True, True, False], [True, True, True]])
    value = respecting_annotation(loss, some)(logits, target, valid)
    value.backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
    wrongly_labelled = (target[0] == 2).nonzero()[0]
    assert logits.grad[0][:, *wrongly_labelled].abs().max() < 1e-6 or name not in (
        "cross-entropy",
        "focal",
    )


def test_one_class_hidden_by_hand() -> None:
    """Cross-entropy of a background pixel: -log(p0 + p1) when class 1 is not annotated."""
    probabilities = torch.tensor([0.5, 0.25, 0.25])
    logits = probabilities.log().reshape(1, 3, 1, 1)
    loss = respecting_annotation(
        LOSSES.build("cross-entropy", options={}), torch.tensor([[True, False, True]])
    )
    target = torch.zeros(1, 1, 1, dtype=torch.int64)
    value = loss(logits, target, torch.ones_like(target, dtype=torch.bool))
    assert float(value) == pytest.approx(-float(torch.log(torch.tensor(0.75))))
