"""Whole sets of metrics against the fastest peers and a hand assembly, in one process.

python -m benchmarks.speed.bench_metrics [a b c d pq cldice far memory]

Peers are not dependencies of the project. Make an environment with them beside it:

    python -m venv peers && peers/bin/pip install pixelwise mikan-rs monai medpy \
        surface-distance connected-components-3d stardist opencv-python-headless edt

Candidates take turns; each number is the median of the repeats. One thread for us.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib.util
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from pixelwise import metrics
from pixelwise.metrics import measure
from pixelwise.metrics.instances import panoptic_quality

WHOLE = ("dice", "iou", "hd", "hd95", "assd", "nsd", "betti_error")
SUBSET = ("dice", "iou", "hd", "hd95", "assd", "masd")
PEERS = ("mikan-rs", "monai", "medpy", "connected-components-3d", "stardist", "edt",
         "opencv-python-headless", "scikit-image", "numpy", "scipy", "numba")  # fmt: skip
TOLERANCE = 2.0

Pair = tuple[np.ndarray, np.ndarray]
Call = Callable[[], Any]


def vessels(size: int, seed: int) -> Pair:
    """Winding thin lines, about 18 % of the image, and a wobbled copy with gaps and spots."""
    generator = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(generator.standard_normal((size, size)), 9 * size / 512)
    truth = np.abs(field) < np.quantile(np.abs(field), 0.18)
    return truth.astype(np.uint8), wobble(truth.astype(np.uint8), generator, 1.2)


def regions(shape: tuple[int, ...], n_classes: int, share: float, seed: int) -> Pair:
    """Smooth regions of many classes; the rest is class 0."""
    generator = np.random.default_rng(seed)
    fields = [
        ndimage.gaussian_filter(generator.standard_normal(shape).astype(np.float32), shape[-1] / 28)
        for _ in range(n_classes)
    ]
    best, top = np.argmax(fields, axis=0), np.max(fields, axis=0)
    truth = np.where(top > np.quantile(top, 1 - share), best + 1, 0).astype(np.uint8)
    return truth, wobble(truth, generator, 1.5)


def wobble(labels: np.ndarray, generator: np.random.Generator, amount: float) -> np.ndarray:
    """A warped copy with some wrong boxes, as a decent prediction looks."""
    grid = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in labels.shape], indexing="ij")
    moved = []
    for axis in grid:
        noise = generator.standard_normal(labels.shape).astype(np.float32)
        shift = ndimage.gaussian_filter(noise, 8)
        moved.append(axis + shift * (amount / shift.std()))
    copy = ndimage.map_coordinates(labels, moved, order=0, mode="nearest")
    for _ in range(12):
        corner = [int(generator.integers(0, max(1, n - 9))) for n in labels.shape]
        copy[tuple(slice(c, c + 9) for c in corner)] = generator.integers(0, labels.max() + 1)
    return copy


def take_turns(calls: dict[str, Call], repeats: int) -> dict[str, float]:
    """Median milliseconds of each call."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


def ours(pair: Pair, wanted: tuple[str, ...]) -> Call:
    """The set for all classes but 0."""
    names = [f"nsd:tolerance={TOLERANCE:g}" if name == "nsd" else name for name in wanted]
    return lambda: measure(*pair, names)


def mikan_call(pair: Pair) -> Call:
    """mikan-rs: counts, hd, hd95, assd, masd of all labels in one call."""
    import mikan

    shape = (1, *pair[0].shape)[-3:]
    volumes = [np.ascontiguousarray(labels.reshape(shape)) for labels in pair]
    shared = sorted((set(np.unique(pair[0])) & set(np.unique(pair[1]))) - {0})
    labels = [int(k) for k in shared]
    wanted = ["dice", "iou", "hd", "hd95", "assd", "masd"]

    def call() -> Any:
        return mikan.ArrayEvaluator(*volumes, (1.0, 1.0, 1.0)).labels(labels).metrics(wanted)

    return call


def monai_nsd_call(pair: Pair) -> Call:
    """MONAI: surface Dice of all classes but 0."""
    import torch
    from monai.metrics import compute_surface_dice

    torch.set_num_threads(1)
    n = int(max(pair[0].max(), pair[1].max())) + 1
    hot = [torch.from_numpy(np.stack([labels == k for k in range(n)])[None]) for labels in pair]
    return lambda: compute_surface_dice(hot[1], hot[0], [TOLERANCE] * (n - 1))


def components_call(pair: Pair) -> Call:
    """cc3d: components of every class and of its background, in both maps."""
    import cc3d

    n = int(max(pair[0].max(), pair[1].max())) + 1
    full, face = (8, 4) if pair[0].ndim == 2 else (26, 6)

    def call() -> None:
        for labels in pair:
            for k in range(1, n):
                mask = labels == k
                cc3d.connected_components(mask, connectivity=full, return_N=True)
                cc3d.connected_components(np.pad(~mask, 1, constant_values=True),
                                          connectivity=face, return_N=True)  # fmt: skip

    return call


def assembly_call(pair: Pair) -> Call:
    """What a good programmer assembles: bincount, rims on the crop, KD-tree, cc3d."""
    components = components_call(pair)
    n = int(max(pair[0].max(), pair[1].max())) + 1

    def call() -> None:
        np.bincount((pair[0].astype(np.int32) * n + pair[1]).ravel(), minlength=n * n)
        for k in range(1, n):
            masks = [labels == k for labels in pair]
            box = ndimage.find_objects((masks[0] | masks[1]).view(np.uint8))[0]
            points = []
            for mask in masks:
                crop = np.pad(mask[box], 1)
                points.append(np.argwhere(crop & ~ndimage.binary_erosion(crop)))
            d = [cKDTree(points[1 - i]).query(points[i])[0] for i in range(2)]
            for side in d:
                _ = side.max(), np.percentile(side, 95), side.mean(), (side <= TOLERANCE).sum()
        components()

    return call


def has(*modules: str) -> bool:
    """Whether peers are installed."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


def whole_set(name: str, pair: Pair, repeats: int) -> None:
    """One line of the table: milliseconds, and how many times slower the others are."""
    calls = {"ours": ours(pair, WHOLE), "ours, subset": ours(pair, SUBSET)}
    if has("mikan", "SimpleITK"):
        calls["mikan"] = mikan_call(pair)
    if has("monai"):
        calls["monai nsd"] = monai_nsd_call(pair)
    if has("cc3d"):
        calls["cc3d"] = components_call(pair)
        calls["assembly"] = assembly_call(pair)
    found = take_turns(calls, repeats)
    text = "  ".join(f"{key} {value:.2f} ms" for key, value in found.items())
    print(f"{name}: {text}")
    if {"mikan", "monai nsd", "cc3d"} <= set(found):
        peers = found["mikan"] + found["monai nsd"] + found["cc3d"]
        print(
            f"   whole set: peers / ours {peers / found['ours']:.1f}, assembly / ours "
            f"{found['assembly'] / found['ours']:.1f}; subset: mikan / ours "
            f"{found['mikan'] / found['ours, subset']:.1f}"
        )


def bench_a() -> None:
    """512 x 512 binary vessels."""
    whole_set("a 512 x 512 vessels", vessels(512, 0), 15)


def bench_b() -> None:
    """360 x 480, 11 classes."""
    whole_set("b 360 x 480, 11 classes", regions((360, 480), 11, 1.0, 1), 7)


def bench_c() -> None:
    """2048 x 2048 binary vessels."""
    whole_set("c 2048 x 2048 vessels", vessels(2048, 2), 5)


def bench_d() -> None:
    """256 cubed, 5 labels, 9 % foreground."""
    whole_set("d 256 x 256 x 256, 5 labels", regions((256, 256, 256), 5, 0.09, 3), 3)


def bench_pq() -> None:
    """Panoptic quality of about 900 objects."""
    generator = np.random.default_rng(4)
    field = ndimage.gaussian_filter(generator.standard_normal((1024, 1024)), 5)
    truth = ndimage.label(field > np.quantile(field, 0.75))[0].astype(np.int32)
    predicted = wobble(truth, generator, 1.0)
    calls = {"ours": lambda: panoptic_quality(truth, predicted)}
    if has("stardist"):
        from stardist.matching import matching

        calls["stardist"] = lambda: matching(truth, predicted, thresh=0.5)
    found = take_turns(calls, 9)
    print(f"pq, {truth.max()} objects: {found}", *ratio(found, "stardist"))


def bench_cldice() -> None:
    """2D clDice against scikit-image's thinning."""
    from skimage.morphology import skeletonize

    for size in (512, 2048):
        truth, predicted = (labels > 0 for labels in vessels(size, 5))

        def assembled(t: np.ndarray = truth, p: np.ndarray = predicted) -> float:
            a, b = t[skeletonize(p)].mean(), p[skeletonize(t)].mean()
            return float(2 * a * b / (a + b))

        found = take_turns(
            {"ours": lambda t=truth, p=predicted: metrics.cldice(t, p), "scikit-image": assembled},
            5,
        )
        same = metrics.cldice(truth, predicted) == assembled()
        print(f"cldice {size}: {found}, equal: {same}", *ratio(found, "scikit-image"))


def bench_far() -> None:
    """Inputs that are hard for a search: far apart, noise, nothing, everything."""
    generator = np.random.default_rng(6)
    for shape in ((2048, 2048), (160, 160, 160)):
        far = np.zeros((2, *shape), np.uint8)
        far[(0, *[slice(2, n // 8) for n in shape])] = 1
        far[(1, *[slice(-n // 8, -2) for n in shape])] = 1
        noise = (generator.random((2, *shape)) < 0.5).astype(np.uint8)
        full = np.ones((2, *shape), np.uint8)
        for name, pair in (("far", far), ("noise", noise), ("full", full), ("empty", full * 0)):
            calls: dict[str, Call] = {"ours": ours((pair[0], pair[1]), ("hd", "hd95", "assd"))}
            if has("edt"):
                calls["cropped edt"] = edt_call(pair)
            found = take_turns(calls, 3)
            print(f"{name} {shape}: {found}", *ratio(found, "cropped edt"))


def edt_call(pair: np.ndarray) -> Call:
    """Rims and distance transforms on the common crop."""
    import edt

    def call() -> None:
        boxes = ndimage.find_objects((pair[0] | pair[1]).astype(np.int32))
        if not boxes:
            return
        rims = []
        for mask in pair:
            crop = np.pad(mask[boxes[0]] > 0, 1)
            rims.append(crop & ~ndimage.binary_erosion(crop))
        for one, other in ((rims[0], rims[1]), (rims[1], rims[0])):
            if other.any():
                side = edt.edt(~other, parallel=1)[one]
                _ = side.max(), np.percentile(side, 95), side.mean()

    return call


def bench_memory() -> None:
    """Growth of resident memory in the whole set of a 256 cubed pair, after compilation."""
    measure(np.ones((4, 4, 4), np.uint8), np.ones((4, 4, 4), np.uint8), WHOLE, tolerance=1.0)
    generator = np.random.default_rng(7)
    coarse = generator.integers(0, 40, (16, 16, 16))
    truth = (
        np.where(coarse < 6, coarse, 0).astype(np.uint8).repeat(16, 0).repeat(16, 1).repeat(16, 2)
    )
    predicted = np.roll(truth, 2, (0, 1, 2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measure(truth, predicted, WHOLE, tolerance=TOLERANCE)
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(f"memory: grew by {growth / (truth.nbytes + predicted.nbytes):.2f} x (truth + predicted)")


def ratio(found: dict[str, float], peer: str) -> list[str]:
    """How many times slower a peer is, if it is there."""
    return [f"{peer} / ours {found[peer] / found['ours']:.2f}"] if peer in found else []


BENCHES = {"memory": bench_memory, "a": bench_a, "b": bench_b, "c": bench_c, "d": bench_d,
           "pq": bench_pq, "cldice": bench_cldice, "far": bench_far}  # fmt: skip


def main() -> None:
    """Run what was asked for, all by default."""
    names = [d.metadata["Name"] for d in metadata.distributions()]
    print(", ".join(f"{peer} {metadata.version(peer)}" for peer in PEERS if peer in names))
    print("load before:", os.getloadavg())
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main()
