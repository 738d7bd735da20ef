"""From an opened image to written labels: tiles in, regions out, a confidence for the whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pixelwise.arrays.region_bits import count_regions
from pixelwise.core.errors import UserError
from pixelwise.core.image import Sink, Source
from pixelwise.core.progress import SILENT, Listener
from pixelwise.inference.predictor import Joiner, Normalise, Predictor, Request, TileAnswer
from pixelwise.inference.write_behind import WriteBehind

_STEP = 4
"""Confidence is taken from every fourth pixel along each axis: 1/16 of the work in 2D, and for
256 x 256 pixels still 4096 of them."""


class Answers(Protocol):
    """What labels an image region by region: a predictor, on whatever grid it works."""

    def predict(self, source: Source, normalise: Normalise) -> Iterator[TileAnswer]: ...


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """What is known about a labelled image as a whole.

    confidence: mean over pixels of the probability of the label given, 1/k to 1; of regions
    that may overlap, of each yes or no, 1/2 to 1. class_pixels: pixels given to each class.
    """

    confidence: float
    class_pixels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelOutput:
    """Where the answers go: labels, and class probabilities if wanted.

    values: what is written for each class id (the training masks' own values), else the ids.
    overlaps: labels are sets of classes, see `Task`. objects: where the numbers of objects go.
    """

    labels: Sink
    probabilities: Sink | None = None
    values: tuple[int, ...] | None = None
    overlaps: bool = False
    objects: Sink | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An opened image to be labelled among others, and what to do once it is.

    finish and fail are called in the writing thread: finish after the last write with what
    is known about the image; fail, instead, with the error that ended it.
    """

    source: Source
    normalise: Normalise
    output: LabelOutput
    finish: Callable[[LabelledImage], None]
    fail: Callable[[UserError], None]


def label_image(
    predictor: Answers,
    source: Source,
    normalise: Normalise,
    output: LabelOutput,
    *,
    n_classes: int,
    listener: Listener = SILENT,
) -> LabelledImage:
    """Label an image region by region; memory does not grow with it beyond source and sink.

    Answers are written in a thread while the network is at the next ones.
    """
    n_pixels, done = math.prod(source.header.shape), 0
    tally = _Tally(output, n_classes)
    with ending_answers(predictor.predict(source, normalise)) as answers, WriteBehind() as writer:
        for answer in answers:
            writer.submit(answer.labels.size, tally.take, answer)
            done += answer.labels.size
            if answer.labels.size < n_pixels:
                listener.advance(done, n_pixels, f"pixels of {source.header.path.name}")
    return tally.result()


@contextmanager
def ending_answers(answers: Iterator[TileAnswer]) -> Iterator[Iterator[TileAnswer]]:
    """Ends what yields answers, and its reading thread, before the source is closed."""
    try:
        yield answers
    finally:
        if isinstance(answers, Generator):
            answers.close()


def label_images(
    predictor: Predictor, jobs: Callable[[], Iterator[Job]], *, n_classes: int
) -> Iterator[tuple[Job, float]]:
    """Label many images: small ones of equal size share a batch, reading and writing go beside.

    jobs: begun, advanced and ended in the reading thread, an image shortly before its turn.
    After each stretch of work yields an image and the share of it that is done.
    """
    reading = predictor.read_ahead(lambda: _requests(predictor, jobs(), n_classes))
    with WriteBehind() as writer, reading as requests:
        for request, scores in predictor.score(requests):
            task: _Task = request.image
            if request.error is None and request.tile is not None:
                for answer in task.join(request.tile, scores):
                    writer.submit(answer.labels.size, task.take, answer)
                task.n_done += 1
            if request.error is not None or task.n_done == len(request.grid):
                writer.submit(0, task.end, request.error)
            yield task.job, task.n_done / len(request.grid)


def _requests(
    predictor: Predictor, jobs: Iterator[Job], n_classes: int
) -> Generator[Request | None, None, None]:
    """The tiles of all images, an image that fails ends with its error."""
    for job in jobs:
        grid = predictor.lay_tiles(job.source.header.shape)
        if len(grid) > 1:
            yield None
        task = _Task(job, predictor.joiner(grid), n_classes)
        try:
            yield from predictor.requests(job.source, job.normalise, grid, task)
        except UserError as error:
            yield Request(None, grid, None, task, error)


class _Tally:
    """Writes the answers of one image and sums up what is known about it as a whole."""

    def __init__(self, output: LabelOutput, n_classes: int) -> None:
        self._output = output
        self._table = None if output.values is None else np.asarray(output.values)
        self._counts = np.zeros(n_classes, dtype=np.int64)
        self._certainty = 0.0
        self._n_sampled = 0

    def take(self, answer: TileAnswer) -> None:
        """Write a region."""
        labels, output = answer.labels, self._output
        output.labels.write(answer.region, labels if self._table is None else self._table[labels])
        if output.probabilities is not None:
            output.probabilities.write(answer.region, answer.probabilities)
        if output.objects is not None and answer.objects is not None:
            output.objects.write(answer.region, answer.objects)
        self._counts += _count(labels, len(self._counts), output.overlaps)
        sample = answer.thinned(_STEP)
        sure = (
            np.maximum(sample, 1 - sample).mean(axis=0) if output.overlaps else sample.max(axis=0)
        )
        self._certainty += float(sure.sum(dtype=np.float64))
        self._n_sampled += sure.size

    def result(self) -> LabelledImage:
        """What is known about the image."""
        counts = tuple(int(n) for n in self._counts)
        return LabelledImage(self._certainty / max(self._n_sampled, 1), counts)


class _Task:
    """A job on its way; `n_done` belongs to the main thread, all else to the writing thread."""

    def __init__(self, job: Job, join: Joiner, n_classes: int) -> None:
        self.job = job
        self.join = join
        self.n_done = 0
        self._tally = _Tally(job.output, n_classes)
        self._error: UserError | None = None

    def take(self, answer: TileAnswer) -> None:
        """Write a region, unless an earlier one could not be written."""
        if self._error is None:
            try:
                self._tally.take(answer)
            except UserError as error:
                self._error = error

    def end(self, error: UserError | None) -> None:
        """Tell the job how it ended."""
        error = self._error or error
        if error is None:
            self.job.finish(self._tally.result())
        else:
            self.job.fail(error)


def _count(labels: npt.NDArray[np.uint8], n_classes: int, overlaps: bool) -> npt.NDArray[np.int64]:
    """Pixels of each class; where labels are sets, a pixel counts for all of its classes."""
    if not overlaps:
        return np.bincount(labels.reshape(-1), minlength=n_classes)
    return count_regions(np.bincount(labels.reshape(-1), minlength=1 << n_classes), n_classes)
