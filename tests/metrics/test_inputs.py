"""Bad input ends with one clear message and never with a number; good input of any layout works."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pixelwise import metrics
from pixelwise.core.errors import BadData, BadPlan, ShapeMismatch, UserError
from pixelwise.metrics import measure
from pixelwise.metrics.other_names import OUR_NAME, WHOLE_ARRAYS

GOOD = np.array([[0, 1, 2], [0, 1, 2]], np.uint8)


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        (GOOD, GOOD[:, :2], r"\(2, 3\).*\(2, 2\)"),
        (GOOD, GOOD.astype(float), "float64"),
        (GOOD, GOOD / 3.0, "probabilities"),
        (np.where(GOOD == 1, np.nan, 0.0), GOOD, "NaN"),
        (GOOD, np.array(1), "0 dimensions"),
        (np.zeros((1, 1, 2, 3), int), np.zeros((1, 1, 2, 3), int), "4 dimensions"),
        (GOOD, np.full((2, 3), "a"), "labels"),
        (GOOD.astype(int) - 1, GOOD, "-1"),
        (GOOD.astype(int) * 500, GOOD, "1001 classes"),
    ],
)
def test_arrays_that_are_no_labels(truth: np.ndarray, predicted: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        measure(truth, predicted)


@pytest.mark.parametrize("spacing", [(1, 0), (1, -2), (1, 1, 1), (1, math.nan), (1, math.inf)])
def test_spacings_that_are_none(spacing: tuple[float, ...]) -> None:
    with pytest.raises(BadData, match="spacing"):
        metrics.hd(GOOD == 1, GOOD == 1, spacing)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spacing": "1 mm"}, "spacing is '1 mm'"),
        ({"spacing": {"y": 1, "x": 1}}, "spacing is"),
        ({"metrics": None}, "given as None"),
        ({"metrics": [metrics.dice]}, "a metric is given as"),
        ({"classes": 2.0}, "classes is 2.0"),
        ({"classes": "ab"}, "classes is 'ab'"),
        ({"ignore_label": 1.5}, "ignore_label is 1.5"),
    ],
)
def test_options_that_are_none(options: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        measure(GOOD, GOOD, **options)


def test_huge_labels_are_refused_at_once() -> None:
    for highest in (10**9, 2**63):
        with pytest.raises(BadData, match=f"{highest + 1} classes"):
            measure(np.where(GOOD == 2, np.uint64(highest), np.uint64(0)), GOOD)


def test_hidden_and_silent_pixels_are_no_answer() -> None:
    with pytest.raises(BadData, match="masked array"):
        metrics.dice(np.ma.masked_array(GOOD, GOOD == 2), GOOD)
    silent = np.where(GOOD == 1, 255, GOOD)
    with pytest.raises(BadData, match="void at 2 of 6"):
        measure(GOOD, silent, ignore_label=255)


def test_unknown_metrics_and_options_all_at_once() -> None:
    with pytest.raises(BadPlan) as caught:
        measure(GOOD, GOOD, ["dise", "nsd:tolerence=2", "hd95:percentile"])
    text = str(caught.value)
    assert "Did you mean dice" in text
    assert "tolerence" in text
    assert "without a value" in text


def test_any_layout_gives_the_same_numbers_and_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, (13, 17)).astype(np.uint8)
    predicted = np.where(generator.random(truth.shape) < 0.2, 0, truth).astype(np.uint8)
    expected = measure(truth, predicted)
    frozen = truth.copy()
    frozen.flags.writeable = False
    strided = np.repeat(truth, 2, axis=1)[:, ::2]
    for other in (frozen, strided, np.asfortranarray(truth), truth.astype(np.int64),
                  torch.from_numpy(truth.copy())):  # fmt: skip
        assert measure(other, predicted) == expected
    np.testing.assert_array_equal(frozen, truth)


def test_void_counts_nowhere() -> None:
    truth = np.array([[1, 1, 255, 0], [1, 1, 255, 0]], np.uint8)
    predicted = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], np.uint8)
    assert measure(truth, predicted, ["dice", "hd"], ignore_label=255) == {
        1: {"dice": 1.0, "hd": 0.0}
    }
    valid = np.array([[1, 1, 0, 1], [1, 1, 0, 1]], bool)
    clean = np.where(truth == 255, 0, truth)
    assert measure(clean, predicted, ["dice", "hd"], valid=valid)[1] == {"dice": 1.0, "hd": 0.0}
    assert metrics.dice(clean, predicted) < 1


def test_a_volume_of_one_slice_is_a_volume() -> None:
    image = np.zeros((9, 9), bool)
    image[2:7, 2:7] = True
    hole = image.copy()
    hole[4, 4] = False
    assert metrics.hd(image, hole) == pytest.approx(1)
    assert metrics.hd(image[None], hole[None]) == 1
    assert metrics.assd(image, hole) != metrics.assd(image[None], hole[None])


def test_shapes_are_never_broadcast() -> None:
    with pytest.raises(ShapeMismatch):
        metrics.dice(np.ones((4, 4), bool), np.ones((1, 4), bool))


@pytest.mark.parametrize(
    "name", ["dice", "hd", "cldice", "lesion_f1", "boundary_f1", "betti_error"]
)
def test_negative_numbers_are_no_mask(name: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        getattr(metrics, name)(GOOD.astype(int) - 1, GOOD)


def test_options_of_plain_functions_are_checked() -> None:
    mask = GOOD == 1
    with pytest.raises(BadPlan, match="one of pixelwise, monai"):
        metrics.hd95(mask, mask, convention="monay")
    with pytest.raises(BadPlan, match="Did you mean percentile"):
        metrics.hd95(mask, mask, percentil=90)
    with pytest.raises(BadPlan, match="a number"):
        metrics.nsd(mask, mask, tolerance="2 mm")
    with pytest.raises(BadPlan, match="needs the option 'tolerance'"):
        metrics.nsd(mask, mask)
    with pytest.raises(BadPlan, match="belongs to none"):
        measure(GOOD, GOOD, ["dice"], tolerance=1)
    with pytest.raises(BadData, match="percentile"):
        metrics.hd95(mask, mask, percentile=101)


@pytest.mark.parametrize(
    "name", ["SimpleITK", "simpleitk", "skimage", "scikit_image", "MetricsReloaded", "mikan-rs",
             "seg-metrics", "surface-distance"]
)  # fmt: skip
def test_conventions_are_known_by_every_spelling(name: str) -> None:
    mask = GOOD == 1
    assert metrics.hd(mask, mask, convention=name) == 0
    assert measure(GOOD, GOOD, [f"hd:convention={name}"])[1] == {f"hd:convention={name}": 0}


def test_names_of_other_tools_are_answered_with_ours() -> None:
    with pytest.raises(BadPlan, match="It is called iou here") as caught:
        measure(GOOD, GOOD, ["Jaccard", "surface-dice", "pq"])
    assert "It is called nsd here" in str(caught.value)
    assert "pixelwise.metrics.panoptic_quality" in str(caught.value)
    with pytest.raises(AttributeError, match="it is called hd here"):
        _ = metrics.hausdorff_distance
    for other, own in OUR_NAME.items():
        assert callable(getattr(metrics, own)), own
        assert not hasattr(metrics, other), "a name of ours needs no other"
    assert all(callable(getattr(metrics, name)) for name in WHOLE_ARRAYS)
    assert not WHOLE_ARRAYS & set(metrics.METRICS.names())


def test_measure_is_truth_then_predicted() -> None:
    """An asymmetric pair: 6 true pixels, 8 predicted, 4 in both; distances differ too."""
    truth, predicted = np.zeros((2, 6, 9), np.uint8)
    truth[1:3, 1:4] = 1
    predicted[1:3, 2:6] = 1
    found = measure(truth, predicted, ["precision", "sensitivity", "asd", "hd"], directed=True)[1]
    assert (found["precision"], found["sensitivity"]) == (4 / 8, 4 / 6)
    assert (found["asd"], found["hd"]) == (pytest.approx((1 + 2) * 2 / 8), 2)
    other = measure(predicted, truth, ["precision", "sensitivity", "hd"], directed=True)[1]
    assert (other["precision"], other["sensitivity"], other["hd"]) == (4 / 6, 4 / 8, 1)


def test_classes_by_number_by_list_and_with_the_background() -> None:
    assert list(measure(GOOD, GOOD, ["dice"])) == [1, 2]
    assert list(measure(GOOD, GOOD, ["dice"], classes=5)) == [1, 2, 3, 4]
    assert list(measure(GOOD, GOOD, ["dice"], classes=3, include_background=True)) == [0, 1, 2]
    found = measure(GOOD, GOOD, "dice", classes=[2, 7])
    assert found[2]["dice"] == 1
    assert math.isnan(found[7]["dice"])
    with pytest.raises(BadData, match="class ids 0 to 1"):
        measure(GOOD, GOOD, ["dice"], classes=2)


def test_tensors_of_every_kind() -> None:
    mask = torch.from_numpy(GOOD == 1)
    assert metrics.dice(mask, mask.int()) == 1
    assert metrics.hd(mask.to(torch.uint8), mask.long()) == 0
    p = torch.full((2, 3), 0.25, dtype=torch.bfloat16, requires_grad=True)
    assert metrics.brier(mask, p) == pytest.approx((2 * 0.75**2 + 4 * 0.25**2) / 6)
    with pytest.raises(BadData, match="float32"):
        metrics.dice(mask.float(), mask)


def test_a_volume_of_one_slice_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    volume = np.ones((1, 31, 37), bool)
    for _ in range(2):
        metrics.hd(volume, volume)
    assert sum("one slice thick" in record.message for record in caplog.records) == 1
