"""The first half of a bundle's runner: images, tiles and grids as arrays, with NumPy alone."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Scale = Callable[[Array], Array]
Tree = dict[str, Any]


class BundleError(Exception):
    """The bundle or the image cannot be used; the text says why and what to do."""


def as_channels(image: Array, n_dims: int) -> Array:
    """(c, [z,] y, x) of an array as it was stored; colour pictures are (y, x, 3 or 4) bytes."""
    if image.dtype.kind not in "buif" or 0 in image.shape:
        raise BundleError(f"the image holds {image.dtype} of shape {image.shape}, not numbers")
    image = image.astype(np.uint8) if image.dtype.kind == "b" else image
    if image.ndim == n_dims:
        return image[None]
    if image.ndim == 3 and n_dims == 2 and image.shape[-1] in (3, 4) and image.dtype == np.uint8:
        return np.moveaxis(image, -1, 0)[:3]
    if image.ndim == n_dims + 1:
        return image
    raise BundleError(f"the image has the shape {image.shape}; expected {n_dims} spatial axes")


def match_channels(image: Array, wanted: int) -> Array:
    """One channel is repeated, three become one by luminance (ITU-R BT.601)."""
    given = len(image)
    if given == wanted:
        return image
    if (given, wanted) == (1, 3):
        return np.repeat(image, 3, axis=0)
    if (given, wanted) == (3, 1):
        weights = np.asarray((0.299, 0.587, 0.114), np.float32)
        grey: Array = np.tensordot(weights, image.astype(np.float32), axes=1)[None]
        return grey if image.dtype.kind == "f" else np.rint(grey).astype(image.dtype)
    raise BundleError(f"the image has {given} channels; expected {wanted}")


def intensity_scale(section: Tree, image: Array) -> Scale:
    """What makes the network's input of stored values: clip, subtract, divide, per channel."""
    numbers = [section[key] for key in ("low", "high", "centre", "scale")]
    if section["scheme"] == "image":
        numbers = _measured(_sample(image), section.get("without_zeros", False))
    low, high, centre, width = (np.asarray(values, np.float32) for values in numbers)

    def apply(values: Array) -> Array:
        shape = (-1,) + (1,) * (values.ndim - 1)
        found = values.astype(np.float32)
        np.clip(found, low.reshape(shape), high.reshape(shape), out=found)
        found -= centre.reshape(shape)
        found /= width.reshape(shape)
        if np.issubdtype(values.dtype, np.floating):
            np.nan_to_num(found, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return found

    return apply


def _measured(pixels: Array, without_zeros: bool) -> list[Any]:
    values = pixels.astype(np.float64)
    finite = np.isfinite(values)
    if without_zeros:
        finite &= (values != 0).any(axis=0)
    count = np.maximum(finite.sum(axis=1), 1)
    centre = np.where(finite, values, 0.0).sum(axis=1) / count
    squares = np.where(finite, (values - centre[:, None]) ** 2, 0.0).sum(axis=1) / count
    width = np.sqrt(squares)
    width[width < 1e-6 * np.maximum(1.0, np.abs(centre))] = 1.0
    limit = np.full(len(centre), np.inf)
    return [-limit, limit, centre, width]


def _sample(image: Array, most: int = 4_000_000) -> Array:
    """(c, n): all pixels of a small image, blocks on a regular grid of a large one."""
    shape = image.shape[1:]
    if math.prod(shape) <= most:
        return image.reshape(len(image), -1)
    block = 256 if len(shape) == 2 else 32
    edges = [min(block, length) for length in shape]
    per_axis = max(1, round(max(1, most // math.prod(edges)) ** (1 / len(shape))))
    starts = [
        np.unique(np.linspace(0, n - edge, per_axis).astype(int)) for n, edge in zip(shape, edges)
    ]
    places = itertools.product(*starts)
    blocks = [
        image[(slice(None), *(slice(a, a + e) for a, e in zip(place, edges)))] for place in places
    ]
    return np.concatenate([part.reshape(len(image), -1) for part in blocks], axis=1)


def whole_answers(shape: Sequence[int], field: Tree) -> list[int]:
    """Lengths of the answer for a whole image: for the next sizes that the network takes."""
    margin, step = field["margin"], math.lcm(field["alignment"], field["multiple"])
    sizes = [max(length + 2 * margin, field["smallest"]) for length in shape]
    sizes = [size + (field["remainder"] - size) % step for size in sizes]
    if margin == 0 and all(size == step for size in sizes):
        sizes[-1] += step
    return [size - 2 * margin for size in sizes]


def lay_axis(whole: int, length: int, edge: int, context: int, field: Tree) -> Tree:
    """Tiles along an axis: what each reads first, how much, and the borders of the regions."""
    margin, step = field["margin"], math.lcm(field["alignment"], field["multiple"])
    context = -(-context // step) * step
    inner = min(whole, length + context) - 2 * context
    n_tiles = max(1, -(-inner // max(edge, step)))
    least = field["smallest"] - 2 * margin - 2 * context
    edge = -(-max(-(-inner // n_tiles), least, 1) // step) * step
    window = edge + 2 * context
    window += (whole - window) % step
    n_tiles = -(-inner // edge)
    if n_tiles <= 1 or window >= whole:
        n_tiles, window = 1, whole
    cuts = [0, *(i * edge + context for i in range(1, n_tiles)), length]
    starts = [min(i * edge, whole - window) - margin for i in range(n_tiles)]
    return {"starts": starts, "parts": list(itertools.pairwise(cuts)), "read": window + 2 * margin}


def tiles_of(axes: Sequence[Tree]) -> Iterator[tuple[tuple[int, ...], tuple[tuple[int, int], ...]]]:
    """(first pixels read, region as (start, stop)) of every tile, in raster order."""
    for index in itertools.product(*(range(len(axis["starts"])) for axis in axes)):
        yield (
            tuple(axis["starts"][i] for axis, i in zip(axes, index)),
            tuple(axis["parts"][i] for axis, i in zip(axes, index)),
        )


def read_mirrored(image: Array, starts: Sequence[int], sizes: Sequence[int]) -> Array:
    """(c, …) of what a tile reads, mirrored where it reaches over the image."""
    values = image
    for axis, (start, size, length) in enumerate(zip(starts, sizes, image.shape[1:]), start=1):
        places = np.arange(start, start + size)
        if length == 1:
            places[:] = 0
        else:
            places %= 2 * (length - 1)
            places = np.minimum(places, 2 * (length - 1) - places)
        low = int(places.min())
        part = values[(slice(None),) * axis + (slice(low, int(places.max()) + 1),)]
        values = np.take(part, places - low, axis=axis)
    return values


def views_of(n_dims: int, section: Tree) -> list[tuple[bool, tuple[int, ...]]]:
    """(is turned, mirrored axes) of every view that is averaged; one where none is."""
    axes = sorted(axis - n_dims for axis in section["mirror_axes"])
    sets = [part for size in range(len(axes) + 1) for part in itertools.combinations(axes, size)]
    return [(turned, part) for turned in (False, True)[: 1 + section["rotations"]] for part in sets]


@functools.cache
def gaussian_weights(window: tuple[int, ...]) -> Array:
    """Weights of a window's pixels: 1 in the middle, Gaussian, never below a thousandth."""
    total = np.ones(window, np.float32)
    for axis, size in enumerate(window):
        place = np.arange(size) - (size - 1) / 2
        line = np.exp(-0.5 * (place / max(size / 8, 1e-9)) ** 2).astype(np.float32)
        total = total * line.reshape((-1,) + (1,) * (len(window) - axis - 1))
    return np.maximum(total, np.float32(1e-3))


def regrid(values: Array, goal: Sequence[int], methods: Sequence[str]) -> Array:
    """(c, …) values -> (c, *goal) float32 on another grid over the same extent."""
    from scipy import sparse

    found = np.asarray(values, np.float32)
    for axis, (n_out, method) in enumerate(zip(goal, methods), start=1):
        n_in = found.shape[axis]
        if n_in == n_out:
            continue
        step = n_in / n_out
        columns, weights = _taps((np.arange(n_out) + 0.5) * step - 0.5, step, method)
        rows = np.repeat(np.arange(n_out), columns.shape[1])
        places = (rows, np.clip(columns, 0, n_in - 1).reshape(-1))
        entries = weights.astype(np.float32).reshape(-1)
        matrix = sparse.csr_array((entries, places), shape=(n_out, n_in))
        moved = np.moveaxis(found, axis, 0)
        flat = np.ascontiguousarray(moved).reshape(n_in, -1)
        found = np.moveaxis(np.asarray(matrix @ flat).reshape(n_out, *moved.shape[1:]), 0, axis)
    return np.ascontiguousarray(found)


def _taps(centres: Array, step: float, method: str) -> tuple[Array, Array]:
    """Positions (n_out, taps) on the other grid and their weights, for one axis."""
    if method == "nearest":
        columns = np.floor(centres + 0.5).astype(np.int64)[:, None]
        return columns, np.ones(columns.shape)
    if method == "cubic" and step <= 1:
        columns = np.floor(centres).astype(np.int64)[:, None] + np.arange(-1, 3)
        t = np.abs(columns - centres[:, None])
        near = 1.5 * t**3 - 2.5 * t**2 + 1
        far = -0.5 * (t**3 - 5 * t**2 + 8 * t - 4)
        return columns, np.where(t <= 1, near, np.where(t < 2, far, 0.0))
    half = max(0.0, (step - 1) / 2)
    first = np.floor(centres - half).astype(np.int64)
    columns = first[:, None] + np.arange(math.ceil(2 * half) + 2)
    distance = columns - centres[:, None]
    if half < 1e-6:
        return columns, np.maximum(0.0, 1 - np.abs(distance))
    return columns, (_area(half - distance) - _area(-half - distance)) / (2 * half)


def _area(u: Array) -> Array:
    """The integral of max(0, 1 - |t|) up to u."""
    near = np.clip(u, -1, 1)
    return np.where(near < 0, (1 + near) ** 2 / 2, 1 - (1 - near) ** 2 / 2)


def probabilities(logits: Array, task: Tree) -> Array:
    """Softmax over classes, or for regions a sigmoid each, nested where the plan says so."""
    if task["name"] != "regions":
        grown = np.exp(logits - logits.max(axis=0))
        found: Array = grown / grown.sum(axis=0)
        return found
    planes: Array = 1 / (1 + np.exp(-logits))
    return nested(planes, task)


def nested(planes: Array, task: Tree) -> Array:
    """No region anywhere more likely than the one that holds it."""
    inside = list(task["options"].get("inside", ()))
    found = planes.copy()
    done = {-1}
    while len(done) <= len(inside):
        for region in [r for r, h in enumerate(inside) if r not in done and h in done]:
            if inside[region] >= 0:
                found[region] = np.minimum(found[region], found[inside[region]])
            done.add(region)
    return found


def decode(scores: Array, task: Tree, level: float) -> Array:
    """(k, …) scores -> labels: the first of the largest, or a bit for each region above level."""
    if task["name"] != "regions":
        best: Array = np.argmax(scores, axis=0).astype(np.uint8)
        return best
    labels = np.zeros(scores.shape[1:], np.uint8)
    for region, plane in enumerate(nested(scores, task)):
        labels |= (plane > level).astype(np.uint8) << np.uint8(region)
    return labels
