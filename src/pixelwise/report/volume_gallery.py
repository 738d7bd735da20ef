"""A volume inside the page: three planes with their layers, and a slider through its slices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from pixelwise.core.case import IGNORE
from pixelwise.report.case_views import (
    compared_layers,
    layer_url,
    layered_row,
    photo_url,
    picture_row,
)
from pixelwise.report.distance_maps import distance_view
from pixelwise.report.elements import element, joined
from pixelwise.report.pictures import ColouredClass, Picture, class_layer, error_layer
from pixelwise.report.volume_pictures import MAX_PLANE_EDGE, Plane, VolumeViews
from pixelwise.report.wording import general

GUTTER = 1
"""Pixels repeated around each slice in the sheet, so that none shines in from its neighbour."""

LAYERS = (("errors", "Errors"), ("truth", "Truth"), ("predicted", "Predicted"), ("none", "None"))


def volume_views(name: str, views: VolumeViews, classes: Sequence[ColouredClass]) -> Markup:
    """Sizes in words, a row of pictures for each plane, and the slider."""
    told = [*views.sizes, f"shown: {views.channel}" if views.channel else ""]
    text = "; ".join(part for part in told if part)
    sizes = element("p", text, class_="sizes") if text else None
    rows = [row for plane in views.planes for row in _plane(name, plane, classes)]
    return joined([sizes, *rows, slider(name, views, classes)])


def slider(name: str, views: VolumeViews, classes: Sequence[ColouredClass]) -> Markup:
    """All slices of the stack in one picture per layer, of which a window shows one.

    Without a script the first slice stays in view and the controls are left out.
    """
    first = views.stack[0]
    height, width = first.truth.shape
    columns = math.ceil(math.sqrt(len(views.stack)))
    rows = math.ceil(len(views.stack) / columns)
    urls = {
        "photos": photo_url(
            _sheet([p.image for p in views.stack], columns), _size(first, columns, rows)
        ),
        "truth": layer_url(_sheet([class_layer(p.truth, classes) for p in views.stack], columns)),
        "predicted": layer_url(_sheet([_predicted(p, classes) for p in views.stack], columns)),
        "errors": layer_url(
            _sheet([error_layer(p.truth, p.predicted, classes) for p in views.stack], columns)
        ),
    }
    numbers = {
        "ratio": f"{first.ratio:.5g}",
        "columns": columns,
        "rows": rows,
        "column": views.start % columns,
        "row": views.start // columns,
        "gutter-x": f"{GUTTER / width:.6g}",
        "gutter-y": f"{GUTTER / height:.6g}",
    }
    style = ";".join(f"--{key}:url({url})" for key, url in urls.items())
    stage = element(
        "div",
        element("span", class_="slice-photo"),
        element("span", class_="slice-layer"),
        class_="slice-stage",
        role="img",
        aria_label=f"Slices of {name}, {first.name}",
        style=";".join(f"--{key}:{value}" for key, value in numbers.items()),
    )
    texts = [slice_text(plane, views.step, views.unit) for plane in views.stack]
    return element(
        "div",
        stage,
        _controls(name, views, texts),
        class_="slices",
        data_shown="errors",
        data_columns=columns,
        data_texts=json.dumps(texts, ensure_ascii=False),
        style=style,
    )


def slice_text(plane: Plane, step: float, unit: str) -> str:
    """Which slice it is: "axial slice 12 of 47, 22 mm from the first"."""
    text = f"{plane.name} slice {plane.position + 1} of {plane.n_positions}"
    if unit == "px":
        return text
    return f"{text}, {general(plane.position * step)} {unit} from the first"


def _plane(name: str, plane: Plane, classes: Sequence[ColouredClass]) -> tuple[Markup, Markup]:
    title = f"{plane.name}, slice {plane.position + 1} of {plane.n_positions}"
    cut = (plane.image, plane.truth, plane.predicted)
    cut_name = f"{name}, {title}"
    more = [] if plane.distances is None else [distance_view(cut_name, plane.distances)]
    row = picture_row(cut_name, cut, classes, most=MAX_PLANE_EDGE, ratio=plane.ratio, more=more)
    return element("p", title.capitalize(), class_="plane-name"), row


def compared_views(
    name: str, views: Mapping[str, VolumeViews], classes: Sequence[ColouredClass]
) -> Markup:
    """Several predictions in the same planes: image, truth, errors and distances of each."""
    first = next(iter(views.values()))
    rows = []
    for i, plane in enumerate(first.planes):
        title = f"{plane.name}, slice {plane.position + 1} of {plane.n_positions}"
        cuts = {key: (own.planes[i].predicted, own.planes[i].distances)
                for key, own in views.items()}  # fmt: skip
        layers = compared_layers(f"{name}, {title}", plane.truth, cuts, classes)
        row = layered_row(
            f"{name}, {title}", plane.image, layers, most=MAX_PLANE_EDGE, ratio=plane.ratio
        )
        rows += [element("p", title.capitalize(), class_="plane-name"), row]
    return joined(rows)


def _predicted(plane: Plane, classes: Sequence[ColouredClass]) -> Picture:
    return class_layer(np.where(plane.truth == IGNORE, IGNORE, plane.predicted), classes)


def _controls(name: str, views: VolumeViews, texts: Sequence[str]) -> Markup:
    bar = element(
        "input",
        type="range",
        min=0,
        max=len(views.stack) - 1,
        step=1,
        value=views.start,
        aria_label=f"Slice of {name}",
        aria_valuetext=texts[views.start],
    )
    group = f"layer of {name}"
    choices = [
        element(
            "label",
            element("input", type="radio", name_=group, value=key, checked=key == "errors"),
            f" {text}",
        )
        for key, text in LAYERS
    ]
    shown = f"{len(views.stack)} of {views.stack[0].n_positions} slices are in this page."
    return element(
        "div",
        element("output", texts[views.start]),
        bar,
        element("fieldset", element("legend", "Layer"), *choices),
        element("p", "Arrow keys turn the slices, Home and End lead to the ends. ",
                shown if len(views.stack) < views.stack[0].n_positions else None, class_="quiet"),
        class_="slice-controls",
        hidden=True,
    )  # fmt: skip


def _sheet(slices: Sequence[Picture], columns: int) -> Picture:
    """Slices (y, x, c) in rows of `columns`, each with a rim of its own edge pixels."""
    framed = [np.pad(s, ((GUTTER, GUTTER), (GUTTER, GUTTER), (0, 0)), mode="edge") for s in slices]
    blank = np.zeros_like(framed[0])
    framed += [blank] * (-len(framed) % columns)
    rows = [np.hstack(framed[i : i + columns]) for i in range(0, len(framed), columns)]
    return np.ascontiguousarray(np.vstack(rows))


def _size(plane: Plane, columns: int, rows: int) -> tuple[int, int]:
    height, width = plane.truth.shape
    return columns * (width + 2 * GUTTER), rows * (height + 2 * GUTTER)
