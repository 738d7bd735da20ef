"""What is broken on purpose: each damage changes a copy and says what the doctor must name."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks.doctor.set_copy import Array, SetCopy

SHIFT = 3


@dataclass(frozen=True, slots=True)
class Expected:
    """Codes of which one must be among the findings, and the cases that it must name.

    naming: every one of them must be named; none: the finding is about the set.
    """

    codes: tuple[str, ...]
    cases: tuple[str, ...] = ()
    also: tuple[str, ...] = field(default=())


Damage = Callable[[SetCopy, np.random.Generator], Expected | None]


def shift_masks(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """The masks of 5 % of the cases (1 to 5), moved by 3 pixels along an axis."""
    stems = [s for split in copy.splits.values() for s in split if _has_objects(copy, s)]
    if len(stems) < 2:
        return None
    chosen = random.choice(stems, max(1, min(5, len(stems) // 20)), replace=False)
    for stem in chosen:
        mask = copy.read("masks", str(stem))
        axis, step = int(random.integers(2)), SHIFT * int(random.choice([-1, 1]))
        copy.write("masks", str(stem), _moved(mask, axis, step))
    return Expected(("shifted-mask",), tuple(map(str, chosen)))


def mirror_mask(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """One mask turned over from left to right."""
    stem = _any(copy, random, "train", with_objects=True)
    if stem is None or len(copy.splits["train"]) < 2:
        return None
    axis = 0 if copy.is_volume else 1
    copy.write("masks", stem, np.flip(copy.read("masks", stem), axis))
    return Expected(("turned-mask", "swapped-sides"), (stem,))


def copy_across(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """A training image once more in test."""
    stem = _any(copy, random, "train")
    if stem is None or len(copy.splits["train"]) < 2:
        return None
    copy.add("test", "zz_copy", stem)
    return Expected(("copy-across-splits",), (stem, "zz_copy"))


def near_copy_across(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """A training image in test: brighter, with noise, saved as JPEG (a volume without that)."""
    stem = _any(copy, random, "train")
    if stem is None or len(copy.splits["train"]) < 2:
        return None
    image = copy.read("images", stem)
    spread = float(image.std())
    noisy = image * 1.15 + random.normal(0, 0.05 * spread, image.shape)
    if copy.is_volume:
        copy.add("test", "zz_copy", stem, noisy.astype(np.float32))
    else:
        stored = io.BytesIO()
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(stored, "JPEG", quality=60)
        copy.add("test", "zz_copy", stem, np.asarray(Image.open(stored)))
    return Expected(("copy-across-splits",), (stem, "zz_copy"))


def swap_sides(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """Objects get a left and a right class (brains have two already), exchanged in one case."""
    stems = [s for split in copy.splits.values() for s in split]
    if len(stems) < 4:
        return None
    names = [entry["name"] for entry in copy.description["classes"]]
    if not copy.is_volume:
        if len(names) != 2:
            return None
        for stem in stems:
            mask = copy.read("masks", stem).copy()
            right = np.arange(mask.shape[1])[None] >= mask.shape[1] / 2
            mask[(mask == 1) & right] = 2
            copy.write("masks", stem, mask)
        copy.description["classes"] = [
            {"id": 0, "name": names[0]},
            {"id": 1, "name": f"left {names[1]}"},
            {"id": 2, "name": f"right {names[1]}"},
        ]
    both = [s for s in stems if {1, 2} <= set(np.unique(copy.read("masks", s)))]
    if not both:
        return None
    stem = str(random.choice(both))
    mask = copy.read("masks", stem)
    copy.write("masks", stem, np.choose(np.minimum(mask, 3), [0, 2, 1, mask]).astype(mask.dtype))
    return Expected(("swapped-sides",), (stem,), also=("mirrored-classes",))


def lossy_mask(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """One mask through JPEG, of two classes as 0 and 255; a volume's smoothed along its edges."""
    stem = _any(copy, random, "train", with_objects=True)
    if stem is None:
        return None
    mask = copy.read("masks", stem)
    if copy.is_volume:
        smooth = ndimage.gaussian_filter(mask.astype(np.float32), 0.7)
        copy.write("masks", stem, smooth)
        return Expected(("mask-smeared", "mask-unknown-label", "mask-not-integer"), (stem,))
    stored = io.BytesIO()
    is_binary = len(copy.description["classes"]) == 2
    levels = np.minimum(mask, 1) * np.uint8(255) if is_binary else mask
    Image.fromarray(levels).save(stored, "JPEG", quality=50)
    copy.write("masks", stem, np.asarray(Image.open(stored)))
    return Expected(("mask-smeared", "mask-unknown-label"), (stem,))


def soft_mask(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """One mask drawn with smooth edges: halved and doubled in size, linearly, from 0 and 255."""
    stem = _any(copy, random, "train", with_objects=True)
    if stem is None or copy.is_volume or len(copy.description["classes"]) > 2:
        return None
    mask = Image.fromarray(np.minimum(copy.read("masks", stem), 1) * np.uint8(255))
    small = mask.resize((mask.width // 2, mask.height // 2), Image.Resampling.BILINEAR)
    copy.write("masks", stem, np.asarray(small.resize(mask.size, Image.Resampling.BILINEAR)))
    return Expected(("mask-smeared", "mask-unknown-label"), (stem,))


def leak_by_column(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """Pairs of cases get a patient in metadata.csv; one patient has a case in test as well."""
    if min(len(copy.splits["train"]), len(copy.splits["test"])) < 4:
        return None
    patients = {}
    for split, stems in copy.splits.items():
        for index, stem in enumerate(sorted(stems)):
            patients[stem] = f"{split}-{index // 2}"
    stem = str(random.choice(copy.splits["test"]))
    patients[stem] = "train-0"
    copy.write_table("patient", patients)
    return Expected(("group-leak",), (stem,))


def leak_by_name(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """Files are named by patient and number; one patient has a case in test as well."""
    if min(len(copy.splits["train"]), len(copy.splits["test"])) < 6:
        return None
    (copy.root / "metadata.csv").unlink(missing_ok=True)
    number, renamed = 0, {}
    for split in ("train", "val", "test"):
        for index, stem in enumerate(sorted(copy.splits[split])):
            number += index % 3 == 0
            renamed[stem] = f"patient{number:03d}_{index % 3 + 1}"
    stolen = str(random.choice(copy.splits["test"]))
    renamed[stolen] = "patient001_9"
    for folder in ("images", "masks", "fov"):
        if (copy.root / folder).is_dir():
            for stem, name in renamed.items():
                if copy.path(folder, stem).exists():
                    copy.path(folder, stem).rename(copy.path(folder, name))
    copy.splits = {split: [renamed[s] for s in stems] for split, stems in copy.splits.items()}
    return Expected(("group-leak",), ("patient001_9",))


def class_missing(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """The last class goes from training and validation; of two classes, objects of a new one
    are in two test cases only."""
    test = [s for s in copy.splits["test"] if _has_objects(copy, s)]
    if len(test) < 2:
        return None
    classes = copy.description["classes"]
    last = len(classes) - 1
    if len(classes) > 2:
        for split in ("train", "val"):
            for stem in copy.splits[split]:
                mask = copy.read("masks", stem)
                if (mask == last).any():
                    copy.write("masks", stem, np.where(mask == last, 0, mask).astype(mask.dtype))
        holding = [s for s in test if (copy.read("masks", s) == last).any()]
        return Expected(("class-not-in-training",), tuple(holding)) if holding else None
    chosen = [str(stem) for stem in random.choice(test, 2, replace=False)]
    for stem in chosen:
        mask = copy.read("masks", stem).copy()
        mask[mask == 1] = 2
        copy.write("masks", stem, mask)
    copy.description["classes"] = [*classes, {"id": 2, "name": "other"}]
    return Expected(("class-not-in-training",), tuple(chosen))


def other_spacing(copy: SetCopy, random: np.random.Generator) -> Expected | None:
    """One case has voxels half as large as the others say; pictures become TIFF with sizes."""
    stems = [s for split in copy.splits.values() for s in split]
    if len(stems) < 4:
        return None
    odd = str(random.choice(stems))
    if copy.is_volume:
        for folder in ("images", "masks"):
            copy.write(folder, odd, copy.read(folder, odd), zoom=0.5)
        return Expected(("other-spacing",), (odd,))
    import tifffile

    for stem in stems:
        image = copy.read("images", stem)
        size = 0.25 if stem == odd else 0.5
        photometric = "rgb" if image.ndim == 3 else "minisblack"
        sizes = {"PhysicalSizeX": size, "PhysicalSizeY": size,
                 "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}  # fmt: skip
        axes = "YXS" if image.ndim == 3 else "YX"
        place = copy.root / "images" / f"{stem}.ome.tif"
        tifffile.imwrite(place, image, photometric=photometric, metadata={"axes": axes, **sizes})
        copy.path("images", stem).unlink()
    return Expected(("other-spacing",), (odd,))


DAMAGES: dict[str, Damage] = {
    "masks moved by 3 pixels": shift_masks,
    "mask turned over": mirror_mask,
    "copy across splits": copy_across,
    "near-copy across splits": near_copy_across,
    "left and right exchanged": swap_sides,
    "lossy mask": lossy_mask,
    "mask with smooth edges": soft_mask,
    "group leaks, by column": leak_by_column,
    "group leaks, by name": leak_by_name,
    "class missing in training": class_missing,
    "another spacing": other_spacing,
}


def _moved(mask: Array, axis: int, step: int) -> Array:
    """A mask moved along an axis; what comes in repeats the border."""
    places = np.clip(np.arange(mask.shape[axis]) - step, 0, mask.shape[axis] - 1)
    return np.take(mask, places, axis)


def _any(
    copy: SetCopy, random: np.random.Generator, split: str, *, with_objects: bool = False
) -> str | None:
    stems = [s for s in copy.splits[split] if not with_objects or _has_objects(copy, s)]
    return str(random.choice(stems)) if stems else None


def _has_objects(copy: SetCopy, stem: str) -> bool:
    mask = copy.read("masks", stem)
    return len(np.unique(mask[mask != 255])) > 1
