"""What a data set consists of: cases, classes, and what the stored mask values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

IGNORE = 255
"""Class id of void pixels in every label array inside the package (at most 255 classes)."""

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class: its id 0..K-1 in our label arrays, its name, and its colour as #rrggbb."""

    id: int
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class LabelMeaning:
    """How stored mask values become class ids.

    kind: "values" (one channel or palette indices; keys of `to_class` are numbers as
    text: "0", "255"), "colours" (keys are "#rrggbb") or "polygons" (keys are label names).
    to_class: stored value -> class id, or IGNORE for void. What is not in it is unknown
    and an error. sentence: what was understood, in words, for the user.
    threshold: set when `--map` turned lossy masks into two classes at this stored value.
    holds_regions: classes are regions that may overlap; labels are then bit sets, bit r of a
    label says that the pixel lies in region r, and so are the values of `to_class`.
    folders: regions with a mask each: sibling folders in the order of the bits, with files of
    equal names; a label path then names the first one's file, and `to_class` says what the
    values of a single mask mean (0 outside, 1 inside).
    counts_objects: every value from 1 on is the number of an object of the only class.
    """

    kind: Literal["values", "colours", "polygons"]
    to_class: Mapping[str, int]
    sentence: str
    threshold: float | None = None
    palette: tuple[tuple[int, int, int], ...] | None = None
    holds_regions: bool = False
    folders: tuple[str, ...] = ()
    counts_objects: bool = False

    @property
    def n_regions(self) -> int:
        """How many regions labels are sets of; 0 if they are class ids."""
        if not self.holds_regions:
            return 0
        sets = [value for value in self.to_class.values() if value != IGNORE]
        return len(self.folders) or max(sets, default=0).bit_length()

    def stored_value(self, class_id: int) -> str | None:
        """The first stored value that means `class_id`, None if there is none."""
        return next((key for key, value in self.to_class.items() if value == class_id), None)


@dataclass(frozen=True, slots=True)
class Case:
    """One example. Paths are absolute; `label` is None where an image has no mask.

    id: the stem, unique in the set. group: cases that must stay in one split.
    channels: one file for each channel, in the order of the set's channel names, where the
    channels lie in files of their own; `image` is then the first of them.
    objects: a file that numbers single objects, 0 is none; gaps in the numbers are fine.
    annotated: ids of the classes that were annotated in this image, () for all; what is called
    background may then belong to any of the others.
    """

    id: str
    image: Path
    label: Path | None = None
    fov: Path | None = None
    group: str = ""
    split: Split | None = None
    channels: tuple[Path, ...] = ()
    objects: Path | None = None
    annotated: tuple[int, ...] = ()

    @property
    def images(self) -> tuple[Path, ...]:
        """The file of the image, or the files of its channels."""
        return self.channels or (self.image,)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A folder that was understood: its cases, its classes, its mask meaning.

    spacing ([z,] y, x) in `unit` is what dataset.json gives (is_spacing_given), else that of
    the first case; volumes that state their own are read with their own.
    channel_names: of channels in files of their own or named in dataset.json, in order.
    """

    root: Path
    name: str
    cases: tuple[Case, ...]
    classes: tuple[ClassInfo, ...]
    meaning: LabelMeaning
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    split_rule: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    is_spacing_given: bool = False

    def of_split(self, split: Split) -> tuple[Case, ...]:
        """The cases of one split, in the order of their ids."""
        return tuple(case for case in self.cases if case.split == split)
