"""What a folder holds, as far as it was understood, while it is being understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelwise.core.case import Case
from pixelwise.core.errors import Problem
from pixelwise.data.description import Description
from pixelwise.data.label_values import MaskValues
from pixelwise.data.meaning import Understanding
from pixelwise.data.polygons import Drawing


@dataclass(slots=True)
class Finding:
    """What a folder holds, as far as it was understood.

    regions: names of the mask folders where each region has its own.
    """

    root: Path
    description: Description
    cases: list[Case] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    masks: list[MaskValues] = field(default_factory=list)
    understanding: Understanding | None = None
    drawings: dict[str, Drawing] = field(default_factory=dict)
    pairing: str = ""
    split_rule: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
