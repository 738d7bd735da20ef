"""predict: label images of any size with a trained run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from pixelwise.commands.crop_output import Crop, check_crop
from pixelwise.commands.labelling import Labelling, Outputs
from pixelwise.commands.load_predictor import LoadedRun, load_predictor
from pixelwise.commands.open_engine import TRAINED, open_engine
from pixelwise.commands.peak_memory import require_memory, tile_bytes
from pixelwise.commands.prediction_record import (
    Prediction,
    PredictionRecord,
    prepare_output,
    write_tables,
)
from pixelwise.commands.tiling import PLANNED, Tiling
from pixelwise.core.errors import Problem, UserError
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.stopping import StopRequest
from pixelwise.core.user_parts import load_user_parts
from pixelwise.data.channel_files import ImageFiles
from pixelwise.data.image_files import find_images
from pixelwise.inference.engines import Engine
from pixelwise.networks import Field
from pixelwise.readers import label_ending
from pixelwise.readers.stacked import open_images
from pixelwise.runs.folder import RunFolder, open_run
from pixelwise.runs.trained_network import planned_task


@dataclass(frozen=True, slots=True)
class PredictResult:
    """All labelled images, and what could not be labelled and why.

    is_finished: False if the user stopped it before all images were tried.
    """

    predictions: tuple[Prediction, ...]
    problems: tuple[Problem, ...]
    out: Path
    is_finished: bool = True


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
    use: str | Path | None = None,
    deadline: float | None = None,
    listener: Listener = SILENT,
) -> PredictResult:
    """Label images: files, folders or glob patterns. One label file per image, same stem.

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
    resume: leave out what an earlier prediction into `out`, with the same run and options,
    has labelled already.
    deadline: on `time.monotonic`; images that it leaves no time for are left out.
    Raises BadRun, BadPlan, BadData if there is nothing to do or an image needs more memory than
    there is, BadOutput if `out` holds files already.
    """
    if use is not None:
        load_user_parts(Path(use))
    folder = open_run(Path(run))
    plan = folder.read_plan()
    if crop is not None:
        check_crop(plan, crop)
    loaded = load_predictor(folder, plan, tiling, _opener(engine, folder, plan, listener))
    wanted_images = [images] if isinstance(images, str | Path) else images
    channels = plan.intensity.channels
    files, problems = find_images(wanted_images, channels, n_dims=plan.data.n_dims)
    _require_memory(files, plan, loaded)
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
        "weights": folder.read_status().get("weights_sha256"),
        "engine": loaded.engine.name,
        **loaded.section.model_dump(mode="json"),
        **asdict(wanted),
    }
    record = PredictionRecord(target, settings)
    earlier = {p.image: p for p in record.read_done()} if resume else {}
    left = [image for image in files if image.paths[0] not in earlier]
    if earlier:
        listener.say(f"{len(files) - len(left)} of {len(files)} images are labelled already")
    with StopRequest() as stop, Labelling(plan, target, wanted, listener) as work:

        def is_over() -> bool:
            return stop.is_set or (deadline is not None and time.monotonic() > deadline)

        n_ended = len(files) - len(left)
        for path, share in work.run(loaded.predictor, left, is_over):
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
    return PredictResult(tuple(done), tuple(problems), target, is_finished)


def _opener(
    engine: str, folder: RunFolder, plan: Plan, listener: Listener
) -> Callable[[nn.Module], tuple[Engine, Field]]:
    def open_named(network: nn.Module) -> tuple[Engine, Field]:
        opened = open_engine(engine, folder, plan, network, listener=listener)
        return opened.engine, opened.field

    return open_named


def _require_memory(files: Sequence[ImageFiles], plan: Plan, loaded: LoadedRun) -> None:
    """What cannot be opened is left to its own turn, where it is listed."""
    headers = []
    for image in files:
        try:
            with open_images(image.paths, plan.intensity.channels) as source:
                headers.append(source.header)
        except UserError:
            continue
    largest = sorted(headers, key=lambda header: -math.prod(header.shape))[:1]
    n_channels, n_outputs = network_input(plan)[1], planned_task(plan).n_outputs
    of_tile = tile_bytes(loaded.network, loaded.section, n_channels, n_outputs)
    require_memory(largest, of_tile, loaded.section, n_outputs)
