"""Writes the built-in volumes as a folder of NIfTI channel files and truths with given splits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixelwise.core.errors import BadOutput
from pixelwise.core.files import unwritable, write_json
from pixelwise.core.image import Array, Header, whole_region
from pixelwise.core.placement import place_volume
from pixelwise.data.region_sets import folder_name
from pixelwise.data.synthetic_volumes import (
    CHANNELS,
    LABEL_NAMES,
    REGIONS,
    BrainScene,
    BrainVolume,
    make_brain,
)
from pixelwise.readers import create_labels

Truth = Literal["label map", "masks"]
"""How regions are stored: one label map for all, or a mask in a folder for each."""


def write_brains(
    root: Path,
    counts: Mapping[str, int],
    *,
    shape: tuple[int, ...] = (40, 48, 48),
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    truth: Truth = "label map",
    seed: int = 0,
    scene: BrainScene | None = None,
) -> Path:
    """Generate a data set of brains and write it whole or not at all; returns `root`.

    images/STEM_t1.nii.gz and so on for every channel, masks/STEM.nii.gz with the values of
    LABEL_NAMES and dataset.json with REGIONS, or masks/REGION/STEM.nii.gz; splits.json. The
    same arguments give the same voxels. counts: split -> number of cases. Units: spacing
    (z, y, x) in mm.
    Raises BadOutput if `root` exists and is not empty, or cannot be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BadOutput(
            "it exists already",
            "a new or empty folder",
            "Choose another name or delete it first.",
            path=root,
            code="exists",
        )
    splits: dict[str, list[str]] = {name: [] for name in counts}
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=root.parent, prefix=".writing-"))
        try:
            for index, split in enumerate(s for s, n in counts.items() for _ in range(n)):
                stem = f"brain-{index:03d}"
                made = make_brain((seed, index), shape, spacing=spacing, scene=scene)
                _write_case(temporary, stem, made, truth)
                splits[split].append(stem)
            write_json(temporary / "splits.json", splits)
            write_json(temporary / "dataset.json", _describe(truth, seed))
            temporary.chmod(0o755)
            if root.exists():
                root.rmdir()
            temporary.rename(root)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise unwritable(root, error) from error
    return root


def _write_case(folder: Path, stem: str, made: BrainVolume, truth: Truth) -> None:
    header = _header(made)
    for name, channel in zip(CHANNELS, made.image, strict=True):
        _write(folder / "images" / f"{stem}_{name}.nii.gz", header, channel)
    if truth == "label map":
        _write(folder / "masks" / f"{stem}.nii.gz", header, made.labels)
        return
    for region, values in REGIONS.items():
        mask = np.isin(made.labels, values).astype(np.uint8)
        _write(folder / "masks" / folder_name(region) / f"{stem}.nii.gz", header, mask)


def _write(path: Path, header: Header, values: Array) -> None:
    with create_labels(path, header, dtype=str(values.dtype)) as sink:
        sink.write(whole_region(values.shape), values)


def _header(made: BrainVolume) -> Header:
    """A scan whose middle is the origin of space, axes towards left, posterior, superior."""
    z, y, x = made.spacing
    affine = np.diag([x, y, z, 1.0])
    depth, height, width = made.labels.shape
    affine[:3, 3] = -np.array([x * (width - 1), y * (height - 1), z * (depth - 1)]) / 2
    return Header(
        Path(),
        made.labels.shape,
        1,
        made.image.dtype,
        "NIfTI",
        made.spacing,
        "mm",
        placement=place_volume(affine, (width, height, depth)),
    )


def _describe(truth: Truth, seed: int) -> dict[str, Any]:
    content: dict[str, Any] = {
        "name": "synthetic-brains",
        "title": "Generated brains with a tumour, in four contrasts",
        "modality": "generated, in the manner of magnetic resonance",
        "dims": 3,
        "channels": list(CHANNELS),
        "source": f"generated with seed {seed}; the truth is exact",
    }
    if truth == "label map":
        content["classes"] = [{"id": i, "name": name} for i, name in LABEL_NAMES.items()]
        content["regions"] = {name: list(values) for name, values in REGIONS.items()}
    return content
