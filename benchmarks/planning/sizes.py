"""Memory and time to the first step over the size of a set: ever more of the same pictures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from pixelwise.core.runtime import environment

SIZES = (10, 30, 100, 300, 1000)
EDGE = 2048
BUDGET = "1m"

RESULTS = Path(__file__).resolve().parents[1] / "results" / "planning" / "sizes"
WORK = Path(tempfile.gettempdir()) / "pixelwise-sizes"
"""Pictures are kept here, so that a larger set goes on where a smaller one ended."""

FLAT = 1.15
"""The peak of the largest set over that of the smallest one."""

FIRST_STEP_SECONDS = 30.0

_FREE_BYTES = 15_000_000_000
_N_DISCS = 60


def result(n_images: int) -> dict[str, Any] | None:
    """What was measured of a set, None if it was not."""
    path = RESULTS / f"{n_images}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def generate(n_images: int, edge: int) -> Path:
    """A folder of pictures and masks, linked from a growing store of them."""
    store = WORK / f"store-{edge}"
    (store / "images").mkdir(parents=True, exist_ok=True)
    (store / "masks").mkdir(exist_ok=True)
    missing = [i for i in range(n_images) if not (store / "masks" / f"{i:05d}.png").exists()]
    if missing and shutil.disk_usage(WORK).free < _FREE_BYTES:
        sys.exit(f"{WORK}: less than {_FREE_BYTES / 1e9:.0f} GB are free")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_write_picture, [store] * len(missing), missing, [edge] * len(missing)))
    folder = WORK / f"set-{edge}-{n_images}"
    shutil.rmtree(folder, ignore_errors=True)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for i in range(n_images):
            os.link(store / kind / f"{i:05d}.png", folder / kind / f"{i:05d}.png")
    return folder


def _write_picture(store: Path, index: int, edge: int) -> None:
    """Bright discs on uneven ground, few grey values and no noise, so that it packs well."""
    random = np.random.default_rng([7, index])
    ground = ndimage.zoom(random.uniform(40, 120, (5, 5)), edge / 5, order=1)[:edge, :edge]
    mask = np.zeros((edge, edge), np.uint8)
    rows, columns = np.ogrid[:edge, :edge]
    for _ in range(_N_DISCS):
        radius = int(random.integers(edge // 100, edge // 20))
        y, x = random.integers(0, edge, 2)
        box = (slice(max(0, y - radius), y + radius), slice(max(0, x - radius), x + radius))
        inside = (rows[box[0]] - y) ** 2 + (columns[:, box[1]] - x) ** 2 < radius**2
        mask[box][inside] = 1
    grey = (ground + 50.0 * mask).astype(np.uint8) // 2 * 2
    Image.fromarray(grey).save(store / "images" / f"{index:05d}.png", compress_level=1)
    Image.fromarray(mask).save(store / "masks" / f"{index:05d}.png", compress_level=1)


def measure(n_images: int, edge: int) -> dict[str, Any]:
    """Train on a set in a process of its own, nothing prepared before; keep what it took."""
    folder = generate(n_images, edge)
    work = Path(tempfile.mkdtemp(prefix="pixelwise-sizes-"))
    cache = work / "prepared"
    variables = os.environ | {"PIXELWISE_CACHE": str(cache)}
    runs = []
    try:
        for name in ("first", "second"):
            command = [sys.executable, "-m", "benchmarks.planning.first_step", str(folder)]
            answer = work / f"{name}.json"
            subprocess.run(
                [*command, str(work / name), BUDGET, str(answer)],
                check=True,
                env=variables,
                stdout=subprocess.DEVNULL,
            )
            runs.append(json.loads(answer.read_text(encoding="utf-8")))
        cache_bytes = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    found = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "n_images": n_images,
        "edge": edge,
        "budget": BUDGET,
        "first": runs[0],
        "second": runs[1],
        "cache_bytes": cache_bytes,
        "load_after": [round(value, 2) for value in os.getloadavg()],
        "machine": environment(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{n_images}.json"
    temporary = path.with_suffix(".writing")
    temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)
    return found


def _measured() -> list[dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")]
    return sorted(found, key=lambda entry: entry["n_images"])


def table_lines() -> list[str]:
    """The measured sets as a Markdown table."""
    lines = [
        f"| images of {EDGE} x {EDGE} | peak memory | first step after | again, looked at before | "
        "steps in 1 min | prepared on disk |",
        "|---|---|---|---|---|---|",
    ]
    for entry in _measured():
        first, second = entry["first"], entry["second"]
        lines.append(
            f"| {entry['n_images']:,} | {first['peak_bytes'] / 1e9:.2f} GB | "
            f"{first['first_step_seconds']:.1f} s | {second['first_step_seconds']:.1f} s | "
            f"{first['steps']:,} | {entry['cache_bytes'] / 1e9:.2f} GB |"
        )
    return lines


def broken_promises() -> list[str]:
    """Sentences on sets whose memory grows with their size, or that begin late."""
    found = _measured()
    if not found:
        return []
    broken = []
    peaks = [max(e["first"]["peak_bytes"], e["second"]["peak_bytes"]) for e in found]
    if peaks[-1] > FLAT * peaks[0]:
        broken.append(f"memory grows from {peaks[0] / 1e9:.2f} to {peaks[-1] / 1e9:.2f} GB")
    broken += [
        f"{entry['n_images']} images: the first step after "
        f"{entry['first']['first_step_seconds']:.0f} s"
        for entry in found
        if entry["first"]["first_step_seconds"] > FIRST_STEP_SECONDS
    ]
    return broken
