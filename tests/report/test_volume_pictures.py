"""Volumes as pictures: the worst place, planes with the right sides, slices, sizes in words."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from pixelwise.core.case import ClassInfo
from pixelwise.report.content import GalleryItem
from pixelwise.report.gallery import gallery
from pixelwise.report.volume_gallery import slice_text, slider
from pixelwise.report.volume_pictures import (
    VolumeSpace,
    choose_channel,
    choose_slices,
    find_worst,
    middle_slice,
    size_texts,
    view_volume,
)

CLASSES = (
    ClassInfo(0, "background", "#000000"),
    ClassInfo(1, "shell", "#e69f00"),
    ClassInfo(2, "core", "#56b4e9"),
)
SHAPE = (12, 20, 16)


def make_labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:10, 4:16, 3:13] = 1
    labels[4:8, 7:12, 6:10] = 2
    return labels


def make_image() -> np.ndarray:
    ramp = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(1, *SHAPE)
    return ramp / ramp.max()


def test_the_worst_error_is_the_fullest_place() -> None:
    truth = make_labels()
    predicted = truth.copy()
    predicted[0, 0, 0] = 1  # a single voxel
    predicted[6:9, 10:13, 7:10] = 0  # 27 voxels together around (7, 11, 8)
    assert find_worst(truth, predicted, (1, 1, 1)) == (7, 11, 8)


def test_void_is_no_error() -> None:
    truth = make_labels()
    predicted = truth.copy()
    predicted[6:9, 10:13, 7:10] = 0
    predicted[1, 1, 1] = 2
    truth[6:9, 10:13, 7:10] = 255
    assert find_worst(truth, predicted, (1, 1, 1)) == (1, 1, 1)


def test_without_an_error_the_middle_of_what_is_labelled() -> None:
    truth = make_labels()
    place = find_worst(truth, truth, (1, 1, 1))
    assert all(abs(p - m) <= 1 for p, m in zip(place, (5.5, 9.5, 7.5), strict=True))
    nothing = np.zeros(SHAPE, np.uint8)
    assert find_worst(nothing, nothing, (1, 1, 1)) == (6, 10, 8)


def test_windows_are_equally_long_along_all_axes() -> None:
    """With slices 5 times as thick, errors spread over slices are no crowd."""
    truth = np.zeros((30, 30, 30), np.uint8)
    predicted = truth.copy()
    predicted[10:15, 5, 5] = 1
    predicted[25, 20, 18:21] = 1
    assert find_worst(truth, predicted, (1, 1, 1)) == (12, 5, 5)
    assert find_worst(truth, predicted, (5, 1, 1)) == (25, 20, 19)


def test_planes_meet_in_the_worst_voxel() -> None:
    truth = make_labels()
    predicted = truth.copy()
    predicted[6:9, 10:13, 7:10] = 0
    image = make_image()
    views = view_volume(image, truth, predicted, VolumeSpace(spacing=(3.0, 1.0, 2.0), unit="mm"))
    assert [p.position for p in views.planes] == [7, 11, 8]
    assert [p.name for p in views.planes] == ["across z", "across y", "across x"]
    axial, coronal, sagittal = views.planes
    assert np.array_equal(axial.truth, truth[7])
    assert np.array_equal(coronal.predicted, predicted[:, 11])
    assert np.array_equal(sagittal.truth, truth[:, :, 8])
    assert axial.ratio == pytest.approx(16 * 2 / (20 * 1))
    assert coronal.ratio == pytest.approx(16 * 2 / (12 * 3))
    assert sagittal.ratio == pytest.approx(20 * 1 / (12 * 3))


def test_heads_are_up_where_the_body_is_known() -> None:
    truth = make_labels()
    views = view_volume(make_image(), truth, truth, VolumeSpace(is_anatomical=True))
    axial, coronal, sagittal = views.planes
    assert [p.name for p in views.planes] == ["axial", "coronal", "sagittal"]
    assert np.array_equal(axial.truth, truth[axial.position])
    assert np.array_equal(coronal.truth, truth[::-1, coronal.position])
    assert np.array_equal(sagittal.truth, truth[::-1, :, sagittal.position])
    assert coronal.image[0].mean() > coronal.image[-1].mean()  # the ramp grows with z


def test_one_brightness_for_all_planes() -> None:
    """A plane is stretched as the volume is: dark slices stay dark."""
    image = make_image()
    views = view_volume(image, make_labels(), make_labels())
    means = [plane.image.mean() for plane in views.stack]
    assert means == sorted(means) and means[0] < 15 and means[-1] > 240


def test_stack_runs_along_the_thick_slices() -> None:
    truth = np.zeros((40, 10, 30), np.uint8)
    views = view_volume(
        np.zeros((1, *truth.shape)), truth, truth, VolumeSpace(spacing=(1, 4, 1), unit="mm")
    )
    assert views.step == 4 and len(views.stack) == 10
    assert views.stack[views.start].truth.shape == (40, 30)


@pytest.mark.parametrize(("n", "wanted"), [(10, 3), (40, 39), (189, 100), (1000, 1), (1, 0)])
def test_slices_are_bounded_and_hold_the_wanted_one(n: int, wanted: int) -> None:
    chosen = choose_slices(n, wanted)
    assert wanted in chosen and len(chosen) <= 40
    assert chosen == sorted(set(chosen)) and chosen[-1] < n
    assert len(chosen) >= min(n, 39)


def test_large_slices_are_thinned_out() -> None:
    truth = np.zeros((4, 300, 200), np.uint8)
    views = view_volume(np.zeros((1, *truth.shape)), truth, truth)
    assert views.stack[0].truth.shape == (100, 67)
    assert views.stack[0].image.shape == (100, 67, 3)


def test_sizes_with_units() -> None:
    counted = [("shell", 880, 960), ("core", 80, 0), ("none", 0, 0)]
    texts = size_texts(counted, (2.0, 1.0, 1.0), "mm")
    assert texts == ("shell 1.76 mL, predicted 1.92 mL", "core 160 mm³, predicted 0 mm³")
    assert size_texts(counted, None, "mm")[1].startswith("core 80 px³")


def test_the_telling_channel_is_shown() -> None:
    truth = make_labels()
    image = np.random.default_rng(0).normal(size=(3, *SHAPE))
    image[1] += 4 * (truth > 0)
    image[2] += 2 * (truth > 0)
    image[1, 0, 0, 0] = np.nan
    assert choose_channel(image, truth) == 1
    views = view_volume(image, truth, truth, VolumeSpace(channel_names=("t1", "flair", "t2")))
    assert views.channel == "channel 2 of 3 (flair)"
    assert choose_channel(image, np.zeros(SHAPE, np.uint8)) == 0
    assert view_volume(image[:1], truth, truth).channel == ""


def test_middle_slice() -> None:
    assert middle_slice(make_image()) == 6
    labels = np.zeros(SHAPE, np.uint8)
    labels[3, 2:5, 2:5] = 1
    labels[9] = 255
    assert middle_slice(make_image(), labels) == 3


def make_item(n_slices: int = 12) -> GalleryItem:
    truth = np.resize(make_labels(), (n_slices, *SHAPE[1:]))
    predicted = np.where(truth == 2, 1, truth).astype(np.uint8)
    image = np.resize(make_image(), (1, n_slices, *SHAPE[1:]))
    views = view_volume(image, truth, predicted, VolumeSpace(spacing=(2.0, 1.0, 1.0), unit="mm"))
    flat = views.planes[0]
    return GalleryItem(
        "scan <1>", "worst", 0.5, flat.image, flat.truth, flat.predicted, views=views
    )


def test_page_of_a_volume() -> None:
    page = gallery([make_item()], CLASSES, "Dice")
    assert page.count('class="views small"') == 3
    assert page.count('class="view"') == 12
    assert 'type="range"' in page and 'max="11"' in page
    assert "scan &lt;1&gt;" in page and "<1>" not in page
    assert "--ratio:0.8;" in page  # 16 / 20 of the axial slices


def test_every_slice_is_in_the_sheet() -> None:
    item = make_item()
    assert item.views is not None
    page = slider("scan", item.views, CLASSES)
    url = re.search(r"--photos:url\((data:image/png;base64,[^)]+)\)", page)
    assert url is not None
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(url[1].partition(",")[2]))))
    height, width = SHAPE[1] + 2, SHAPE[2] + 2
    assert sheet.shape[:2] == (3 * height, 4 * width)
    for i, plane in enumerate(item.views.stack):
        y, x = i // 4 * height + 1, i % 4 * width + 1
        assert np.array_equal(sheet[y : y + SHAPE[1], x : x + SHAPE[2]], plane.image)


def test_slices_are_named_with_their_place() -> None:
    plane = view_volume(make_image(), make_labels(), make_labels()).stack[5]
    assert slice_text(plane, 2.5, "mm") == "across z slice 6 of 12, 12.5 mm from the first"
    assert slice_text(plane, 1.0, "px") == "across z slice 6 of 12"


def test_a_large_volume_stays_small_in_the_page() -> None:
    random = np.random.default_rng(0)
    truth = np.zeros((120, 240, 200), np.uint8)
    truth[20:100, 60:180, 50:150] = 1
    predicted = np.roll(truth, 3, axis=1)
    image = random.normal(size=(1, *truth.shape)).astype(np.float32) + truth
    views = view_volume(image, truth, predicted)
    assert len(slider("scan", views, CLASSES)) < 700_000  # noise is the worst case for JPEG
