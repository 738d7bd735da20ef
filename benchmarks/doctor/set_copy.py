"""A copy of a public set in a temporary folder, whose files can be replaced one by one."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]
FOLDERS = ("images", "masks", "fov")


@dataclass(slots=True)
class SetCopy:
    """A set as users keep it: images/, masks/, fov/, splits.json, dataset.json, metadata.csv.

    Files that nothing changes are links to the original.
    """

    root: Path
    splits: dict[str, list[str]]
    description: dict[str, Any]
    ending: str

    def path(self, folder: str, stem: str) -> Path:
        return self.root / folder / f"{stem}{self.ending}"

    @property
    def is_volume(self) -> bool:
        return self.ending != ".png"

    def read(self, folder: str, stem: str) -> Array:
        """The stored array: (y, x[, 3]) of a picture, (x, y, z) of a volume."""
        if self.is_volume:
            import nibabel

            return np.asarray(nibabel.load(self.path(folder, stem)).dataobj)  # type: ignore[attr-defined]
        return np.asarray(Image.open(self.path(folder, stem)))

    def write(self, folder: str, stem: str, values: Array, like: str = "", zoom: float = 1) -> None:
        """Replace or add a file; a volume keeps the geometry of the case `like`, zoomed."""
        place = self.path(folder, stem)
        if self.is_volume:
            import nibabel

            source = nibabel.load(self.path(folder, like or stem))
            affine = np.array(source.affine)  # type: ignore[attr-defined]
            affine[:3, :3] *= zoom
            made = nibabel.Nifti1Image(np.ascontiguousarray(values), affine)
            made.header.set_xyzt_units("mm")
            content = made.to_bytes()
            place.unlink(missing_ok=True)
            import gzip

            place.write_bytes(gzip.compress(content, 1))
            return
        place.unlink(missing_ok=True)
        Image.fromarray(values).save(place)

    def add(self, split: str, stem: str, like: str, image: Array | None = None) -> None:
        """A further case with the mask of the case `like`, its image or another."""
        self.write("images", stem, self.read("images", like) if image is None else image, like)
        for folder in ("masks", "fov"):
            if self.path(folder, like).exists():
                self.write(folder, stem, self.read(folder, like), like)
        self.splits[split].append(stem)

    def move(self, stem: str, split: str) -> None:
        """Put a case into another split."""
        for stems in self.splits.values():
            if stem in stems:
                stems.remove(stem)
        self.splits[split].append(stem)

    def save(self) -> None:
        """Write splits.json and dataset.json."""
        (self.root / "splits.json").unlink(missing_ok=True)
        (self.root / "dataset.json").unlink(missing_ok=True)
        (self.root / "splits.json").write_text(json.dumps(self.splits))
        (self.root / "dataset.json").write_text(json.dumps(self.description))

    def write_table(self, column: str, values: dict[str, str]) -> None:
        """metadata.csv with one column."""
        place = self.root / "metadata.csv"
        place.unlink(missing_ok=True)
        with place.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["stem", column])
            writer.writerows(sorted(values.items()))


def copy_set(source: Path, root: Path) -> SetCopy:
    """Link a set's files into a new folder."""
    shutil.rmtree(root, ignore_errors=True)
    ending = ".png"
    for folder in FOLDERS:
        if (source / folder).is_dir():
            (root / folder).mkdir(parents=True)
            for path in (source / folder).iterdir():
                (root / folder / path.name).symlink_to(path.resolve())
                ending = "".join(path.suffixes)
    for name in ("metadata.csv",):
        if (source / name).exists():
            shutil.copy(source / name, root / name)
    splits = json.loads((source / "splits.json").read_text())
    description = json.loads((source / "dataset.json").read_text())
    copy = SetCopy(root, splits, description, ending)
    copy.save()
    return copy
