"""Files are opened, checked, labelled and written, several of them on the way at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from pixelwise.commands.crop_output import Crop, write_crop
from pixelwise.commands.measure_output import write_measures
from pixelwise.commands.object_output import open_object_sink
from pixelwise.commands.prediction_record import Prediction
from pixelwise.commands.region_output import open_label_sink, written_meaning
from pixelwise.commands.stored_values import stored_values
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, Problem, UserError, raise_errors
from pixelwise.core.image import Array, Header, Source
from pixelwise.core.plan import Plan
from pixelwise.core.progress import Listener
from pixelwise.data.channel_files import ImageFiles
from pixelwise.data.channels import match_channels, mismatch_sentence
from pixelwise.data.image_look import look_at
from pixelwise.data.input_contract import ContractCheck
from pixelwise.data.intensity import scale_for
from pixelwise.data.labels import read_labels
from pixelwise.data.shading import evened
from pixelwise.inference.labeller import (
    Answers,
    Job,
    LabelledImage,
    LabelOutput,
    label_image,
    label_images,
)
from pixelwise.inference.predictor import Predictor
from pixelwise.readers import (
    create_probabilities,
    image_stem,
    label_suffix,
    open_labels,
)
from pixelwise.readers.picture import write_picture
from pixelwise.readers.stacked import open_images
from pixelwise.report.pictures import ColouredClass, render_overlay
from pixelwise.report.region_layers import regions_as_classes
from pixelwise.report.volume_pictures import middle_slice


@dataclass(frozen=True, slots=True)
class Outputs:
    """What to write beside or instead of plain class ids."""

    as_trained: bool = False
    probabilities: bool = False
    overlay: bool = False
    measure: bool = False
    ending: str = ""
    patient_fields: bool = False
    crop: Crop | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What a run may count on, and whether an image that breaks it is labelled all the same."""

    check: ContractCheck | None
    is_ignored: bool = False


class Labelling:
    """Labels files into a folder. What is open when the block ends early is discarded.

    done and problems are complete when `run` has ended; both are in the order of the files.
    """

    def __init__(
        self, plan: Plan, out: Path, wanted: Outputs, guard: Guard, listener: Listener
    ) -> None:
        self._plan = plan
        self._guard = guard
        self._out = out
        self._wanted = wanted
        self._listener = listener
        self._stored = stored_values(plan, as_trained=wanted.as_trained)
        self._open: dict[Path, ExitStack] = {}
        self._done: dict[Path, Prediction] = {}
        self._problems: dict[Path, tuple[Problem, ...]] = {}

    def run(
        self, predictor: Answers, images: Sequence[ImageFiles], is_over: Callable[[], bool]
    ) -> Iterator[tuple[Path, float]]:
        """Label files until all are done or is_over() says so before one is opened.

        Yields now and then a file and the share of it that is done.
        """
        jobs = partial(self._jobs, images, is_over)
        n_classes = len(self._plan.data.classes)
        if isinstance(predictor, Predictor):
            for job, share in label_images(predictor, jobs, n_classes=n_classes):
                yield job.source.header.path, share
            return
        for job in jobs():
            try:
                found = label_image(
                    predictor,
                    job.source,
                    job.normalise,
                    job.output,
                    n_classes=n_classes,
                    listener=self._listener,
                )
                job.finish(found)
            except UserError as error:
                job.fail(error)
            yield job.source.header.path, 1.0

    @property
    def done(self) -> list[Prediction]:
        """What was labelled so far."""
        return list(self._done.copy().values())

    def problems(self, images: Sequence[ImageFiles]) -> list[Problem]:
        """What could not be labelled and why, and warnings, in the order of the files."""
        return [p for image in images for p in self._problems.get(image.paths[0], ())]

    def _jobs(self, images: Sequence[ImageFiles], is_over: Callable[[], bool]) -> Iterator[Job]:
        for number, image in enumerate(images):
            if number and is_over():
                return
            try:
                job = self._open_job(image)
            except UserError as error:
                self._problems[image.paths[0]] = error.problems
                continue
            yield job

    def _open_job(self, image: ImageFiles) -> Job:
        plan, wanted, path = self._plan, self._wanted, image.paths[0]
        with ExitStack() as guard:
            source = guard.enter_context(open_images(image.paths, plan.intensity.channels))
            header = source.header
            self._check(header)
            convert = partial(match_channels, n_channels=plan.data.n_channels)
            self._check_contract(source, convert, path)
            even = evened(source, plan.intensity.shading)
            scale = scale_for(plan.intensity, even, convert)
            name = f"{image.stem}{wanted.ending or label_suffix(header)}"
            sinks = guard.enter_context(ExitStack())
            labels, labels_path = open_label_sink(
                plan,
                self._out,
                name,
                header,
                as_trained=wanted.as_trained,
                dtype=self._stored.dtype,
                palette=self._stored.palette,
                keeps_patient=wanted.patient_fields,
            )
            sinks.enter_context(labels)
            objects = open_object_sink(plan, self._out, name, header)
            if objects is not None:
                sinks.enter_context(objects)
            store = None
            if wanted.probabilities:
                place = self._out / "probabilities" / f"{image.stem}.npy"
                n_classes = len(plan.data.classes)
                store = sinks.enter_context(create_probabilities(place, header.shape, n_classes))
            self._open[path] = guard.pop_all()

        def normalise(image: Array) -> Array:
            return scale.apply(convert(image))

        overlaps = plan.data.labels.holds_regions
        return Job(
            even,
            normalise,
            LabelOutput(labels, store, self._stored.values, overlaps, objects),
            partial(self._finish, path, source, sinks, labels_path),
            partial(self._fail, path),
        )

    def _finish(
        self, path: Path, source: Source, sinks: ExitStack, labels: Path, found: LabelledImage
    ) -> None:
        try:
            with self._open.pop(path):
                for note in source.header.notes:
                    self._listener.say(note.text())
                sinks.close()
                self._write_extras(source, labels)
        except UserError as error:
            self._problems[path] = error.problems
            return
        n_pixels = math.prod(source.header.shape)
        self._done[path] = Prediction(path, labels, found.confidence, found.class_pixels, n_pixels)

    def _fail(self, path: Path, error: UserError) -> None:
        self._problems[path] = error.problems
        _leave_by(self._open.pop(path), error)

    def _check(self, header: Header) -> None:
        data = self._plan.data
        if len(header.shape) != data.n_dims:
            raise BadData(
                f"it has {len(header.shape)} spatial dimensions",
                f"{data.n_dims}, as the run was trained with",
                "Give images of the kind that the run was trained on.",
                path=shown(header.path),
                code="dimensions",
            )
        sentence = mismatch_sentence(header, data.n_channels, self._plan.intensity.channels)
        if sentence:
            self._listener.say(f"{shown(header.path)}: {sentence}")

    def _check_contract(
        self, source: Source, convert: Callable[[Array], Array], path: Path
    ) -> None:
        """Warnings are kept beside the labels; errors refuse the image unless told otherwise."""
        if self._guard.check is None:
            return
        found = self._guard.check.problems(source.header, look_at(source, convert))
        if self._guard.is_ignored:
            found = [replace(problem, severity="warning") for problem in found]
        raise_errors(found, BadData)
        self._add_problems(path, found)

    def _add_problems(self, path: Path, found: Sequence[Problem]) -> None:
        if found:
            self._problems[path] = (*self._problems.get(path, ()), *found)

    def _write_extras(self, source: Source, labels_path: Path) -> None:
        plan, wanted = self._plan, self._wanted
        if not (wanted.overlay or wanted.measure or wanted.crop):
            return
        labels = self._read_ids(labels_path)
        image = source.read()
        stem = image_stem(labels_path)
        if wanted.overlay:
            classes: Sequence[ColouredClass] = plan.data.classes
            shown_labels = labels
            if plan.data.labels.holds_regions:
                (shown_labels,), classes = regions_as_classes([labels], plan.data.classes)
            flat = image
            if shown_labels.ndim == 3:
                z = middle_slice(image, shown_labels)
                flat, shown_labels = image[:, z], shown_labels[z]
            picture = render_overlay(flat, shown_labels, classes)
            write_picture(self._out / "overlays" / f"{stem}.png", picture)
        if wanted.measure:
            write_measures(plan, source.header, image, labels, self._out, stem)
        if wanted.crop is not None:
            place = (self._out, stem)
            found = write_crop(plan, wanted.crop, source.header, image, labels, place)
            self._add_problems(source.header.path, found)

    def _read_ids(self, labels_path: Path) -> Array:
        """The labels as they were written, as class ids or sets of regions."""
        if self._plan.data.labels.holds_regions:
            meaning = written_meaning(self._plan, as_trained=self._wanted.as_trained)
            return read_labels(labels_path, meaning)
        with open_labels(labels_path) as written:
            labels: Array = written.read()[0]
        if self._stored.values is None:
            return labels
        ids: Array = labels.copy()
        for class_id, value in enumerate(self._stored.values):
            ids[labels == value] = class_id
        return ids

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stack in self._open.values():
            _leave_by(stack, error or _Abandoned())
        self._open.clear()


class _Abandoned(Exception):
    """Leaves images that were opened and never labelled."""


def _leave_by(stack: ExitStack, error: BaseException) -> None:
    stack.__exit__(type(error), error, error.__traceback__)
