"""Filled polygons and run lengths, compared with a slow twin and with hand-counted pixels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.case import LabelMeaning
from pixelwise.core.errors import BadData
from pixelwise.data.polygons import (
    fill_polygon,
    is_polygon_label,
    polygon_label,
    polygon_shape,
    read_annotations,
    read_polygon_labels,
)

CORNERS = st.lists(
    st.tuples(st.integers(-4, 24).map(lambda n: n / 2), st.integers(-4, 24).map(lambda n: n / 2)),
    min_size=3,
    max_size=7,
)


def is_inside(x: float, y: float, points: list[tuple[float, float]]) -> bool:
    """Even-odd rule, one ray to the left: the textbook loop."""
    inside = False
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
            inside = not inside
    return inside


@settings(deadline=None)
@given(CORNERS)
def test_filling_equals_the_test_of_every_centre(points: list[tuple[float, float]]) -> None:
    expected = [[is_inside(x + 0.5, y + 0.5, points) for x in range(10)] for y in range(9)]
    assert fill_polygon(points, (9, 10)).tolist() == expected


def test_a_rectangle_takes_the_pixels_whose_centres_it_holds() -> None:
    filled = fill_polygon([(1, 1), (4, 1), (4, 3), (1, 3)], (5, 6))
    assert np.argwhere(filled).tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


COCO = {
    "images": [{"id": 7, "file_name": "sub/a.png", "width": 4, "height": 3}],
    "categories": [{"id": 1, "name": "cell"}, {"id": 5, "name": "hole"}],
    "annotations": [
        {"image_id": 7, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 3, 0, 3]]},
        # Down the columns: 4 outside, 1 inside, 7 outside is the pixel of row 1, column 1.
        {"image_id": 7, "category_id": 5, "segmentation": {"counts": [4, 1, 7], "size": [3, 4]}},
    ],
}
MEANING = LabelMeaning("polygons", {"background": 0, "cell": 1, "hole": 2}, "")


def test_coco_polygons_and_run_lengths(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", COCO)
    label = polygon_label(path, "a.png")
    assert is_polygon_label(label)
    assert polygon_shape(label) == (3, 4)
    expected = np.ones((3, 4), np.uint8)
    expected[1, 1] = 2
    assert np.array_equal(read_polygon_labels(label, MEANING), expected)
    region = (slice(1, 3), slice(0, 2))
    assert np.array_equal(read_polygon_labels(label, MEANING, region), expected[region])


def test_compressed_run_lengths(tmp_path: Path) -> None:
    # 4, 1, 7 written as text: one letter each, chr(48 + n), for n below 16.
    content = json.loads(json.dumps(COCO))
    content["annotations"][1]["segmentation"]["counts"] = "417"
    label = polygon_label(write(tmp_path / "a.json", content), "a.png")
    assert np.argwhere(read_polygon_labels(label, MEANING) == 2).tolist() == [[1, 1]]


def test_labelme_shapes(tmp_path: Path) -> None:
    content = {
        "imageHeight": 4,
        "imageWidth": 5,
        "shapes": [
            {"label": "cell", "points": [[1, 1], [3, 1], [3, 3], [1, 3]], "shape_type": "polygon"},
            {"label": "hole", "points": [[0, 0], [1, 1]], "shape_type": "rectangle"},
            {"label": "dot", "points": [[2, 2]], "shape_type": "point"},
        ],
    }
    path = write(tmp_path / "a.json", content)
    labels = read_polygon_labels(polygon_label(path, "a"), MEANING)
    assert labels.tolist() == [[2, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_unknown_labels_are_named(tmp_path: Path) -> None:
    label = polygon_label(write(tmp_path / "a.json", COCO), "a.png")
    with pytest.raises(BadData, match="hole"):
        read_polygon_labels(label, LabelMeaning("polygons", {"background": 0, "cell": 1}, ""))


@pytest.mark.parametrize(
    "change",
    [
        {"categories": []},
        {"images": [{"id": 8, "file_name": "a.png", "width": 4, "height": 3}]},
        {"annotations": [{"image_id": 7, "category_id": 1, "segmentation": [[1, 2, 3]]}]},
    ],
)
def test_broken_annotations_name_the_file(tmp_path: Path, change: dict[str, object]) -> None:
    path = write(tmp_path / "a.json", COCO | change)
    with pytest.raises(BadData, match=r"a\.json"):
        read_annotations(path)


def test_other_json_is_no_annotation(tmp_path: Path) -> None:
    assert read_annotations(write(tmp_path / "a.json", {"hello": 1})) is None
    assert read_annotations(write(tmp_path / "b.json", [1, 2])) is None


@pytest.mark.parametrize("counts", [[4, 1, 8], [-1, 13], "4", [1e400]])
def test_run_lengths_that_do_not_fit_the_image(tmp_path: Path, counts: object) -> None:
    annotation = {"image_id": 7, "category_id": 1, "segmentation": {"counts": counts}}
    path = write(tmp_path / "a.json", COCO | {"annotations": [annotation]})
    with pytest.raises(BadData, match="COCO or LabelMe"):
        read_annotations(path)


def test_coordinates_that_are_no_numbers(tmp_path: Path) -> None:
    square = [0, 0, float("nan"), 0, 4, 3, 0, 3]
    annotation = {"image_id": 7, "category_id": 1, "segmentation": [square]}
    path = write(tmp_path / "a.json", COCO | {"annotations": [annotation]})
    with pytest.raises(BadData, match="coordinate"):
        read_annotations(path)
