"""Measures every engine of runs and the bundles made of them; writes one dated file of results.

python -m benchmarks.engines RUN...

For each run: milliseconds of a tile and validation Dice per class of every engine, against
float32 in PyTorch (as `pixelwise choose-engine RUN --all`), then a bundle is exported and its
runner labels the validation images in a process of its own that can import nothing but NumPy
and ONNX Runtime. Needs a quiet machine for its times; what is compared takes turns.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import RESULTS, describe_machine
from pixelwise.commands.choose_engine import choose_engine
from pixelwise.commands.export import export
from pixelwise.commands.export_test_pair import label_array
from pixelwise.commands.open_engine import open_engine
from pixelwise.commands.run_cases import split_cases
from pixelwise.data.channels import match_channels
from pixelwise.readers.stacked import open_images
from pixelwise.report.engine_table import HEADER, engine_rows, engine_sentence
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network

EQUAL_TO_TORCH = 0.9999
_MOST_IMAGES = 5

_ALONE = """
import sys
ALLOWED = {"numpy", "onnxruntime", "google", "flatbuffers", "packaging"}
class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ALLOWED:
            raise ImportError(f"{name} is not allowed here", name=top)
sys.meta_path.insert(0, Guard())
import runpy
runner, *words = sys.argv[1:]
sys.argv = [runner, *words]
runpy.run_path(runner, run_name="__main__")
"""


def measure(run: Path, scratch: Path) -> dict[str, Any]:
    """All figures of a run."""
    choice = choose_engine(run, all_engines=True)
    print(f"\n{run.name}: {engine_sentence(choice)}")
    for row in (HEADER, *engine_rows(choice)):
        print(" | ".join(row))
    return {
        "chosen": choice.chosen,
        "engines": [found.model_dump(mode="json") for found in choice.engines],
        "n_cases": choice.n_cases,
        "n_calibration": choice.n_calibration,
        "runner": _measure_runner(run, scratch),
    }


def _measure_runner(run: Path, scratch: Path) -> dict[str, Any]:
    """The runner alone against `--engine onnx` and float32 in PyTorch, on validation images."""
    folder = open_run(run)
    plan = folder.read_plan()
    network = load_network(folder, plan)
    bundle = scratch / run.name
    export(run, out=bundle, overwrite=True)
    engines = {name: open_engine(name, folder, plan, network) for name in ("onnx", "torch-float32")}
    equal = dict.fromkeys(engines, 0)
    n_pixels = 0
    cases = split_cases(folder, plan, "val")[:_MOST_IMAGES]
    for case in cases:
        with open_images(case.images) as source:
            image = match_channels(source.read(), plan.data.n_channels)
        np.save(scratch / "image.npy", image)
        words = [str(bundle / "runner.py"), str(scratch / "image.npy"), str(scratch / "out.npy")]
        subprocess.run([sys.executable, "-I", "-c", _ALONE, *words], check=True)
        labels = np.load(scratch / "out.npy")
        n_pixels += labels.size
        for name, opened in engines.items():
            equal[name] += int((labels == label_array(image, plan, opened)).sum())
    shares = {name: count / n_pixels for name, count in equal.items()}
    for name, share in shares.items():
        print(f"runner alone, equal to {name}: {share:.6%} of {n_pixels} pixels")
    kept = {"onnx": shares["onnx"] == 1, "torch": shares["torch-float32"] >= EQUAL_TO_TORCH}
    return {"n_images": len(cases), "n_pixels": n_pixels, "equal": shares, "kept": kept}


def main() -> None:
    """Measure the runs that were named."""
    runs = [Path(word) for word in sys.argv[1:]]
    if not runs or any(not (run / "run.json").is_file() for run in runs):
        sys.exit(__doc__)
    content = describe_machine()
    scratch = Path(tempfile.mkdtemp(prefix="pixelwise-"))
    try:
        content["runs"] = {run.name: measure(run, scratch) for run in runs}
    finally:
        shutil.rmtree(scratch)
    file = RESULTS / f"engines-{time.strftime('%Y-%m-%d-%H%M')}.json"
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written: {file}")
    is_kept = all(all(found["runner"]["kept"].values()) for found in content["runs"].values())
    sys.exit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
