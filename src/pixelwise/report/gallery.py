"""Cases as pictures inside the page: a photo with thin layers of truth, prediction and errors."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from PIL import Image

from pixelwise.core.case import IGNORE
from pixelwise.report.content import GalleryItem
from pixelwise.report.elements import element, swatch
from pixelwise.report.pictures import (
    FALSE,
    HIT,
    MISSED,
    SWAPPED,
    ColouredClass,
    Labels,
    Picture,
    class_layer,
    error_layer,
    find_background,
)
from pixelwise.report.wording import count, number, share

MAX_EDGE = 1024
"""Longest side in pixels of a picture in the page; larger ones are thinned out."""

PHOTO_QUALITY = 82


def gallery(
    items: Sequence[GalleryItem], classes: Sequence[ColouredClass], score_name: str
) -> Markup:
    """Every case as four views side by side: image, truth, predicted, errors."""
    figures = [_figure(item, classes, score_name) for item in items]
    return element("div", legend(items, classes), *figures, class_="gallery")


def legend(items: Sequence[GalleryItem], classes: Sequence[ColouredClass]) -> Markup:
    """What the colours in all pictures mean; only what occurs in them."""
    background = find_background(classes)
    shown = [entry for entry in classes if entry.id != background]
    entries = [element("li", swatch(entry.colour), entry.name) for entry in shown]
    verdicts = [(HIT, "hit"), (MISSED, "missed"), (FALSE, "false alarm")]
    if background is None:
        verdicts = []
    if len(shown) > 1:
        verdicts.append((SWAPPED, "wrong class"))
    signs = [element("li", swatch(colour), text) for colour, text in verdicts]
    if background is None:
        signs.append(element("li", "unmarked: right class"))
    if any((item.truth == IGNORE).any() for item in items):
        void = element("span", class_="swatch void", aria_hidden="true")
        signs.append(element("li", void, "void or outside the field of view: not scored"))
    return element(
        "div",
        element("div", element("strong", "Classes"), element("ul", *entries)),
        element("div", element("strong", "Errors"), element("ul", *signs)),
        class_="legend",
    )


def _figure(item: GalleryItem, classes: Sequence[ColouredClass], score_name: str) -> Markup:
    step = max(1, -(-max(item.image.shape[:2]) // MAX_EDGE))
    height, width = item.image[::step, ::step].shape[:2]
    photo = _photo_url(item.image, (width, height))
    truth = thin_out(class_layer(item.truth, classes), step)
    scored = np.where(item.truth == IGNORE, IGNORE, item.predicted)
    predicted = thin_out(class_layer(scored, classes), step)
    errors = thin_out(error_layer(item.truth, item.predicted, classes), step)
    name = item.case_id
    views = [
        _view("Image", None, f"Image of {name}", (width, height)),
        _view("Truth", truth, f"Truth of {name}: {_shares(item.truth, classes)}", (width, height)),
        _view(
            "Predicted",
            predicted,
            f"Prediction for {name}: {_shares(item.predicted, classes)}",
            (width, height),
        ),
        _view("Errors", errors, f"Errors of {name}: {_errors(item)}", (width, height)),
    ]
    heading = element(
        "figcaption",
        element("span", item.caption, class_="tag") if item.caption else None,
        element("strong", name),
        element("span", f"{score_name} {number(item.score)}", class_="score"),
        element("span", item.pieces, class_="quiet") if item.pieces else None,
    )
    is_small = max(width, height) < 300
    return element(
        "figure",
        heading,
        element("div", *views, class_="views"),
        class_="case small" if is_small else "case",
        style=f"--photo:url({photo});--ratio:{width}/{height}",
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


def _photo_url(image: Picture, size: tuple[int, int]) -> str:
    picture = Image.fromarray(np.ascontiguousarray(image))
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if max(size) < 300:
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


def _errors(item: GalleryItem) -> str:
    is_valid = item.truth != IGNORE
    n_wrong = int(((item.truth != item.predicted) & is_valid).sum())
    n_valid = int(is_valid.sum())
    if n_valid == 0:
        return "every pixel is void"
    return f"{count(n_wrong, 'pixel')} wrong, {share(n_wrong / n_valid)} of those that count"
