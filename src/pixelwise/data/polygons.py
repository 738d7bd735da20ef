"""Polygon annotations of COCO and LabelMe files, filled: a pixel is inside if its centre is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.case import LabelMeaning
from pixelwise.core.contents import shown, unreadable
from pixelwise.core.errors import BadData, Problem
from pixelwise.core.files import read_json
from pixelwise.core.image import Region

Points = Sequence[tuple[float, float]]
_MARK = "#"
_LONGEST = 1_000_000
"""No picture has so many pixels along an edge; a coordinate beyond is a fault."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One annotated object: its label, polygons of (x, y), or a run-length mask instead."""

    label: str
    polygons: tuple[Points, ...]
    runs: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """All objects of one image, in the order in which they are painted over each other."""

    size: tuple[int, int]
    shapes: tuple[Shape, ...]


def polygon_label(annotations: Path, image_name: str) -> Path:
    """The label path of one image inside an annotation file: FILE.json/#IMAGE."""
    return annotations / f"{_MARK}{image_name}"


def is_polygon_label(path: Path) -> bool:
    """Whether a label path points into an annotation file."""
    return path.name.startswith(_MARK) and path.parent.suffix.lower() == ".json"


def polygon_shape(path: Path) -> tuple[int, int]:
    """(y, x) of the image that the polygons were drawn on."""
    return _drawing(path).size


def read_polygon_labels(
    path: Path, meaning: LabelMeaning, region: Region | None = None
) -> npt.NDArray[np.uint8]:
    """Class ids (y, x) of one image's polygons; later objects cover earlier ones.

    Raises BadData for labels that no class has.
    """
    drawing = _drawing(path)
    unknown = sorted({shape.label for shape in drawing.shapes} - set(meaning.to_class))
    if unknown:
        raise BadData(
            f"objects are labelled {', '.join(unknown)}, which no class is called",
            f"only {', '.join(meaning.to_class)}",
            "Correct the label, or add the class to dataset.json.",
            path=shown(path.parent),
            code="mask-unknown-label",
        )
    labels = np.zeros(drawing.size, np.uint8)
    for shape in drawing.shapes:
        labels[_inside(shape, drawing.size)] = meaning.to_class[shape.label]
    return labels if region is None else labels[region]


def read_annotations(path: Path) -> dict[str, Drawing] | None:
    """Image name -> its drawing, None if the JSON file is neither COCO nor LabelMe.

    Raises UnreadableFile if it is no JSON, BadData if it breaks its own format.
    """
    try:
        modified = path.stat().st_mtime_ns
    except OSError as error:
        raise unreadable(path, error) from error
    return _read_annotations(path, modified)


def annotation_labels(drawings: dict[str, Drawing]) -> list[str]:
    """All labels in use, sorted."""
    return sorted({shape.label for drawing in drawings.values() for shape in drawing.shapes})


def fill_polygon(points: Points, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels (y, x) whose centre lies inside a polygon of (x, y), by the even-odd rule.

    Coordinates count from the corner of the first pixel, whose centre is (0.5, 0.5).
    """
    height, width = size
    corners = np.asarray(points, float).reshape(-1, 2)
    ends = np.roll(corners, -1, axis=0)
    inside = np.zeros(size, bool)
    first = max(0, math.floor(corners[:, 1].min() - 0.5))
    last = min(height, math.ceil(corners[:, 1].max() + 0.5))
    for row in range(first, last):
        y = row + 0.5
        is_crossed = (corners[:, 1] <= y) != (ends[:, 1] <= y)
        start, end = corners[is_crossed], ends[is_crossed]
        crossings = np.sort(
            start[:, 0] + (y - start[:, 1]) * (end[:, 0] - start[:, 0]) / (end[:, 1] - start[:, 1])
        )
        for left, right in zip(crossings[0::2], crossings[1::2], strict=False):
            inside[row, _bounded(left, width) : _bounded(right, width)] = True
    return inside


def _bounded(x: float, width: int) -> int:
    return min(max(math.ceil(x - 0.5), 0), width)


def _inside(shape: Shape, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    if shape.runs is not None:
        flags = np.repeat(np.arange(len(shape.runs)) % 2 == 1, shape.runs)
        return flags.reshape(size[::-1]).T
    inside = np.zeros(size, bool)
    for points in shape.polygons:
        inside |= fill_polygon(points, size)
    return inside


def _drawing(path: Path) -> Drawing:
    drawings = read_annotations(path.parent) or {}
    return drawings[path.name[len(_MARK) :]]


@lru_cache(maxsize=512)
def _read_annotations(path: Path, _modified: int) -> dict[str, Drawing] | None:
    content = read_json(path)
    if not isinstance(content, dict):
        return None
    try:
        if isinstance(content.get("annotations"), list) and isinstance(content.get("images"), list):
            return dict(_read_coco(content))
        if isinstance(content.get("shapes"), list) and "imageHeight" in content:
            return {path.stem: _read_labelme(content)}
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BadData(
            Problem(
                f"its annotations do not follow the format of COCO or LabelMe ({reason})",
                "polygons with labels for each image",
                "Export the annotations again.",
                shown(path),
                code="bad-annotations",
            )
        ) from error
    return None


def _read_coco(content: dict[str, Any]) -> Iterator[tuple[str, Drawing]]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    shapes: dict[Any, list[Shape]] = {image["id"]: [] for image in content["images"]}
    sizes = {image["id"]: _size_of(image, "height", "width") for image in content["images"]}
    for annotation in content["annotations"]:
        found = annotation.get("segmentation")
        label = names[annotation["category_id"]]
        if isinstance(found, dict):
            runs = _read_runs(found["counts"], sizes[annotation["image_id"]])
            shapes[annotation["image_id"]].append(Shape(label, (), runs))
        elif found:
            polygons = tuple(_pairs(flat) for flat in found)
            shapes[annotation["image_id"]].append(Shape(label, polygons))
    for image in content["images"]:
        name = Path(str(image["file_name"])).name
        yield name, Drawing(sizes[image["id"]], tuple(shapes[image["id"]]))


def _read_labelme(content: dict[str, Any]) -> Drawing:
    size = _size_of(content, "imageHeight", "imageWidth")
    shapes = []
    for shape in content["shapes"]:
        points = [(_finite(x), _finite(y)) for x, y in shape["points"]]
        kind = shape.get("shape_type", "polygon")
        if kind == "rectangle":
            (left, top), (right, bottom) = points
            points = [(left, top), (right, top), (right, bottom), (left, bottom)]
        elif kind == "circle":
            points = _circle(*points)
        elif kind != "polygon":
            continue  # points and lines have no area
        if len(points) >= 3:
            shapes.append(Shape(str(shape["label"]), (points,)))
    return Drawing(size, tuple(shapes))


def _circle(centre: tuple[float, float], edge: tuple[float, float]) -> list[tuple[float, float]]:
    radius = math.dist(centre, edge)
    angles = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def _size_of(content: dict[str, Any], height: str, width: str) -> tuple[int, int]:
    size = int(content[height]), int(content[width])
    if not (0 < size[0] < _LONGEST and 0 < size[1] < _LONGEST):
        raise ValueError(f"an image has the size {size}")
    return size


def _finite(value: Any) -> float:
    number = float(value)
    if not abs(number) < _LONGEST:
        raise ValueError(f"a coordinate is {number}")
    return number


def _pairs(flat: Sequence[float]) -> Points:
    values = [_finite(value) for value in flat]
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"a polygon has {len(values)} numbers")
    return tuple(zip(values[0::2], values[1::2], strict=True))


def _read_runs(counts: str | list[int], size: tuple[int, int]) -> tuple[int, ...]:
    runs = _decode_runs(counts) if isinstance(counts, str) else tuple(int(n) for n in counts)
    if min(runs) < 0 or sum(runs) != size[0] * size[1]:
        raise ValueError(f"the runs of a mask add up to {sum(runs)} pixels, the image is {size}")
    return runs


def _decode_runs(counts: str) -> tuple[int, ...]:
    """Run lengths of COCO, alternately outside and inside, down the columns.

    Source: the text form is that of pycocotools' maskApi.c: 5 bits a letter from '0' on,
    bit 5 says that more follow, and from the fourth number on the difference to the last
    but one is stored.
    """
    runs: list[int] = []
    position = 0
    while position < len(counts):
        value, shift, has_more = 0, 0, True
        while has_more:
            letter = ord(counts[position]) - 48
            value |= (letter & 0x1F) << shift
            has_more = bool(letter & 0x20)
            position, shift = position + 1, shift + 5
            if not has_more and letter & 0x10:
                value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return tuple(runs)
