"""Pictures of one cut through a case: the photo with thin layers of truth, prediction, errors."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from PIL import Image

from pixelwise.core.case import IGNORE
from pixelwise.report.distance_maps import Bins, distance_layer
from pixelwise.report.elements import element
from pixelwise.report.pictures import (
    ColouredClass,
    Labels,
    Picture,
    class_layer,
    error_layer,
    find_background,
)
from pixelwise.report.wording import count, share

Layer = tuple[str, Picture, str]
"""Name of a view, its layer (y, x, 4), and what it shows in words."""

MOST_COLUMNS = 5
"""More views than this go on in a second row."""

PHOTO_QUALITY = 82
SMALL_EDGE = 300
"""Pictures below this size are stored without loss, and shown with their pixels as they are."""


def picture_row(
    name: str,
    cut: tuple[Picture, Labels, Labels],
    classes: Sequence[ColouredClass],
    *,
    most: int,
    ratio: float | None = None,
    more: Sequence[Layer] = (),
) -> Markup:
    """Four views of one cut side by side: image, truth, predicted, errors; and `more`.

    cut: image (y, x, 3) uint8, truth and predicted (y, x); pictures above `most` pixels a
    side are thinned out. ratio: width by height in space, if pixels are not square.
    """
    image, truth, predicted = cut
    scored = np.where(truth == IGNORE, IGNORE, predicted)
    layers: list[Layer] = [
        ("Truth", class_layer(truth, classes), f"Truth of {name}: {_shares(truth, classes)}"),
        (
            "Predicted",
            class_layer(scored, classes),
            f"Prediction for {name}: {_shares(predicted, classes)}",
        ),
        (
            "Errors",
            error_layer(truth, predicted, classes),
            f"Errors of {name}: {verdict(truth, predicted)}",
        ),
    ]
    return layered_row(name, image, [*layers, *more], most=most, ratio=ratio)


def compared_layers(
    name: str,
    truth: Labels,
    predictions: Mapping[str, tuple[Labels, Bins | None]],
    classes: Sequence[ColouredClass],
) -> list[Layer]:
    """The truth, then errors and distances of every prediction (class ids, distance bins)."""
    layers: list[Layer] = [("Truth", class_layer(truth, classes), f"Truth of {name}")]
    for key, (predicted, bins) in predictions.items():
        text = f"Errors of {key} in {name}: {verdict(truth, predicted)}"
        layers.append((f"{key}: errors", error_layer(truth, predicted, classes), text))
        if bins is not None:
            text = f"Distances between the boundaries of {key} and the truth of {name}"
            layers.append((f"{key}: distances", distance_layer(bins), text))
    return layers


def layered_row(
    name: str,
    image: Picture,
    layers: Sequence[Layer],
    *,
    most: int,
    ratio: float | None = None,
) -> Markup:
    """An image (y, x, 3), and the same seen through each of its layers, side by side."""
    step = max(1, -(-max(image.shape[:2]) // most))
    height, width = image[::step, ::step].shape[:2]
    size = (width, height)
    views = [_view("Image", None, f"Image of {name}", size)]
    views += [_view(title, thin_out(layer, step), text, size) for title, layer, text in layers]
    shown = f"{width}/{height}" if ratio is None else f"{ratio:.5g}"
    columns = len(views) if len(views) <= MOST_COLUMNS else MOST_COLUMNS - 1
    return element(
        "div",
        *views,
        class_="views small" if max(size) < SMALL_EDGE else "views",
        style=f"--photo:url({photo_url(image, size)});--ratio:{shown};--columns:{columns}",
        data_name=name,
    )


def thin_out(layer: Picture, step: int) -> Picture:
    """A layer (y, x, 4) with `step` times fewer rows and columns.

    Of each block the most opaque pixel stays, so that thin lines do not fall out.
    """
    if step == 1:
        return layer
    rows, columns = -(-layer.shape[0] // step), -(-layer.shape[1] // step)
    padding = ((0, rows * step - layer.shape[0]), (0, columns * step - layer.shape[1]), (0, 0))
    blocks = np.pad(layer, padding).reshape(rows, step, columns, step, 4)
    blocks = blocks.transpose(0, 2, 1, 3, 4).reshape(rows, columns, step * step, 4)
    strongest = blocks[..., 3].argmax(axis=-1)
    return np.take_along_axis(blocks, strongest[..., None, None], axis=2)[:, :, 0]


def layer_url(layer: Picture) -> str:
    """A layer (y, x, 4) as a data URL of a small palette PNG (it has few colours)."""
    packed = np.ascontiguousarray(layer).view(np.uint32)[..., 0]
    colours, indices = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        return _data_url(Image.fromarray(layer), "PNG", optimize=True)
    palette = np.ascontiguousarray(colours).view(np.uint8).reshape(-1, 4)
    picture = Image.fromarray(indices.reshape(packed.shape).astype(np.uint8))
    picture.putpalette(palette[:, :3].tobytes())
    opacity = palette[:, 3].tobytes()
    return _data_url(picture, "PNG", optimize=True, transparency=opacity)


def photo_url(image: Picture, size: tuple[int, int]) -> str:
    """A picture (y, x, 3) as a data URL of `size` (width, height): PNG if small, else JPEG."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if max(size) < SMALL_EDGE:
        return _data_url(picture, "PNG", optimize=True)
    return _data_url(picture, "JPEG", quality=PHOTO_QUALITY, optimize=True)


def _data_url(picture: Image.Image, format_name: str, **options: object) -> str:
    stream = io.BytesIO()
    picture.save(stream, format_name, **options)
    text = base64.b64encode(stream.getvalue()).decode("ascii")
    return f"data:image/{format_name.lower()};base64,{text}"


def _view(name: str, layer: Picture | None, text: str, size: tuple[int, int]) -> Markup:
    width, height = size
    if layer is None:
        layer = np.zeros((height, width, 4), dtype=np.uint8)
    picture = element("img", src=layer_url(layer), alt=text, width=width, height=height)
    return element(
        "button",
        element("span", picture, class_="frame"),
        element("span", name, class_="view-name"),
        type="button",
        class_="view",
        data_view=name,
    )


def _shares(labels: Labels, classes: Sequence[ColouredClass]) -> str:
    background = find_background(classes)
    valid = max(1, int((labels != IGNORE).sum()))
    parts = [
        f"{entry.name} {share(float((labels == entry.id).sum()) / valid)}"
        for entry in classes
        if entry.id != background and (labels == entry.id).any()
    ]
    return ", ".join(parts) if parts else "background only"


def verdict(truth: Labels, predicted: Labels) -> str:
    """How many pixels are wrong, in words."""
    is_valid = truth != IGNORE
    n_wrong = int(((truth != predicted) & is_valid).sum())
    n_valid = int(is_valid.sum())
    if n_valid == 0:
        return "every pixel is void"
    return f"{count(n_wrong, 'pixel')} wrong, {share(n_wrong / n_valid)} of those that count"
