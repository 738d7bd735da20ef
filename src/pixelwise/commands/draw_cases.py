"""Pictures of scored cases for a page: every case of a small set, a choice of a large one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixelwise.commands.case_item import CaseArrays, blank_item, draw_item, showing_of
from pixelwise.commands.ordered_work import work_in_order
from pixelwise.commands.read_pair import PairLabels, PixelSize, read_pair
from pixelwise.commands.scoring_options import EvaluationResult
from pixelwise.core.case import IGNORE, ClassInfo
from pixelwise.core.errors import UserError
from pixelwise.core.image import Array, Header
from pixelwise.core.progress import Listener
from pixelwise.data.scoring_pairs import ScoringPair
from pixelwise.readers.stacked import open_images
from pixelwise.report.case_figures import CaseFigure, ComparedCase, draw_case, draw_compared
from pixelwise.report.case_scores import case_score
from pixelwise.report.content import GalleryItem
from pixelwise.report.distance_maps import distance_bins
from pixelwise.report.pictures import viewable_rgb
from pixelwise.report.region_layers import regions_as_classes
from pixelwise.report.scores import leading_metric
from pixelwise.report.volume_pictures import find_worst
from pixelwise.report.wording import metric_facts, metric_name

SIZES = ((24, 700), (60, 480), (150, 320), (400, 200))
"""Up to so many pictured cases, their longest side in pixels: pages stay below some 30 MB."""

GREY = 128


@dataclass(frozen=True, slots=True)
class DrawnCases:
    """Figures, the worst case first; step: the smallest side of a pixel in the summary's unit."""

    figures: tuple[CaseFigure, ...]
    step: float


@dataclass(frozen=True, slots=True)
class _Task:
    case_id: str
    caption: str
    scores: Mapping[str, float | None]


def draw_cases(
    scored: Mapping[str, EvaluationResult], classes: Sequence[ClassInfo], listener: Listener
) -> DrawnCases:
    """Draw the cases of one scoring, or of several side by side.

    Of more than 400 cases the 100 worst and evenly many of the others are drawn. A file that
    cannot be drawn leaves its case out.
    """
    tasks = _choose(scored)
    most = next((edge for n, edge in SIZES if len(tasks) * len(scored) <= n), SIZES[-1][1])
    pairs = {name: {pair.id: pair for pair in result.pairs} for name, result in scored.items()}
    key = leading_metric(next(iter(scored.values())).summary)
    artist = _Artist(scored, pairs, classes, metric_name(key), most)
    figures, step = [], 1.0
    for found in work_in_order(artist.draw, tasks, listener, "pictures"):
        if found is not None:
            figures.append(found[0])
            step = found[1]
    return DrawnCases(tuple(figures), step)


def _choose(scored: Mapping[str, EvaluationResult]) -> list[_Task]:
    """The cases to draw, worst first by their mean over predictions and classes."""
    key = leading_metric(next(iter(scored.values())).summary)
    sign = 1.0 if metric_facts(key).get("higher_is_better", True) else -1.0
    scores: dict[str, dict[str, float | None]] = {}
    for name, result in scored.items():
        summary = result.summary
        wanted = [k for k in range(len(summary.class_names)) if k != summary.background]
        for case in summary.cases:
            scores.setdefault(case.id, {})[name] = case_score(case, key, wanted)

    def worth(case_id: str) -> float:
        known = [value for value in scores[case_id].values() if value is not None]
        return sign * sum(known) / len(known) if known else float("inf")

    ranked = sorted(scores, key=worth)
    n, most = len(ranked), SIZES[-1][0]
    places = list(range(n))
    if n > most:
        worst = most // 4
        rest = most - worst
        places = [*range(worst), *(worst + i * (n - worst) // rest for i in range(rest))]
    return [_Task(ranked[i], _caption(i, n), scores[ranked[i]]) for i in dict.fromkeys(places)]


def _caption(rank: int, n_cases: int) -> str:
    if n_cases == 1:
        return "the only case"
    ends = {0: "worst of ", n_cases - 1: "best of "}
    return f"{ends[rank]}{n_cases}" if rank in ends else f"{rank + 1} of {n_cases}"


@dataclass(frozen=True, slots=True)
class _Artist:
    scored: Mapping[str, EvaluationResult]
    pairs: Mapping[str, Mapping[str, ScoringPair]]
    classes: Sequence[ClassInfo]
    score_name: str
    most: int

    def draw(self, task: _Task) -> tuple[CaseFigure, float] | None:
        """The figure of a case and the smallest side of its pixels, None if a file fails."""
        try:
            read = {
                name: read_pair(own[task.case_id], pixel_size=_size_of(self.scored[name]))
                for name, own in self.pairs.items()
            }
        except UserError:
            return None
        first = next(iter(read.values()))
        pair = next(iter(self.pairs.values()))[task.case_id]
        truth = _void_where_unscored(first)
        step = min(first.spacing) if first.spacing else 1.0
        if truth.ndim == 3 and len(read) == 1:
            return self._draw_volume(task, pair, first, truth), step
        classes = self.classes
        if self.overlaps:
            flat, classes = regions_as_classes(
                [truth, *(found.predicted for found in read.values())], classes
            )
            truth = flat[0]
            read = {
                name: replace(found, predicted=labels)
                for (name, found), labels in zip(read.items(), flat[1:], strict=True)
            }
            first = next(iter(read.values()))
        if truth.ndim == 3:
            return self._compare_volumes(task, pair, read, truth, classes), step
        item = GalleryItem(
            task.case_id, task.caption, next(iter(task.scores.values())),
            _picture_of(pair, truth.shape), truth, first.predicted,
            distances=self._bins(truth, first, classes),
        )  # fmt: skip
        if len(read) == 1:
            return draw_case(item, classes, self.score_name, most=self.most), step
        predictions = {
            name: ComparedCase(
                found.predicted, task.scores.get(name), self._bins(truth, found, classes)
            )
            for name, found in read.items()
        }
        figure = draw_compared(item, predictions, classes, self.score_name, most=self.most)
        return figure, step

    @property
    def overlaps(self) -> bool:
        """Whether labels are sets of regions."""
        return next(iter(self.scored.values())).summary.has_regions

    def _bins(
        self, truth: npt.NDArray[np.uint8], found: PairLabels, classes: Sequence[ClassInfo]
    ) -> npt.NDArray[np.uint8]:
        background = 0 if self.overlaps else next(iter(self.scored.values())).summary.background
        wanted = [entry.id for entry in classes if entry.id != background]
        return distance_bins(truth, found.predicted, classes=wanted, spacing=found.spacing)

    def _draw_volume(
        self, task: _Task, pair: ScoringPair, found: PairLabels, truth: npt.NDArray[np.uint8]
    ) -> CaseFigure:
        image, header = _volume_of(pair, truth.shape)
        showing = showing_of(
            self.classes, header, overlaps=self.overlaps, spacing=found.spacing, unit=found.unit
        )
        item = blank_item(task.case_id, task.caption, next(iter(task.scores.values())))
        arrays = CaseArrays(image, truth, found.predicted)
        drawn = draw_item(arrays, showing, item, most=self.most, with_distances=True)
        return draw_case(drawn, self.classes, self.score_name, most=self.most)

    def _compare_volumes(
        self,
        task: _Task,
        pair: ScoringPair,
        read: Mapping[str, PairLabels],
        truth: npt.NDArray[np.uint8],
        classes: Sequence[ClassInfo],
    ) -> CaseFigure:
        """All predictions of a volume in the planes where most of them are wrong together."""
        image, header = _volume_of(pair, truth.shape)
        first = next(iter(read.values()))
        showing = showing_of(classes, header, spacing=first.spacing, unit=first.unit)
        steps = showing.spacing or (1.0,) * truth.ndim
        place = find_worst(truth, _any_error(truth, read.values()), steps)
        item = blank_item(task.case_id, task.caption, None)
        cases: dict[str, ComparedCase] = {}
        for name, found in read.items():
            item = draw_item(
                CaseArrays(image, truth, found.predicted), showing, item,
                most=self.most, with_distances=True, place=place,
            )  # fmt: skip
            cases[name] = ComparedCase(item.predicted, task.scores.get(name), views=item.views)
        return draw_compared(item, cases, classes, self.score_name, most=self.most)


def _any_error(truth: npt.NDArray[np.uint8], read: Iterable[PairLabels]) -> npt.NDArray[np.uint8]:
    """Labels that differ from the truth wherever one of the predictions does."""
    found = truth.copy()
    for labels in read:
        np.copyto(found, labels.predicted, where=labels.predicted != truth)
    return found


def _size_of(result: EvaluationResult) -> PixelSize:
    return result.pixel_size


def _void_where_unscored(found: PairLabels) -> npt.NDArray[np.uint8]:
    if found.valid is None:
        return found.truth
    return np.where(found.valid, found.truth, np.uint8(IGNORE))


def _picture_of(pair: ScoringPair, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """The image behind a label file as colours, grey if there is none that fits."""
    found = _read_image(pair, shape)
    return np.full((*shape, 3), GREY, dtype=np.uint8) if found is None else viewable_rgb(found[0])


def _volume_of(pair: ScoringPair, shape: tuple[int, ...]) -> tuple[Array, Header | None]:
    """The channels (c, z, y, x) behind a label file, grey if there are none that fit."""
    return _read_image(pair, shape) or (np.full((1, *shape), GREY, dtype=np.uint8), None)


def _read_image(pair: ScoringPair, shape: tuple[int, ...]) -> tuple[Array, Header] | None:
    """The image (c, [z,] y, x) of a case with all its channel files, None if none fits."""
    if not pair.images:
        return None
    try:
        with open_images(pair.images) as source:
            if source.header.shape != shape:
                return None
            return source.read(), source.header
    except UserError:
        return None
