"""What a report tells: the values that the page is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import Problem
from pixelwise.core.plan import Plan
from pixelwise.core.records import Facts, IntervalRecord, Summary
from pixelwise.report.contact_table import Contacts
from pixelwise.report.pictures import ColouredClass
from pixelwise.report.volume_pictures import VolumeViews
from pixelwise.runs.engine_choice import EngineChoice


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One case as a picture. score is what the gallery is sorted by, None if undefined.

    image (y, x, 3) uint8; truth and predicted (y, x) class ids on the same grid, 255 = void.
    caption: why it is shown ("worst of 8", "median"). pieces says what `image` is of a
    larger whole ("slice 12 of 30"), empty if it is the whole. views: planes and slices of a
    volume; image, truth and predicted are then the first of the planes. distances (y, x):
    the steps of a map of surface distances, as distance_maps.distance_bins gives them.
    classes: what the labels stand for, where those are not the classes of the page.
    contacts: which of them touch.
    """

    case_id: str
    caption: str
    score: float | None
    image: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.integer]
    predicted: npt.NDArray[np.integer]
    pieces: str = ""
    views: VolumeViews | None = None
    distances: npt.NDArray[np.uint8] | None = None
    classes: Sequence[ColouredClass] = ()
    contacts: Contacts | None = None


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything the report of a run is made from; the page adds wording, nothing else.

    summaries: split name -> scores; the first of test, val, train that is there makes the
    headline. notes are things to be said aloud (validation cases come from the same image).
    gallery_split names the split that the gallery's cases belong to. engines: the verdict of
    `choose-engine`, if it was asked for.
    """

    title: str
    plan: Plan
    facts: Facts
    problems: Sequence[Problem] = ()
    history: Sequence[IntervalRecord] = ()
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    gallery: Sequence[GalleryItem] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    gallery_split: str = ""
    run_name: str = ""
    data_name: str = ""
    engines: EngineChoice | None = None
