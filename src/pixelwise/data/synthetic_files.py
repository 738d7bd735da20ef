"""Writes the built-in data as a folder of images and masks with given splits."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage

from pixelwise.core.errors import BadOutput
from pixelwise.core.files import unwritable
from pixelwise.data.synthetic import KIND_NAMES, Scene, make_case

_FOLDERS = ("images", "masks", "instances", "kinds")
_MOST_INSTANCES = 65535


def write_dataset(
    root: Path,
    *,
    n_train: int,
    n_val: int,
    n_test: int,
    shape: tuple[int, ...],
    seed: int = 0,
    scene: Scene | None = None,
) -> Path:
    """Generate a data set and write it whole or not at all; returns `root`.

    images/, masks/ (0 background, 1 foreground), instances/ (one id per object), kinds/
    (see KIND_NAMES), dataset.json and splits.json. Shape ([z,] y, x): PNG for images,
    NumPy's .npy for volumes. The same arguments give the same bytes.
    Raises: BadOutput if `root` exists and is not empty, or cannot be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BadOutput(
            "it exists already",
            "a new or empty folder",
            "Choose another name or delete it first.",
            path=root,
            code="exists",
        )
    counts = {"train": n_train, "val": n_val, "test": n_test}
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=root.parent, prefix=".writing-"))
        try:
            _fill(temporary, counts, shape, seed, scene)
            temporary.chmod(0o755)
            if root.exists():
                root.rmdir()
            temporary.rename(root)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise unwritable(root, error) from error
    return root


def _fill(
    folder: Path, counts: dict[str, int], shape: tuple[int, ...], seed: int, scene: Scene | None
) -> None:
    for name in _FOLDERS:
        (folder / name).mkdir()
    splits: dict[str, list[str]] = {}
    index = 0
    for split, count in counts.items():
        splits[split] = []
        for _ in range(count):
            case = make_case((seed, index), shape, scene)
            stem = f"case-{index:04d}"
            instances = _narrow(case.instances, folder)
            arrays: tuple[npt.NDArray[Any], ...] = (case.image, case.labels, instances, case.kinds)
            for name, array in zip(_FOLDERS, arrays, strict=True):
                _write_array(folder / name / stem, array)
            splits[split].append(stem)
            index += 1
    _write_json(folder / "splits.json", splits)
    _write_json(folder / "dataset.json", _describe(shape, seed))


def _narrow(instances: npt.NDArray[np.int32], folder: Path) -> npt.NDArray[np.uint16]:
    if instances.max() > _MOST_INSTANCES:
        raise BadOutput(
            f"an image holds {instances.max()} objects",
            f"at most {_MOST_INSTANCES}, what a 16-bit file can number",
            "Generate smaller images, or fewer objects with a smaller cover.",
            path=folder,
            code="too-many-objects",
        )
    return instances.astype(np.uint16)


def _write_array(path: Path, array: npt.NDArray[Any]) -> None:
    if array.ndim == 2:
        PillowImage.fromarray(array).save(path.with_suffix(".png"), compress_level=6)
    else:
        np.save(path.with_suffix(".npy"), array, allow_pickle=False)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _describe(shape: tuple[int, ...], seed: int) -> dict[str, Any]:
    return {
        "name": "synthetic-cells",
        "title": "Generated cells and filaments on uneven background",
        "modality": "generated, in the manner of fluorescence microscopy",
        "dims": len(shape),
        "channels": "grey 8-bit",
        "size_hw" if len(shape) == 2 else "size_dhw": list(shape),
        "classes": [
            {"id": 0, "name": "background", "color": "#000000"},
            {"id": 1, "name": "foreground", "color": "#3cb44b"},
        ],
        "ignore_index": None,
        "spacing": None,
        "extras": {
            "instances": "one id per object, 16-bit, 0 = background",
            "kinds": ", ".join(f"{value} = {name}" for value, name in KIND_NAMES.items()),
        },
        "source": f"generated with seed {seed}; the truth is exact",
    }
