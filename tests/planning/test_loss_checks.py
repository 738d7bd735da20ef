"""A loss that cannot be what the plan asks for is refused, with all problems at once."""

from __future__ import annotations

import pytest

from pixelwise.core.errors import BadPlan
from pixelwise.planning.plan_file import change_plan
from tests.plans import make_plan


def refusal(*settings: str) -> str:
    with pytest.raises(BadPlan) as caught:
        change_plan(make_plan(), settings)
    return str(caught.value)


def test_what_fits_is_taken() -> None:
    plan = change_plan(
        make_plan(),
        [
            "loss.name=cross-entropy",
            "loss.class_weights=median-frequency",
            "loss.border_peak=10",
            "loss.options.label_smoothing=0.1",
        ],
    )
    assert plan.loss.class_weights == "median-frequency"
    assert plan.loss.border_peak == 10
    assert plan.loss.border_sigma == 5


@pytest.mark.parametrize("weights", ["[1]", "[1,-2]", "[0,0]"])
def test_given_weights_that_cannot_be(weights: str) -> None:
    told = refusal("loss.name=cross-entropy", f"loss.options.class_weights={weights}")
    assert "2 numbers, one for each class" in told


def test_losses_without_weights() -> None:
    told = refusal("loss.name=lovasz", "loss.class_weights=inverse", "loss.border_peak=10")
    assert "lovasz takes no weights of classes" in told
    assert "lovasz takes no weights of pixels" in told
    assert "cross-entropy-dice" in told
    assert "binary" not in told


def test_given_and_computed_weights_exclude_each_other() -> None:
    told = refusal(
        "loss.name=focal", "loss.options.class_weights=[1,2]", "loss.class_weights=inverse"
    )
    assert "one of both" in told


def test_label_smoothing_below_one() -> None:
    told = refusal("loss.name=cross-entropy", "loss.options.label_smoothing=1.5")
    assert "label_smoothing is 1.5" in told
