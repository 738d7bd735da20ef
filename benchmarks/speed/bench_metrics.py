"""Metrics against the fastest peers and a hand assembly, in one process; one dated file.

python -m benchmarks.speed.bench_metrics [memory a b c d pq cldice hard scoring]

Peers are not dependencies of the project. Make an environment with them beside it:

    python -m venv peers && peers/bin/pip install pixelwise mikan-rs monai medpy SimpleITK \\
        surface-distance connected-components-3d stardist opencv-python-headless edt

Candidates take turns; each number is the median of the repeats. One thread for us, all cores
for mikan-rs. A part of which a peer is missing is measured without its bar.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import metric_peers, scoring
from benchmarks.speed.machine import RESULTS, describe_machine
from benchmarks.speed.metric_pairs import Pair, hard_pairs, objects, regions, vessels
from benchmarks.speed.metric_peers import TOLERANCE, Call, has
from benchmarks.speed.peak_growth import growth_of_measuring
from pixelwise import metrics
from pixelwise.metrics import measure
from pixelwise.metrics.instances import panoptic_quality

WHOLE = ("dice", "iou", "hd", "hd95", "assd", "nsd", "betti_error")
SUBSET = ("dice", "iou", "hd", "hd95", "assd", "masd")
SURFACES = ("hd", "hd95", "assd", "nsd")

BARS = {"a": (15, 4, 5), "b": (15, 4, 4), "c": (15, 4, 8), "d": (22, 8, 14)}
"""Times as fast: whole set over peers, whole set over the assembly, subset over mikan-rs."""

PQ_BAR, CLDICE_BAR, SLOWER_BAR, MEMORY_BAR = 5.0, 3.0, 1.2, 1.5

Found = dict[str, Any]


def take_turns(calls: Mapping[str, Call], repeats: int) -> dict[str, float]:
    """Median milliseconds of each call."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: round(1000 * statistics.median(s), 3) for name, s in seconds.items()}


def ours(pair: Pair, wanted: tuple[str, ...]) -> Call:
    """The set for all classes but 0."""
    names = [f"nsd:tolerance={TOLERANCE:g}" if name == "nsd" else name for name in wanted]
    return lambda: measure(*pair, names)


def whole_set(name: str, pair: Pair, repeats: int) -> Found:
    """One line of the table: milliseconds, and how many times slower the others are."""
    calls = {"ours": ours(pair, WHOLE), "ours, subset": ours(pair, SUBSET)}
    calls |= _peer_calls(pair)
    found: Found = {"ms": take_turns(calls, repeats)}
    ms = found["ms"]
    whole, by_hand, subset = BARS[name]
    parts = [
        _least(ms, ("mikan", "monai nsd"), ("medpy counts", "deepmind surfaces")),
        _least(ms, ("cc3d",)),
    ]
    distances = _least(ms, ("k-d tree",), ("opencv distances",))
    objects_found = _least(ms, ("cc3d",), ("opencv components",))
    assembled = [_least(ms, ("numpy counts",)), distances, objects_found]
    ratios: dict[str, tuple[float, float]] = {}
    if None not in parts:
        ratios["peers / ours"] = sum(p for p in parts if p) / ms["ours"], whole
    if None not in assembled:
        ratios["assembly / ours"] = sum(p for p in assembled if p) / ms["ours"], by_hand
    if "mikan" in ms:
        ratios["mikan / ours, subset"] = ms["mikan"] / ms["ours, subset"], subset
    found["ratios"] = {key: round(value, 2) for key, (value, _) in ratios.items()}
    found["bars"] = {key: bar for key, (_, bar) in ratios.items()}
    found["kept"] = {key: value >= bar for key, (value, bar) in ratios.items()}
    return found


def _peer_calls(pair: Pair) -> dict[str, Call]:
    """The calls of the tools that are installed."""
    found = {
        "numpy counts": metric_peers.assembled_counts(pair),
        "k-d tree": metric_peers.tree_distances(pair),
    }
    if has("mikan", "SimpleITK"):
        found["mikan"] = metric_peers.mikan(pair)
    if has("monai"):
        found["monai nsd"] = metric_peers.monai_nsd(pair)
    if has("medpy"):
        found["medpy counts"] = metric_peers.medpy_counts(pair)
    if has("surface_distance"):
        found["deepmind surfaces"] = metric_peers.deepmind_surfaces(pair)
    if has("cc3d"):
        found["cc3d"] = metric_peers.cc3d_components(pair)
    if has("cv2") and pair[0].ndim == 2:
        found["opencv components"] = metric_peers.opencv_components(pair)
        found["opencv distances"] = metric_peers.opencv_distances(pair)
    return found


def _least(ms: Mapping[str, float], *choices: tuple[str, ...]) -> float | None:
    """The smallest sum of the choices that were measured whole."""
    sums = [sum(ms[name] for name in names) for names in choices if all(n in ms for n in names)]
    return min(sums) if sums else None


def bench_a() -> Found:
    """512 x 512 binary vessels."""
    return whole_set("a", vessels(512, 0), 15)


def bench_b() -> Found:
    """360 x 480, 11 classes."""
    return whole_set("b", regions((360, 480), 11, 1.0, 1), 9)


def bench_c() -> Found:
    """2048 x 2048 binary vessels."""
    return whole_set("c", vessels(2048, 2), 7)


def bench_d() -> Found:
    """256 cubed, 5 labels, 9 % foreground."""
    return whole_set("d", regions((256, 256, 256), 5, 0.09, 3), 3)


def bench_pq() -> Found:
    """Panoptic quality of about 900 objects in 1024 x 1024 pixels."""
    truth, predicted = objects(1024, 4)
    calls: dict[str, Call] = {"ours": lambda: panoptic_quality(truth, predicted)}
    found: Found = {"objects": int(truth.max())}
    if has("stardist"):
        from stardist.matching import matching

        calls["stardist"] = lambda: matching(truth, predicted, thresh=0.5)
        told = matching(truth, predicted, thresh=0.5).panoptic_quality
        equal = abs(told - panoptic_quality(truth, predicted, inclusive=True).pq) < 1e-9
        found["kept"] = {"equal values": bool(equal)}
    return _against(found, calls, "stardist", PQ_BAR, 9)


def bench_cldice() -> Found:
    """2D clDice against scikit-image's thinning, the same value wanted."""
    from skimage.morphology import skeletonize

    every: Found = {}
    for size in (512, 2048):
        truth, predicted = (labels > 0 for labels in vessels(size, 5))

        def assembled(t: Any = truth, p: Any = predicted) -> float:
            a, b = t[skeletonize(p)].mean(), p[skeletonize(t)].mean()
            return float(2 * a * b / (a + b))

        def own(t: Any = truth, p: Any = predicted) -> float:
            return metrics.cldice(t, p)

        found: Found = {"kept": {"equal values": bool(own() == assembled())}}
        calls: dict[str, Call] = {"ours": own, "scikit-image": assembled}
        every[str(size)] = _against(found, calls, "scikit-image", CLDICE_BAR, 5)
    return every


def bench_hard() -> Found:
    """Inputs that are hard for a search, against distance transforms of the crop."""
    every: Found = {}
    for shape in ((2048, 2048), (160, 160, 160)):
        for name, pair in hard_pairs(shape, 6):
            calls = {"ours": ours(pair, SURFACES)}
            if has("edt"):
                calls["cropped edt"] = metric_peers.edt_distances(pair)
            key = f"{name}, {' x '.join(map(str, shape))}"
            every[key] = _against({}, calls, "cropped edt", 1 / SLOWER_BAR, 3)
    return every


def _against(found: Found, calls: dict[str, Call], peer: str, bar: float, repeats: int) -> Found:
    """Milliseconds of us and one peer, and whether its time over ours reaches the bar."""
    ms = found["ms"] = take_turns(calls, repeats)
    if peer in ms:
        key = f"{peer} / ours"
        value = ms[peer] / ms["ours"]
        found["ratios"], found["bars"] = {key: round(value, 2)}, {key: round(bar, 3)}
        found["kept"] = {**found.get("kept", {}), key: bool(value >= bar)}
    return found


def bench_memory() -> Found:
    """Growth of resident memory in the whole set, after compilation, in a process of its own."""
    pairs = {
        "2048 x 2048 vessels": vessels(2048, 2),
        "256 x 256 x 256, 5 labels": regions((256, 256, 256), 5, 0.09, 3),
    }
    every: Found = {}
    for name, pair in pairs.items():
        growth = growth_of_measuring(*pair, WHOLE, TOLERANCE) / (pair[0].nbytes + pair[1].nbytes)
        every[name] = {
            "growth / (truth + predicted)": round(growth, 2),
            "kept": {"memory": growth <= MEMORY_BAR},
        }
    return every


BENCHES: dict[str, Callable[[], Found]] = {
    "memory": bench_memory, "a": bench_a, "b": bench_b, "c": bench_c, "d": bench_d,
    "pq": bench_pq, "cldice": bench_cldice, "hard": bench_hard, "scoring": scoring.measure,
}  # fmt: skip


def broken(found: Mapping[str, Any], where: str = "") -> list[str]:
    """The promises that were not kept, by their path."""
    names = [f"{where}{key}" for key, is_kept in found.get("kept", {}).items() if not is_kept]
    for key, inner in found.items():
        if isinstance(inner, dict) and key != "kept":
            names += broken(inner, f"{where}{key}: ")
    return names


def main() -> None:
    """Run what was asked for, all by default; exit 1 if a promise is broken."""
    wanted = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        sys.exit(f"there is no part called {unknown[0]!r}; expected one of {', '.join(BENCHES)}")
    content = describe_machine(("pixelwise", *metric_peers.VERSIONS))
    print(", ".join(f"{name} {version}" for name, version in content["versions"].items()))
    print("load before:", *content["load_before"])
    for name in wanted:
        content[name] = BENCHES[name]()
        print(f"{name}: {(BENCHES[name].__doc__ or '').splitlines()[0]}")
        print(json.dumps(content[name], indent=1))
    missed = broken({name: content[name] for name in wanted})
    print("not kept:", "; ".join(missed) or "nothing")
    file = RESULTS / f"metrics-{time.strftime('%Y-%m-%d-%H%M')}.json"
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written: {file}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
