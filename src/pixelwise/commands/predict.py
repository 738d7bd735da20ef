"""predict: label images of any size with a trained run."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pixelwise.commands.crop_output import Crop, check_crop
from pixelwise.commands.labelling import Guard, Labelling, Outputs
from pixelwise.commands.load_predictor import make_labeller
from pixelwise.commands.open_engine import TRAINED
from pixelwise.commands.open_model import OpenedModel, open_model
from pixelwise.commands.peak_memory import require_memory, tile_bytes
from pixelwise.commands.prediction_record import (
    Prediction,
    PredictionRecord,
    earlier_tile,
    prepare_output,
    require_output,
    write_tables,
)
from pixelwise.commands.settled_tiling import check_tiling, settle_tiling
from pixelwise.commands.tiling import AUTO, PLANNED, Tiling
from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.image import Header
from pixelwise.core.plan import InferenceSection, Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.stopping import StopRequest
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.channel_files import ImageFiles
from pixelwise.data.image_files import find_images
from pixelwise.data.input_contract import ContractCheck
from pixelwise.readers import label_ending
from pixelwise.readers.stacked import open_images
from pixelwise.runs.trained_network import planned_task


@dataclass(frozen=True, slots=True)
class PredictResult:
    """All labelled images; as problems what could not be labelled, and warnings of what was.

    is_finished: False if the user stopped it before all images were tried. n_tiles, n_skipped:
    tiles that were read now, and those of them that were taken for empty.
    """

    predictions: tuple[Prediction, ...]
    problems: tuple[Problem, ...]
    out: Path
    is_finished: bool = True
    n_tiles: int = 0
    n_skipped: int = 0


def predict(
    run: str | Path,
    images: str | Path | Sequence[str | Path | ImageFiles],
    *,
    out: str | Path,
    as_trained: bool = False,
    probabilities: bool = False,
    overlay: bool = False,
    measure: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    ending: str = "",
    patient_fields: bool = False,
    crop: Crop | None = None,
    tiling: Tiling = PLANNED,
    engine: str = TRAINED,
    ignore_contract: bool = False,
    use: str | Path | None = None,
    deadline: float | None = None,
    listener: Listener = SILENT,
) -> PredictResult:
    """Label images with a run or a bundle: files, folders or glob patterns, one label file each.

    Labels are class ids (classes.json says which) on the image's own grid and in its own format
    where that can hold labels: PNG for pictures, TIFF for TIFF, NIfTI for NIfTI and DICOM.
    ending (".nrrd") chooses another one; patient_fields: DICOM segmentations (".dcm") repeat
    who was examined. Regions that may overlap get a mask each (out/REGION/STEM), and where they
    nest in a label map that map too (out/labels/STEM). as_trained writes the training masks'
    own values and palette, probabilities class probabilities (STEM.npy in out/probabilities),
    overlay pictures (of a volume its fullest slice), measure tables of objects, of classes
    with sizes and intensities, and of shared boundaries. crop cuts the images to a class
    (out/cropped); those that do not show it are listed as warnings. An image that cannot be
    labelled is listed in the result; the others are done.
    tiling: how images are cut, blended and averaged. engine: what runs the network, see
    `open_engine`.
    ignore_contract: label images all the same that are unlike those of the training.
    resume: leave out what an earlier prediction into `out`, with the same run and options,
    has labelled already.
    deadline: on `time.monotonic`; images that it leaves no time for are left out.
    Raises BadRun, BadPlan, BadData if there is nothing to do or an image needs more memory than
    there is, BadOutput if `out` holds files already.
    """
    if use is not None:
        load_user_parts(Path(use))
    model = open_model(Path(run), engine=engine, listener=listener)
    plan = model.plan
    if crop is not None:
        check_crop(plan, crop)
    check_tiling(model, tiling)
    require_output(Path(out), overwrite=overwrite, resume=resume)
    wanted_images = [images] if isinstance(images, str | Path) else images
    files, problems = find_images(wanted_images, plan.intensity.channels, n_dims=plan.data.n_dims)
    headers = _headers(files, plan)
    if resume and tiling.tile == AUTO:
        tiling = replace(tiling, tile=earlier_tile(Path(out)) or AUTO)
    section = settle_tiling(model, tiling, headers, listener=listener)
    _require_memory(headers, model, section)
    predictor = make_labeller(model.opened.engine, model.opened.field, plan, section)
    target = prepare_output(Path(out), overwrite=overwrite, resume=resume)
    wanted = Outputs(
        as_trained,
        probabilities,
        overlay,
        measure,
        ending=label_ending(ending),
        patient_fields=patient_fields,
        crop=crop,
    )
    settings = {
        "weights": model.weights_sha256,
        "engine": model.opened.engine.name,
        **section.model_dump(mode="json"),
        **asdict(wanted),
    }
    record = PredictionRecord(target, settings)
    earlier = {p.image: p for p in record.read_done()} if resume else {}
    left = [image for image in files if image.paths[0] not in earlier]
    if earlier:
        listener.say(f"{len(files) - len(left)} of {len(files)} images are labelled already")
    guard = Guard(ContractCheck(model.contract) if model.contract else None, ignore_contract)
    problems += _without_drift(model)
    with StopRequest() as stop, Labelling(plan, target, wanted, guard, listener) as work:

        def is_over() -> bool:
            return stop.is_set or (deadline is not None and time.monotonic() > deadline)

        n_ended = len(files) - len(left)
        for path, share in work.run(predictor, left, is_over):
            listener.advance(n_ended + min(share, 1), len(files), path.name)
            n_ended += share >= 1
            record.write_if_due([*earlier.values(), *work.done])
        is_finished = not stop.is_set
    found = earlier | {p.image: p for p in work.done}
    done = [found[image.paths[0]] for image in files if image.paths[0] in found]
    listener.advance(n_ended, len(files), f"{len(done)} labelled")
    record.write(done)
    write_tables(plan, done, target)
    problems += work.problems(left)
    return PredictResult(
        tuple(done),
        tuple(problems),
        target,
        is_finished,
        predictor.tiles.n_tiles,
        predictor.tiles.n_skipped,
    )


def _without_drift(model: OpenedModel) -> list[Problem]:
    """Said once, where nothing is known that images could be compared with."""
    if model.contract is not None and model.contract.looks:
        return []
    return [
        Problem(
            "how its training images looked was not stored",
            "a run of this version",
            "Images are labelled without a look at how far they are from those of the training; "
            "train again to have it.",
            shown(model.path),
            "note",
            "no-contract",
        )
    ]


def _headers(files: Sequence[ImageFiles], plan: Plan) -> list[Header]:
    """Of the images that can be opened; the others are left to their own turn."""
    headers = []
    for image in files:
        try:
            with open_images(image.paths, plan.intensity.channels) as source:
                headers.append(source.header)
        except UserError:
            continue
    return headers


def _require_memory(
    headers: Sequence[Header], model: OpenedModel, section: InferenceSection
) -> None:
    largest = sorted(headers, key=lambda header: -math.prod(header.shape))[:1]
    n_channels, n_outputs = network_input(model.plan)[1], planned_task(model.plan).n_outputs
    of_tile = None
    if model.network is not None:
        of_tile = tile_bytes(model.network, section, n_channels, n_outputs)
    require_memory(largest, of_tile, section, n_outputs)
