"""Pictures: what is stretched, painted, hatched, and whether everybody can tell it apart."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pixelwise.core.case import ClassInfo
from pixelwise.core.errors import ShapeMismatch
from pixelwise.report.pictures import (
    FALSE,
    HIT,
    MISSED,
    SWAPPED,
    class_layer,
    compose,
    error_layer,
    find_background,
    find_edges,
    render_errors,
    render_overlay,
    viewable_rgb,
)

CELLS = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "cell", "#e69f00"))
THREE = (*CELLS, ClassInfo(2, "wall", "#56b4e9"))
STREET = (
    ClassInfo(0, "sky", "#808080"),
    ClassInfo(1, "road", "#804080"),
    ClassInfo(2, "car", "#400080"),
)

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
CLEARLY_DIFFERENT = 20.0
"""CIE 1976 colour difference; about 2.3 is just noticeable."""


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def as_lab(colour: str, blindness: str) -> npt.NDArray[np.float64]:
    coded = np.array(rgb(colour)) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(BLINDNESS[blindness]) @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
         [0.0193339, 0.1191920, 0.9503041]]
    )  # fmt: skip
    scaled = to_xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    f = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_error_colours_stay_apart(blindness: str) -> None:
    for first, second in combinations((HIT, MISSED, FALSE, SWAPPED), 2):
        distance = np.linalg.norm(as_lab(first, blindness) - as_lab(second, blindness))
        assert distance > CLEARLY_DIFFERENT, (first, second)


def test_8_bit_colour_is_kept() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(3, 2, 3)
    assert np.array_equal(viewable_rgb(image), image.transpose(1, 2, 0))


def test_transparency_is_dropped() -> None:
    image = np.full((4, 2, 2), 7, dtype=np.uint8)
    assert viewable_rgb(image).shape == (2, 2, 3)


def test_16_bits_are_stretched_between_percentiles() -> None:
    values = np.arange(1000, 2001, dtype=np.uint16).reshape(1, 1, -1)
    seen = viewable_rgb(values)[0, :, 0]
    # percentiles 0.5 and 99.5 of 1000..2000 are 1005 and 1995
    assert seen[0] == seen[5] == 0
    assert seen[-1] == seen[-6] == 255
    assert seen[500] == 128
    assert 0 < seen[15] < 10


def test_outlier_does_not_darken_the_rest() -> None:
    values = np.tile(np.arange(100, dtype=np.float32), 100).reshape(1, 100, 100)
    values[0, 0, 0] = 1e6
    assert viewable_rgb(values)[..., 0].mean() == pytest.approx(127.5, abs=2)


def test_what_is_not_finite_is_black() -> None:
    values = np.array([[[np.nan, np.inf, 1.0, 2.0]]])
    assert viewable_rgb(values)[0, :2].tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("fill", [0, 5, np.nan])
def test_constant_image_gives_no_warning(fill: float) -> None:
    seen = viewable_rgb(np.full((1, 3, 3), fill))
    assert len(np.unique(seen)) == 1


@pytest.mark.parametrize("n_channels", [1, 2, 3, 5, 12])
def test_any_number_of_channels_and_dimensions(n_channels: int) -> None:
    flat = np.random.default_rng(0).integers(0, 4000, (n_channels, 6, 5)).astype(np.uint16)
    volume = np.stack([flat, flat], axis=1)
    assert viewable_rgb(flat).shape == (6, 5, 3)
    assert np.allclose(viewable_rgb(volume)[1], viewable_rgb(flat), atol=5)


def test_two_channels_are_magenta_and_green() -> None:
    image = np.zeros((2, 1, 200), dtype=np.float32)
    image[0, 0, 0:50] = image[1, 0, 100:150] = 1
    seen = viewable_rgb(image)[0]
    assert seen[0].tolist() == [255, 0, 255]
    assert seen[100].tolist() == [0, 255, 0]


def test_background_is_found_by_name_or_by_two_classes() -> None:
    assert find_background(CELLS) == 0
    assert find_background((ClassInfo(0, "dark", "#000000"), CELLS[1])) == 0
    assert find_background(THREE) == 0
    assert find_background(STREET) is None


def test_edges_of_a_step() -> None:
    labels = np.array([[0, 0, 1, 1, 1]])
    assert find_edges(labels).tolist() == [[False, True, True, False, False]]


def test_edges_in_a_volume() -> None:
    labels = np.zeros((3, 3, 3), dtype=int)
    labels[2] = 1
    assert find_edges(labels).any(axis=(1, 2)).tolist() == [False, True, True]


def test_background_stays_clear_and_outlines_are_firm() -> None:
    labels = np.zeros((5, 5), dtype=np.uint8)
    labels[1:4, 1:4] = 1
    layer = class_layer(labels, CELLS)
    assert layer[0, 0, 3] == 0
    assert tuple(layer[2, 2, :3]) == tuple(layer[1, 1, :3]) == rgb("#e69f00")
    assert layer[1, 1, 3] > 2 * layer[2, 2, 3]


def test_all_classes_are_painted_without_background() -> None:
    layer = class_layer(np.array([[0, 1, 2]]), STREET)
    assert [tuple(pixel[:3]) for pixel in layer[0]] == [rgb(c.colour) for c in STREET]


def test_errors_of_every_kind() -> None:
    truth = np.array([[0, 1, 1, 0, 2, 255]])
    predicted = np.array([[0, 1, 0, 1, 1, 1]])
    layer = error_layer(truth, predicted, THREE)[0]
    assert layer[0, 3] == 0
    assert [tuple(p[:3]) for p in layer[1:5]] == [rgb(c) for c in (HIT, MISSED, FALSE, SWAPPED)]
    assert tuple(layer[5, :3]) not in {rgb(c) for c in (HIT, MISSED, FALSE, SWAPPED)}
    assert layer[5, 3] > 0


def test_without_background_only_errors_are_painted() -> None:
    layer = error_layer(np.array([[0, 1]]), np.array([[0, 2]]), STREET)[0]
    assert layer[0, 3] == 0
    assert tuple(layer[1, :3]) == rgb(SWAPPED)


def test_void_dims_the_picture() -> None:
    image = np.full((9, 9, 3), 200, dtype=np.uint8)
    seen = render_overlay(image, np.full((9, 9), 255), CELLS)
    assert seen.max() < 130


def test_compose_mixes_by_opacity() -> None:
    layer = np.array([[[200, 0, 0, 0], [200, 0, 0, 255], [200, 0, 0, 51]]], dtype=np.uint8)
    seen = compose(np.full((1, 3, 3), 100, dtype=np.uint8), layer)
    assert seen[0].tolist() == [[100, 100, 100], [200, 0, 0], [120, 80, 80]]


@pytest.mark.parametrize("layout", ["channels first", "plain", "rgb"])
def test_every_layout_of_an_image(layout: str) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    images: dict[str, npt.NDArray[Any]] = {
        "channels first": np.stack([grey] * 3),
        "plain": grey.astype(np.float32),
        "rgb": np.stack([grey] * 3, axis=-1),
    }
    labels = np.zeros((6, 8), dtype=np.uint8)
    assert render_overlay(images[layout], labels, CELLS).shape == (6, 8, 3)


def test_other_grid_is_refused() -> None:
    with pytest.raises(ShapeMismatch, match=r"\(4, 4\)"):
        render_overlay(np.zeros((1, 5, 4)), np.zeros((4, 4), dtype=int), CELLS)
    with pytest.raises(ShapeMismatch):
        render_errors(
            np.zeros((1, 4, 4)), np.zeros((4, 4), dtype=int), np.zeros((4, 5), dtype=int), CELLS
        )
