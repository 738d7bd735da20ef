"""Commands that use a trained run: predict, choose-engine, export."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    INTERRUPTED,
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
@click.option(
    "--engine",
    default="trained",
    show_default=True,
    metavar="NAME",
    help="What runs the network: trained (PyTorch as in the training), auto (the fastest here "
    "that is right, measured once), or torch, onnx, openvino, also with -bfloat16 or -int8.",
)
@click.option(
    "--tile",
    default="plan",
    show_default=True,
    metavar="EDGE",
    help="Pixels along a tile's edge without halo: 512, or 64x256x256 (z first); auto times the "
    "network on tiles of several sizes and takes the fastest. Smaller tiles need less memory.",
)
@click.option(
    "--exact",
    is_flag=True,
    help="Read as much around each tile as the network sees, so that tiles give what the whole "
    "image would. Not possible with instance norm.",
)
@click.option(
    "--blend",
    is_flag=False,
    flag_value=0.5,
    default=0.0,
    type=float,
    metavar="[SHARE]",
    help="Let tiles overlap by this share of their edge (0.5 if none is given) and blend them "
    "with Gaussian weights.",
)
@click.option(
    "--average",
    default="plan",
    show_default=True,
    type=click.Choice(["plan", "none", "mirror", "rotations", "auto"]),
    help="Average over mirror images, or over quarter turns too (4 or 8 times as long in 2D). "
    "Refused along axes where the images have a direction. auto takes the views that gain 0.002 "
    "of the validation Dice, found out once and kept in the run.",
)
@click.option(
    "--skip-empty",
    is_flag=False,
    flag_value=0.1,
    default=0.0,
    type=float,
    metavar="[RANGE]",
    help="Take a tile for class 0 unseen if in every channel its brightest and darkest pixel, "
    "halo included, differ by less than RANGE normalised units (0.1 if none is given; 1 is the "
    "deviation that intensities are divided by).",
)
@click.option(
    "--ignore-contract",
    is_flag=True,
    help="Label images all the same that are refused because they are unlike those of the "
    "training (another modality, colour instead of grey, constant, another spacing).",
)
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds files already.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with a stopped prediction: what it labelled is left as it is.",
)
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
    tile: str,
    exact: bool,
    blend: float,
    average: str,
    skip_empty: float,
    **options: Any,
) -> int:
    """Label IMAGES (files, folders, glob patterns; of any size) with a trained RUN or a bundle.

    One label file per image under the same stem; a pixel holds the class id, classes.json
    says which class that is. Regions that may overlap get a folder of masks each.
    predictions.csv lists how sure the network is of each image.
    Images that cannot be labelled are listed, the others are done, and the exit code is 2.
    Each image is compared with those of the training first: what is unlike them is named with
    numbers, and refused where labels would mean nothing (see --ignore-contract).
    Ctrl-C finishes what is at hand; --resume goes on from there.
    """
    from pixelwise.commands.crop_output import Crop
    from pixelwise.commands.predict import predict as work
    from pixelwise.commands.tiling import Tiling

    tiling = Tiling(tile, exact, blend, average, skip_empty)
    wants_crop = crop_to is not None or mask_to is not None or margin != "0"
    crop = Crop(crop_to, margin, mask_to) if wants_crop else None
    result = work(run, list(images), crop=crop, tiling=tiling, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_predictions(result)
    if not result.is_finished:
        terminal.say("Stopped. Give the same command with --resume to label the rest.")
        return INTERRUPTED
    return 2 if any(p.severity == "error" for p in result.problems) else 0


@click.command(name="choose-engine")
@click.argument("run")
@click.option(
    "--all",
    "all_engines",
    is_flag=True,
    help="Score all engines, not only the fast ones until one is right.",
)
@use_option
@json_option
@guarded
def choose_engine(terminal: Terminal, run: str, *, as_json: bool, **options: Any) -> int:
    """Measure which engine labels fastest on this machine with RUN without being wrong.

    PyTorch, and ONNX Runtime and OpenVINO where they are installed, in float32, bfloat16 and
    8-bit integers calibrated on training cases. An engine is right if the mean Dice of the
    validation cases falls by at most 0.002 and that of no class by more than 0.005. The verdict
    is kept in RUN/engine.json; predict --engine auto uses it on the same machine.
    """
    from pixelwise.commands.choose_engine import choose_engine as work

    choice = work(run, listener=terminal, **options)
    if as_json:
        print_json(as_plain(choice))
    else:
        terminal.show_engines(choice)
    return 0


@click.command()
@click.argument("run")
@click.option(
    "--to",
    default="onnx",
    show_default=True,
    metavar="FORM",
    help="onnx, openvino, or bioimageio (for the BioImage Model Zoo).",
)
@click.option("--out", required=True, metavar="PATH", help="A folder, or a file ending in .zip.")
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    metavar="P",
    help="float32, or int8 if choose-engine finds it right.",
)
@click.option(
    "--test-image",
    metavar="FILE",
    help="Put the pixels of this image into the bundle as its test image; by default it is "
    "generated, so that no data leaves with the bundle.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier bundle.")
@use_option
@json_option
@guarded
def export(terminal: Terminal, run: str, *, as_json: bool, **options: Any) -> int:
    """Write RUN as one bundle that runs anywhere: network, contract, runner, test, hashes.

    \b
    With onnxruntime and numpy, and nothing else, installed:
      python runner.py --test               check the hashes and label the test image
      python runner.py image.npy labels.npy
    With pixelwise:
      pixelwise predict BUNDLE IMAGES --out FOLDER
    """
    from pixelwise.commands.export import export as work

    result = work(run, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_export(result)
    return 0
