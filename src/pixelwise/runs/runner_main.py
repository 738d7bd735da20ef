"""Labels images with an exported bundle: needs onnxruntime and numpy, nothing of pixelwise.

python runner.py IMAGE.npy LABELS.npy    label an image
python runner.py --test                  check the hashes, label the test image, compare

An image is an array (y, x), (z, y, x), (channel, …), or a colour picture (y, x, 3) of bytes;
PNG and TIFF are read where pillow or tifffile is installed. Nothing here unpickles or runs
what a file says. As a module: `Runner(folder).label(array)` gives class ids, uint8.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pixelwise.runs.runner_arrays import (
    Array,
    BundleError,
    Scale,
    Tree,
    as_channels,
    decode,
    gaussian_weights,
    intensity_scale,
    lay_axis,
    match_channels,
    probabilities,
    read_mirrored,
    regrid,
    tiles_of,
    views_of,
    whole_answers,
)
from pixelwise.runs.runner_shading import evened

FORMAT = 1
EQUAL_SHARE = 0.9999
"""Share of the test labels that must be equal: other processors round otherwise."""

SAME_SHARE = 0.05
"""Spacings that differ by less are the same."""


class Runner:
    """A bundle: its files checked, its network loaded."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.bundle = _read_json(self.folder / "bundle.json")
        if self.bundle.get("format_version", FORMAT + 1) > FORMAT:
            raise BundleError("the bundle is newer than this runner: use the runner inside it")
        self.check_files()
        self.plan = _read_json(self.folder / "plan.json")
        self.network: Tree = self.bundle["network"]
        self.field: Tree = self.network["field"]
        self.section: Tree = self.plan["inference"]
        self.run = _load(self.folder, self.network)

    def check_files(self) -> None:
        """Compare every file with the hash that it had when it was written."""
        for name, entry in self.bundle["files"].items():
            path = self.folder / name
            if not path.is_file():
                raise BundleError(f"{name} is missing: unpack the bundle again")
            if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
                raise BundleError(f"{name} was changed (its SHA-256 differs): get it again")

    def label(self, image: Array) -> Array:
        """Class ids, or bit sets of regions, on the image's grid ([z,] y, x), uint8."""
        data, task = self.plan["data"], self.plan["task"]
        image = as_channels(np.asarray(image), data["n_dims"])
        image = evened(image, self.plan["intensity"])
        image = match_channels(image, data["n_channels"])
        scale = intensity_scale(self.plan["intensity"], image)
        shape, goal = image.shape[1:], self._goal(image.shape[1:])
        if goal == shape:
            return self._each_slice(image, scale, self._decode)
        geometry = self.plan["geometry"]
        methods = [
            "nearest" if axis in geometry["nearest_axes"] else geometry["interpolation"]
            for axis in range(len(goal))
        ]
        found = self._each_slice(regrid(image, goal, methods), scale, self._probabilities)
        back = ["nearest" if method == "nearest" else "linear" for method in methods]
        return decode(regrid(found, shape, back), task, 0.5)

    def _goal(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape on the plan's grid; the spacing is the data's, as arrays have none."""
        new, old = self.plan["geometry"]["spacing"], self.plan["data"]["spacing"]
        if not new or not old:
            return shape
        return tuple(
            n if b is None or abs(a / b - 1) < SAME_SHARE else max(1, round(n * a / b))
            for n, a, b in zip(shape, old, new)
        )

    def _each_slice(self, image: Array, scale: Scale, finish: Scale) -> Array:
        """`finish` of the scores of an image, slice by slice if it was planned so."""
        axis, n = self.plan["geometry"]["slice_axis"], self.plan["geometry"]["neighbours"]
        if axis is None:
            return finish(self.scores(image, scale))
        indices = np.pad(np.arange(image.shape[axis + 1]), n, mode="reflect")
        planes = []
        for index in range(image.shape[axis + 1]):
            part = np.take(image, indices[index : index + 2 * n + 1], axis=axis + 1)
            moved = np.moveaxis(scale(part), axis + 1, 0)
            flat = np.ascontiguousarray(moved.reshape(-1, *moved.shape[2:]))
            planes.append(finish(self.scores(flat, lambda values: values)))
        return np.stack(planes, axis=planes[0].ndim - (image.ndim - 2) + axis)

    def scores(self, image: Array, scale: Scale) -> Array:
        """Logits (k, …) of an image, or mean probabilities where mirror images are averaged."""
        section, margin, shape = self.section, self.field["margin"], image.shape[1:]
        core, halo = section["tile"], section["halo"]
        if section["overlap"] > 0:
            halo = [math.floor(size * section["overlap"] / 2) for size in core]
            core = [size - 2 * h for size, h in zip(core, halo)]
        elif margin > 0:
            halo = [0] * len(core)
        wholes = whole_answers(shape, self.field)
        axes = [lay_axis(*numbers, self.field) for numbers in zip(wholes, shape, core, halo)]
        if section["overlap"] > 0:
            return self._blend(image, scale, axes)
        found = np.zeros((self.network["n_outputs"], *shape), np.float32)
        for starts, region in tiles_of(axes):
            scores = self._tile(image, scale, starts, [axis["read"] for axis in axes])
            place = tuple(slice(a, b) for a, b in region)
            inside = tuple(
                slice(a - first - margin, b - first - margin)
                for (a, b), first in zip(region, starts)
            )
            found[(slice(None), *place)] = scores[(slice(None), *inside)]
        return found

    def _blend(self, image: Array, scale: Scale, axes: Sequence[Tree]) -> Array:
        """Overlapping tiles, averaged with Gaussian weights."""
        margin = self.field["margin"]
        window = [axis["read"] - 2 * margin for axis in axes]
        weights = gaussian_weights(tuple(window))
        wholes = [axis["starts"][-1] + margin + size for axis, size in zip(axes, window)]
        total = np.zeros(wholes, np.float32)
        sums = np.zeros((self.network["n_outputs"], *wholes), np.float32)
        for starts, _ in tiles_of(axes):
            scores = self._tile(image, scale, starts, [axis["read"] for axis in axes])
            place = tuple(slice(a + margin, a + margin + n) for a, n in zip(starts, window))
            sums[(slice(None), *place)] += weights * scores
            total[place] += weights
        cut = tuple(slice(0, n) for n in image.shape[1:])
        mean: Array = sums[(slice(None), *cut)] / np.maximum(total[cut], np.float32(1e-3))
        return mean

    def _tile(
        self, image: Array, scale: Scale, starts: Sequence[int], sizes: Sequence[int]
    ) -> Array:
        values = scale(read_mirrored(image, starts, sizes))
        flat = values.reshape(len(values), -1)
        if (flat.max(axis=1) - flat.min(axis=1)).max() < self.section["skip_below"]:
            return self._empty([size - 2 * self.field["margin"] for size in sizes])
        views = views_of(values.ndim - 1, self.section)
        if len(views) == 1:
            only: Array = self.run(values[None])[0]
            return only
        total = np.zeros((), np.float32)
        for is_turned, axes in views:
            seen = np.swapaxes(values, -1, -2) if is_turned else values
            logits = self.run(np.ascontiguousarray(np.flip(seen, axes))[None])[0]
            back = np.flip(probabilities(logits, self.plan["task"]), axes)
            total = total + (np.swapaxes(back, -1, -2) if is_turned else back)
        mean: Array = total / np.float32(len(views))
        return mean

    def _empty(self, shape: Sequence[int]) -> Array:
        """Scores of a tile that was not looked at: surely background, or in no region."""
        first = np.zeros(self.network["n_outputs"], np.float32)
        first[0] = self.plan["task"]["name"] != "regions"
        values = first if self._is_mean(len(shape)) else 8 * (2 * first - 1)
        return np.broadcast_to(values.reshape(-1, *[1] * len(shape)), (len(values), *shape))

    def _is_mean(self, n_dims: int) -> bool:
        return len(views_of(n_dims, self.section)) > 1

    def _decode(self, scores: Array) -> Array:
        return decode(scores, self.plan["task"], 0.5 if self._is_mean(scores.ndim - 1) else 0.0)

    def _probabilities(self, scores: Array) -> Array:
        is_mean = self._is_mean(scores.ndim - 1)
        return scores if is_mean else probabilities(scores, self.plan["task"])


def _load(folder: Path, network: Tree) -> Callable[[Array], Array]:
    """A function (n, c, …) -> (n, k, …): ONNX Runtime, or OpenVINO for its own form."""
    field, fixed, path = network["field"], network.get("fixed"), folder / network["file"]
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(
            path.read_bytes(), providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        return lambda images: fitted(
            lambda given: session.run(None, {name: given})[0], images, field, fixed
        )
    import openvino

    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda images: fitted(lambda given: model([given])[0].copy(), images, field, fixed)


def fitted(
    run: Callable[[Array], Array], images: Array, field: Tree, fixed: Sequence[int] | None
) -> Array:
    """`run` on tiles mirrored at their ends to a size that the network takes."""
    shape, step = images.shape[2:], field["multiple"]
    goal = list(fixed or [max(size, field["smallest"]) for size in shape])
    if not fixed:
        goal = [size + (field["remainder"] - size) % step for size in goal]
        if step > 1 and all(size == step for size in goal):
            goal[-1] *= 2
    missing = [(0, edge - size) for size, edge in zip(shape, goal)]
    if not any(more for _, more in missing):
        return run(images)
    if field["margin"] or any(more < 0 for _, more in missing):
        raise BundleError(f"the network cannot take a tile of {shape}, only of {goal}")
    answer = run(np.pad(images, [(0, 0), (0, 0), *missing], mode="reflect"))
    return answer[(slice(None), slice(None), *(slice(0, size) for size in shape))]


def read_image(path: Path) -> Array:
    """An image file as an array: NumPy always, others where their package is installed."""
    if path.suffix == ".npy":
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            import tifffile

            return np.asarray(tifffile.imread(path))
        from PIL import Image

        return np.asarray(Image.open(path))
    except ImportError as error:
        raise BundleError(f"{path} needs the package {error.name}; .npy needs none") from error


def _read_json(path: Path) -> Tree:
    try:
        content: Tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    return content


def check_test_pair(runner: Runner) -> bool:
    """Label the test image and compare: whether enough labels are as they should be."""
    names = runner.bundle["test"]
    image, wanted = (read_image(runner.folder / names[key]) for key in ("input", "labels"))
    found = runner.label(image)
    share = float((found == wanted).mean())
    print(f"hashes are right; {share:.6%} of {found.size} test labels are as expected")
    return share >= EQUAL_SHARE


def main(words: Sequence[str]) -> int:
    """What the command line asks for; 0 if it went well."""
    try:
        if list(words) == ["--test"]:
            return 0 if check_test_pair(Runner(Path(__file__).parent)) else 1
        if len(words) != 2 or words[0].startswith("-"):
            print(__doc__)
            return 2
        labels = Runner(Path(__file__).parent).label(read_image(Path(words[0])))
        out = Path(words[1]).with_suffix(".npy")
        unfinished = out.with_suffix(".unfinished.npy")
        np.save(unfinished, labels)
        unfinished.replace(out)
    except (BundleError, OSError, ValueError) as error:
        print(f"runner: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
