"""nnU-Net's own planner on the public sets, and ours beside it: one answer each, side by side.

python -m benchmarks.peers.nnunet_planner record      in an environment that has nnunetv2
python -m benchmarks.peers.nnunet_planner compare     in the project's own: a table, exit code 1
                                                      if any number differs

Both need PIXELWISE_DATA. `record` converts the training and validation cases of each set to
nnU-Net's raw format in a temporary folder, runs its fingerprint and its planner there, and writes
`nnunet_plans.json`: numbers only. `compare` takes the fingerprint with our own readers.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("nnunet_plans.json")

SETS = ("chase-db1", "isbi2012-em", "camvid", "dsb2018-fluo", "msd-hippocampus", "mni152-tissue")
"""Pictures of one and of several sizes, with and without an ignored label; volumes."""

CONFIGURATIONS = ("2d", "3d_fullres", "3d_lowres")
_N_PROCESSES = 2


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("record", "compare"))
    parser.add_argument("--only", nargs="+", default=list(SETS), choices=SETS, metavar="SET")
    options = parser.parse_args(words)
    folder = os.environ.get("PIXELWISE_DATA")
    if not folder or not Path(folder).is_dir():
        sys.exit("PIXELWISE_DATA must name the folder with the public data sets")
    if options.verb == "record":
        record(Path(folder), options.only)
        return 0
    return compare(Path(folder), options.only)


def record(data: Path, names: Sequence[str]) -> None:
    """Ask nnunetv2 and keep what it says; sets that are not asked for keep their answers."""
    content = json.loads(RECORDED.read_text()) if RECORDED.exists() else {"sets": {}}
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("raw", "preprocessed", "results"):
            os.environ[f"nnUNet_{name}"] = str(Path(temporary) / name)
            (Path(temporary) / name).mkdir()
        for number, name in enumerate(names, start=1):
            folder = Path(temporary) / "raw" / f"Dataset{number:03d}_{name.replace('-', '')}"
            convert(data / name, folder)
            content["sets"][name] = ask(number, folder)
            print(name, json.dumps(content["sets"][name]["configurations"]), flush=True)
    content |= {
        "date": datetime.date.today().isoformat(),
        "tool": f"nnunetv2 {metadata.version('nnunetv2')}",
    }
    sets = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in content["sets"].items())
    head = json.dumps({k: v for k, v in content.items() if k != "sets"})[:-1]
    RECORDED.write_text(f'{head}, "sets": {{\n{sets}\n}}}}\n', encoding="utf-8")


def convert(source: Path, target: Path) -> None:
    """Training and validation cases of a set in nnU-Net's raw format."""
    import numpy as np
    from PIL import Image

    described = json.loads((source / "dataset.json").read_text())
    splits = json.loads((source / "splits.json").read_text())
    stems = [*splits["train"], *splits["val"]]
    files = {path.name.split(".")[0]: path for path in (source / "images").iterdir()}
    ending = "".join(files[stems[0]].suffixes[-2:]) if _is_nifti(files[stems[0]]) else ".png"
    for name in ("imagesTr", "labelsTr"):
        (target / name).mkdir(parents=True)
    n_channels = 1
    for stem in stems:
        image = files[stem]
        mask = source / "masks" / image.name
        if ending == ".png":
            n_channels = 3 if Image.open(image).mode == "RGB" else 1
        shutil.copy(image, target / "imagesTr" / f"{stem}_0000{ending}")
        shutil.copy(mask, target / "labelsTr" / f"{stem}{ending}")
    names = [str(entry["name"]) for entry in described["classes"]]
    labels = {("background" if i == 0 else name): i for i, name in enumerate(names)}
    if described.get("ignore_index") is not None and ending == ".png":
        labels["ignore"] = len(names)
        for path in (target / "labelsTr").iterdir():
            values = np.array(Image.open(path))
            values[values == described["ignore_index"]] = len(names)
            Image.fromarray(values).save(path)
    raw = {
        "channel_names": {str(i): f"channel{i}" for i in range(n_channels)},
        "labels": labels,
        "numTraining": len(stems),
        "file_ending": ending,
    }
    (target / "dataset.json").write_text(json.dumps(raw))


def _is_nifti(path: Path) -> bool:
    return path.name.endswith((".nii", ".nii.gz"))


def ask(number: int, folder: Path) -> dict[str, Any]:
    """Fingerprint and plans of nnunetv2 for a data set in its raw format."""
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import (
        DatasetFingerprintExtractor,
    )
    from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import (
        ExperimentPlanner,
    )

    fingerprint = DatasetFingerprintExtractor(number, _N_PROCESSES).run(overwrite_existing=True)
    plans = ExperimentPlanner(number, 8).plan_experiment()
    raw = json.loads((folder / "dataset.json").read_text())
    return {
        "shapes": [[int(n) for n in shape] for shape in fingerprint["shapes_after_crop"]],
        "spacings": [[float(n) for n in spacing] for spacing in fingerprint["spacings"]],
        "relative_size": float(fingerprint["median_relative_size_after_cropping"]),
        "n_labels": len(raw["labels"]),
        "axes": plans["transpose_forward"],
        "configurations": {
            name: _numbers(ExperimentPlanner, plans["configurations"][name], raw)
            for name in CONFIGURATIONS
            if name in plans["configurations"]
        },
    }


def _numbers(planner: Any, configuration: Mapping[str, Any], raw: Mapping[str, Any]) -> Any:
    network = configuration["architecture"]
    options = network["arch_kwargs"]
    patch = [int(n) for n in configuration["patch_size"]]
    estimate = planner.static_estimate_VRAM_usage(
        tuple(patch),
        len(raw["channel_names"]),
        len(raw["labels"]),
        network["network_class_name"],
        options,
        network["_kw_requires_import"],
    )
    return {
        "patch": patch,
        "batch": int(configuration["batch_size"]),
        "strides": [list(stride) for stride in options["strides"]],
        "kernels": [list(kernel) for kernel in options["kernel_sizes"]],
        "spacing": [float(n) for n in configuration["spacing"]],
        "median_shape": [float(n) for n in configuration["median_image_size_in_voxels"]],
        "estimate": int(estimate),
        "normalisation": configuration["normalization_schemes"],
        "without_zeros": configuration["use_mask_for_norm"],
    }


def compare(data: Path, names: Sequence[str]) -> int:
    """Our plans from our own look at the folders beside the recorded ones; 1 if any differs."""
    from pixelwise.commands.check import check
    from pixelwise.commands.plan import ensure_validation
    from pixelwise.data.object_boxes import measure_boxes
    from pixelwise.planning.nnunet_proposal import planned_cases, take_fingerprint
    from pixelwise.planning.nnunet_rules import plan_configurations

    recorded = json.loads(RECORDED.read_text())
    print(f"recorded {recorded['date']} from {recorded['tool']}")
    n_different = 0
    for name in names:
        entry = recorded["sets"][name]
        checked = check(data / name)
        if checked.dataset is None or checked.facts is None:
            sys.exit(f"{name}: the data set could not be read")
        dataset, _, _ = ensure_validation(checked.dataset)
        by_id = {case.id: case for case in dataset.cases}
        boxes = measure_boxes([by_id[case.id] for case in planned_cases(checked.facts)])
        fingerprint = take_fingerprint(checked.facts, dataset, boxes)
        ours = plan_configurations(fingerprint)
        same = sorted(map(tuple, entry["shapes"])) == sorted(fingerprint.shapes)
        print(f"{name}: fingerprint of {len(boxes)} cases {'equal' if same else 'DIFFERENT'}")
        n_different += not same
        for key, found in zip(CONFIGURATIONS, (ours.two, ours.three, ours.low), strict=True):
            wanted = entry["configurations"].get(key)
            n_different += _show(key, found, wanted)
    print("all equal" if not n_different else f"{n_different} different")
    return 1 if n_different else 0


def _show(key: str, found: Any, wanted: Mapping[str, Any] | None) -> int:
    """Print both; 1 if they differ."""
    if found is None and wanted is None:
        print(f"  {key:11} neither plans one")
        return 0
    if found is None or wanted is None:
        print(f"  {key:11} DIFFERENT: {'ours' if wanted is None else 'nnU-Net'} alone plans one")
        return 1
    pairs = {
        "patch": (list(found.patch), wanted["patch"]),
        "batch": (found.batch, wanted["batch"]),
        "strides": ([list(s) for s in found.strides], wanted["strides"]),
        "kernels": ([list(k) for k in found.kernels], wanted["kernels"]),
        "spacing": ([round(s, 6) for s in found.spacing], [round(s, 6) for s in wanted["spacing"]]),
        "estimate": (found.estimate, wanted["estimate"]),
    }
    wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    shape = " x ".join(map(str, found.patch))
    verdict = "equal" if not wrong else f"DIFFERENT {wrong}"
    print(f"  {key:11} patch {shape}, batch {found.batch}, {found.stages} stages: {verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
