"""Commands about data and plans: check, plan."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    as_plain,
    data_options,
    guarded,
    json_option,
    memory_option,
    planner_option,
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
@click.argument("data", required=False)
@click.option(
    "--budget",
    metavar="TIME",
    help="Wall-clock time of the whole training, for example 30s, 10m, 2h.  [default: 10m]",
)
@click.option("--plan", metavar="FILE", help="Start from this plan instead of a new one.")
@planner_option
@memory_option
@click.option("--out", metavar="FILE", help="Write the plan to this file.")
@click.option("--page", metavar="FILE", help="Write an HTML page with time and memory drawn.")
@click.option(
    "--diff",
    nargs=2,
    metavar="A B",
    help="Show what differs between two plan files or runs, instead of planning.",
)
@set_option
@use_option
@data_options
@json_option
@guarded
def plan(
    terminal: Terminal,
    data: str | None,
    *,
    as_json: bool,
    page: str | None,
    diff: tuple[str, str] | None,
    **options: Any,
) -> int:
    """Show what would be trained on DATA, why, how long and with how much memory.

    Nothing is trained: a few steps are timed on this machine, in at most 5 % of the budget, and
    every choice is printed with its reason. The file that --out writes can be read, changed and
    given to train --plan; the same plan, data and machine give the same weights.
    """
    if diff:
        return _show_difference(terminal, *diff, as_json=as_json)
    if data is None:
        raise click.UsageError("Name the DATA to plan for, or two plans with --diff A B.")
    from pixelwise.commands.plan import plan as run
    from pixelwise.commands.write_plan_page import write_page_of_plan

    result = run(data, listener=terminal, **options)
    if page is not None:
        write_page_of_plan(page, result)
    if as_json:
        print_json(
            as_plain(
                {
                    "plan": result.plan,
                    "expected_steps": result.expected_steps,
                    "expected_seconds": result.expected_seconds,
                    "expected_bytes": result.expected_bytes,
                    "times": result.times,
                    "memory": result.memory,
                    "considered": result.considered,
                    "notes": result.notes,
                }
            )
        )
    else:
        terminal.show_plan(result)
    return 0


def _show_difference(terminal: Terminal, first: str, second: str, *, as_json: bool) -> int:
    """Fields in which two plans differ; the exit code is 0 either way."""
    from pixelwise.commands.compare_plans import compare_plans

    differences = compare_plans(first, second)
    if as_json:
        print_json(as_plain(differences))
    else:
        terminal.show_difference(differences, (first, second))
    return 0
