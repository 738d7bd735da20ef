"""predict: label images of any size with a trained run."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pixelwise.commands.measure_output import as_csv, write_measures
from pixelwise.commands.region_output import described_classes, open_label_sink, written_meaning
from pixelwise.core.contents import shown
from pixelwise.core.errors import BadData, BadOutput, BadPlan, Problem, UserError
from pixelwise.core.files import unwritable, write_json, write_text
from pixelwise.core.image import Header, Source
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import usable_cores, use_threads
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.channels import match_channels, mismatch_sentence
from pixelwise.data.image_files import find_images
from pixelwise.data.intensity import scale_for
from pixelwise.data.labels import read_labels
from pixelwise.inference.engines import TorchEngine
from pixelwise.inference.labeller import Answers, LabelOutput, label_image
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import on_plan_grid
from pixelwise.networks import field_of
from pixelwise.readers import (
    create_probabilities,
    image_stem,
    label_suffix,
    open_image,
    open_labels,
)
from pixelwise.readers.picture import write_picture
from pixelwise.report.pictures import ColouredClass, render_overlay
from pixelwise.report.region_layers import regions_as_classes
from pixelwise.runs.folder import RunFolder, open_run
from pixelwise.runs.trained_network import load_network, planned_task


@dataclass(frozen=True, slots=True)
class Prediction:
    """One labelled image: where it came from, where its labels lie, how sure the network is."""

    image: Path
    labels: Path
    confidence: float
    class_pixels: tuple[int, ...]
    n_pixels: int


@dataclass(frozen=True, slots=True)
class PredictResult:
    """All labelled images, and what could not be labelled and why."""

    predictions: tuple[Prediction, ...]
    problems: tuple[Problem, ...]
    out: Path


@dataclass(frozen=True, slots=True)
class Outputs:
    """What to write beside or instead of plain class ids."""

    as_trained: bool = False
    probabilities: bool = False
    overlay: bool = False
    measure: bool = False


def predict(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    as_trained: bool = False,
    probabilities: bool = False,
    overlay: bool = False,
    measure: bool = False,
    overwrite: bool = False,
    use: str | Path | None = None,
    deadline: float | None = None,
    listener: Listener = SILENT,
) -> PredictResult:
    """Label images: files, folders or glob patterns. One label file per image, same stem.

    Labels are class ids (classes.json says which) on the image's own grid: PNG for pictures,
    TIFF for TIFF. Regions that may overlap get a mask each (out/REGION/STEM), and where they
    nest in a label map that map too (out/labels/STEM). as_trained writes the training masks'
    own values and palette, probabilities class probabilities (STEM.npy in out/probabilities),
    overlay pictures, measure tables of objects, of classes with sizes and intensities, and of
    shared boundaries. An image that cannot be labelled is listed in the result; the others
    are done.
    deadline: on `time.monotonic`; images that it leaves no time for are left out.
    Raises BadRun, BadData if there is nothing to do, BadOutput if `out` holds files already.
    """
    if use is not None:
        load_user_parts(Path(use))
    folder = open_run(Path(run))
    plan = folder.read_plan()
    predictor = load_predictor(folder, plan)
    paths, problems = find_images([images] if isinstance(images, str | Path) else images)
    target = _prepare_output(Path(out), overwrite)
    wanted = Outputs(as_trained, probabilities, overlay, measure)
    done: list[Prediction] = []
    for number, path in enumerate(paths):
        if deadline is not None and number and time.monotonic() > deadline:
            break
        listener.advance(number, len(paths), path.name)
        try:
            done.append(_predict_file(predictor, plan, path, target, wanted, listener))
        except UserError as error:
            problems += error.problems
    listener.advance(len(paths), len(paths), f"{len(done)} labelled")
    _write_tables(plan, done, target)
    return PredictResult(tuple(done), tuple(problems), target)


def load_predictor(run: RunFolder, plan: Plan) -> Answers:
    """The network of a run, ready to label on this machine.

    Raises BadRun if the weights are missing, damaged or of another network, and BadPlan
    if the run was trained with a user's own network that was not loaded with `use`.
    """
    network = load_network(run, plan)
    use_threads(usable_cores())
    engine = TorchEngine(
        network,
        precision=plan.training.precision,
        memory_format=plan.training.memory_format,
        n_dims=network_input(plan)[0],
    )
    task = planned_task(plan)
    predictor = Predictor(engine, field_of(network), task, plan.inference)
    data = plan.data
    return on_plan_grid(predictor, task, plan.geometry, spacing=data.spacing, unit=data.unit)


def _prepare_output(out: Path, overwrite: bool) -> Path:
    if out.exists() and not out.is_dir():
        raise BadOutput(
            "it is a file", "a folder", "Choose another --out.", path=out, code="output-exists"
        )
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise BadOutput(
            "it holds files already",
            "a new or empty folder",
            "Choose another --out, or replace labels of the same name with --overwrite.",
            path=out,
            code="output-exists",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    return out


def _predict_file(
    predictor: Answers, plan: Plan, path: Path, out: Path, wanted: Outputs, listener: Listener
) -> Prediction:
    with open_image(path) as source:
        header = source.header
        _check_contract(header, plan, listener)
        convert = partial(match_channels, n_channels=plan.data.n_channels)
        scale = scale_for(plan.intensity, source, convert)
        name = f"{image_stem(path)}{label_suffix(header)}"
        values, dtype, palette = _stored_values(plan, wanted.as_trained)
        with ExitStack() as stack:
            sink, labels_path = open_label_sink(
                plan, out, name, header, as_trained=wanted.as_trained, dtype=dtype, palette=palette
            )
            stack.enter_context(sink)
            store = None
            if wanted.probabilities:
                place = out / "probabilities" / f"{image_stem(path)}.npy"
                n_classes = len(plan.data.classes)
                store = stack.enter_context(create_probabilities(place, header.shape, n_classes))
            found = label_image(
                predictor,
                source,
                lambda image: scale.apply(convert(image)),
                LabelOutput(sink, store, values, plan.data.labels.holds_regions),
                n_classes=len(plan.data.classes),
                listener=listener,
            )
        _write_extras(plan, source, labels_path, out, wanted, values)
    n_pixels = math.prod(header.shape)
    return Prediction(path, labels_path, found.confidence, found.class_pixels, n_pixels)


def _check_contract(header: Header, plan: Plan, listener: Listener) -> None:
    if len(header.shape) != plan.data.n_dims:
        raise BadData(
            f"it has {len(header.shape)} spatial dimensions",
            f"{plan.data.n_dims}, as the run was trained with",
            "Give images of the kind that the run was trained on.",
            path=shown(header.path),
            code="dimensions",
        )
    for note in header.notes:
        listener.say(note.text())
    sentence = mismatch_sentence(header, plan.data.n_channels)
    if sentence:
        listener.say(f"{shown(header.path)}: {sentence}")


def _stored_values(
    plan: Plan, as_trained: bool
) -> tuple[tuple[int, ...] | None, str, tuple[tuple[int, int, int], ...] | None]:
    labels = plan.data.labels
    if not as_trained or labels.holds_regions:
        return None, "uint8", None
    by_class: dict[int, str] = {}
    for key, class_id in labels.to_class.items():
        by_class.setdefault(class_id, key)
    if labels.kind == "values" and labels.threshold is None:
        values = tuple(int(float(by_class[c.id])) for c in plan.data.classes)
        if min(values) >= 0 and max(values) < 65536:
            return values, "uint8" if max(values) < 256 else "uint16", labels.palette
    if labels.kind == "colours":
        colours = tuple(_rgb(by_class[c.id]) for c in plan.data.classes)
        return None, "uint8", colours
    raise BadPlan(
        f"the training labels were {'cut at a threshold' if labels.threshold else labels.kind}: "
        "they have no pixel values of their own",
        "masks with values or colours",
        "Leave out --as-trained.",
        code="as-trained",
    )


def _rgb(text: str) -> tuple[int, int, int]:
    digits = text.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _write_extras(
    plan: Plan,
    source: Source,
    labels_path: Path,
    out: Path,
    wanted: Outputs,
    values: tuple[int, ...] | None,
) -> None:
    if not (wanted.overlay or wanted.measure):
        return
    if plan.data.labels.holds_regions:
        labels = read_labels(labels_path, written_meaning(plan, as_trained=wanted.as_trained))
    else:
        with open_labels(labels_path) as written:
            labels = written.read()[0]
    if values is not None:
        ids = labels.copy()
        for class_id, value in enumerate(values):
            ids[labels == value] = class_id
        labels = ids
    image = source.read()
    stem = image_stem(labels_path)
    if wanted.overlay:
        classes: Sequence[ColouredClass] = plan.data.classes
        shown_labels = labels
        if plan.data.labels.holds_regions:
            (shown_labels,), classes = regions_as_classes([labels], plan.data.classes)
        picture = render_overlay(image, shown_labels, classes)
        write_picture(out / "overlays" / f"{stem}.png", picture)
    if wanted.measure:
        write_measures(plan, source.header, image, labels, out, stem)


def _write_tables(plan: Plan, done: Sequence[Prediction], out: Path) -> None:
    write_json(out / "classes.json", described_classes(plan))
    names = [f"share of {c.name}" for c in plan.data.classes]
    rows = [
        (
            str(p.image),
            p.labels.relative_to(out).as_posix(),
            f"{p.confidence:.4f}",
            *(f"{n / max(p.n_pixels, 1):.6f}" for n in p.class_pixels),
        )
        for p in done
    ]
    write_text(out / "predictions.csv", as_csv(("image", "labels", "confidence", *names), rows))
