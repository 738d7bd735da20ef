"""The table of objects, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelwise.data.objects import OBJECT_COLUMNS, measure_objects

NAMES = {0: "background", 1: "cell", 2: "fibre"}


def measure(labels: np.ndarray, image: np.ndarray, **options: object) -> list[dict[str, object]]:
    rows = measure_objects(labels, image, NAMES, **options)  # type: ignore[arg-type]
    return [dict(zip(OBJECT_COLUMNS, row, strict=True)) for row in rows]


def test_two_cells_and_a_fibre() -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[0:2, 0:3] = 1
    labels[2, 3] = 1  # touches diagonally: one object of 7 pixels
    labels[5, 7] = 1
    labels[4, 0:4] = 2
    image = np.zeros((2, 6, 8), np.uint8)
    image[0, 0:2, 0:3] = 20
    image[0, 2, 3] = 90
    rows = measure(labels, image)
    assert [(r["class"], r["object"], r["pixels"]) for r in rows] == [
        ("cell", 1, 7), ("cell", 2, 1), ("fibre", 1, 4),
    ]  # fmt: skip
    first, second, third = rows
    # (3 x 0 + 3 x 1 + 2) / 7 rows down, (2 x (0 + 1 + 2) + 3) / 7 columns right
    assert float(str(first["centre_y"])) == pytest.approx(5 / 7, abs=1e-5)
    assert float(str(first["centre_x"])) == pytest.approx(9 / 7, abs=1e-5)
    assert (first["size"], first["size_unit"], first["centre_z"]) == ("7", "px²", "")
    # channels are averaged: 10 on six pixels, 45 on one
    assert (first["mean_intensity"], first["min_intensity"], first["max_intensity"]) == (
        "15", "10", "45",
    )  # fmt: skip
    assert float(str(first["equivalent_diameter"])) == pytest.approx(
        math.sqrt(4 * 7 / math.pi), abs=1e-4
    )
    assert float(str(first["extent"])) == pytest.approx(7 / 12, abs=1e-5)
    assert (second["eccentricity"], second["extent"]) == ("", "")
    assert (third["extent"], third["eccentricity"]) == ("1", "1")


def test_sizes_follow_the_spacing() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[1:3, 1:3] = 1
    (row,) = measure(labels, np.ones((1, 4, 4)), spacing=(0.5, 2.0), unit="µm")
    assert (row["pixels"], row["size"], row["size_unit"]) == (4, "4", "µm²")
    assert (row["centre_y"], row["centre_x"]) == ("1.5", "1.5")
    assert (row["perimeter"], row["eccentricity"]) == ("", ""), "undefined on uneven pixels"


def test_volumes() -> None:
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[0:2, 1:3, 2:5] = 2
    (row,) = measure(labels, np.full((1, 3, 4, 5), 8.0), spacing=(3.0, 1.0, 1.0), unit="mm")
    assert (row["class"], row["pixels"], row["size"], row["size_unit"]) == (
        "fibre", 12, "36", "mm³",
    )  # fmt: skip
    assert (row["centre_z"], row["centre_y"], row["centre_x"]) == ("0.5", "1.5", "3")


def test_nothing_there() -> None:
    assert measure(np.zeros((3, 3), np.uint8), np.zeros((1, 3, 3))) == []
