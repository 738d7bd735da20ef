"""Commands that use a trained run: predict."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    as_plain,
    guarded,
    json_option,
    print_json,
    use_option,
)
from pixelwise.terminal import Terminal


@click.command()
@click.argument("run")
@click.argument("images", nargs=-1, required=True)
@click.option("--out", required=True, metavar="FOLDER", help="Where to write the labels.")
@click.option("--as-trained", is_flag=True, help="Write the training masks' own values, palette.")
@click.option("--probabilities", is_flag=True, help="Also write class probabilities (.npy).")
@click.option("--overlay", is_flag=True, help="Also write pictures with the labels drawn in.")
@click.option(
    "--measure",
    is_flag=True,
    help="Also write tables of each image: its objects, its classes (volume, surface, "
    "intensities), and which classes touch.",
)
@click.option(
    "--crop-to",
    metavar="CLASS",
    help="Also cut each image to the box around what was labelled CLASS (out/cropped).",
)
@click.option(
    "--margin",
    default="0",
    show_default=True,
    metavar="LENGTH",
    help="Around that box: pixels, as 10, or a length, as 5mm.",
)
@click.option(
    "--mask-to", metavar="CLASS", help="Also blank each image outside of what was labelled CLASS."
)
@click.option(
    "--ending",
    default="",
    metavar="ENDING",
    help="Write labels as .nii.gz, .nrrd, .mha, .tif, .npy, .ome.zarr or .dcm (a DICOM "
    "segmentation) instead of in the image's own format.",
)
@click.option(
    "--patient-fields",
    is_flag=True,
    help="Repeat the fields of the patient in DICOM segmentations; else they stay empty.",
)
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds files already.")
@use_option
@json_option
@guarded
def predict(
    terminal: Terminal,
    run: str,
    images: tuple[str, ...],
    *,
    as_json: bool,
    crop_to: str | None,
    mask_to: str | None,
    margin: str,
    **options: Any,
) -> int:
    """Label IMAGES (files, folders, glob patterns; of any size) with a trained RUN.

    One label file per image under the same stem; a pixel holds the class id, classes.json
    says which class that is. Regions that may overlap get a folder of masks each.
    predictions.csv lists how sure the network is of each image.
    Images that cannot be labelled are listed, the others are done, and the exit code is 2.
    """
    from pixelwise.commands.crop_output import Crop
    from pixelwise.commands.predict import predict as work

    wants_crop = crop_to is not None or mask_to is not None or margin != "0"
    crop = Crop(crop_to, margin, mask_to) if wants_crop else None
    result = work(run, list(images), crop=crop, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_predictions(result)
    return 2 if any(p.severity == "error" for p in result.problems) else 0
