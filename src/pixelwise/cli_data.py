"""Commands about data and plans: check, plan."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    as_plain,
    data_options,
    guarded,
    json_option,
    print_json,
    set_option,
    use_option,
)
from pixelwise.terminal import Terminal


@click.command()
@click.argument("data")
@click.option("--out", metavar="FILE", help="Write a page with pictures of what was found.")
@click.option("--overwrite", is_flag=True, help="Replace the page if it is there already.")
@click.option(
    "--quick",
    is_flag=True,
    help="Only read the files: leave out what compares masks with images and cases with each "
    "other.",
)
@click.option(
    "--run",
    metavar="RUN",
    help="A run trained on this data, or its bundle: rank the labels that it disbelieves.",
)
@use_option
@data_options
@json_option
@guarded
def check(terminal: Terminal, data: str, *, as_json: bool, **options: Any) -> int:
    """Say how every file of DATA was paired and read, what the masks mean, what is wrong.

    DATA is a folder with images and masks: images/ and masks/ (or labels, annotations, gt,
    manual …), masks beside the images with a suffix such as _mask, train/val/test subfolders,
    or polygon annotations of COCO or LabelMe. Volumes (NIfTI, DICOM series, NRRD, stacks …) are
    compared with their masks in space; channels in files of their own (CASE_0000, CASE_t1, or
    a folder for each) are joined, and missing ones named.

    \b
    Beyond single files it finds
      masks that lie off their image, or the wrong way round
      copies of pictures, groups and neighbours that lie in two splits
      classes that training never sees, images unlike the training images
      classes told apart by their side alone, and cases where they are exchanged
      uneven background, with the setting that corrects it
      with --run: labels that are likely wrong, the most doubtful first

    \b
    Examples:
      pixelwise check DATA --out check.html
      pixelwise check DATA --run runs/first --json

    Nothing in DATA is changed. The exit code is 2 if anything must be mended before training.
    """
    from pixelwise.commands.check import check as run

    result = run(data, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_check(result)
    return 0 if result.is_usable else 2


@click.command()
@click.argument("data")
@click.option(
    "--budget",
    metavar="TIME",
    help="Wall-clock time of the whole training, for example 30s, 10m, 2h.  [default: 10m]",
)
@click.option("--plan", metavar="FILE", help="Start from this plan instead of a new one.")
@click.option("--out", metavar="FILE", help="Write the plan to this file.")
@set_option
@use_option
@data_options
@json_option
@guarded
def plan(terminal: Terminal, data: str, *, as_json: bool, **options: Any) -> int:
    """Show what would be trained on DATA, why, how long and with how much memory.

    Nothing is trained: a few steps are timed on this machine, and every choice is printed
    with its reason. The file that --out writes can be read, changed and given to train --plan.
    """
    from pixelwise.commands.plan import plan as run

    result = run(data, listener=terminal, **options)
    if as_json:
        print_json(
            as_plain(
                {
                    "plan": result.plan,
                    "expected_steps": result.expected_steps,
                    "expected_seconds": result.expected_seconds,
                    "expected_bytes": result.expected_bytes,
                }
            )
        )
    else:
        terminal.show_plan(result)
    return 0
