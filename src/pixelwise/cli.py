"""Words become arguments: one short function per command."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    INTERRUPTED,
    as_plain,
    data_options,
    guarded,
    json_option,
    print_json,
    set_option,
    use_option,
)
from pixelwise.terminal import Terminal

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="pixelwise")
def main() -> None:
    """Label every pixel of an image, and know how well.

    \b
    A folder of images and masks becomes a trained, validated network:
      pixelwise check DATA                         what is in the folder, what is wrong with it
      pixelwise train DATA --run RUN --budget 10m  train, validate, write RUN/report.html
      pixelwise predict RUN IMAGES --out FOLDER    label new images of any size

    \b
    No data at hand?
      pixelwise demo                               the same on generated images
    """


@main.command()
@click.argument("data")
@data_options
@json_option
@guarded
def check(terminal: Terminal, data: str, *, as_json: bool, **options: Any) -> int:
    """Say how every file of DATA was paired and read, what the masks mean, what is wrong.

    DATA is a folder with images and masks: images/ and masks/ (or labels, annotations, gt,
    manual …), masks beside the images with a suffix such as _mask, train/val/test subfolders,
    or polygon annotations of COCO or LabelMe. Nothing is changed. The exit code is 2 if
    anything must be mended before training.
    """
    from pixelwise.commands.check import check as run

    result = run(data, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_check(result)
    return 0 if result.is_usable else 2


@main.command()
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


@main.command()
@click.argument("data", required=False)
@click.option("--run", "run", required=True, metavar="RUN", help="The folder to write the run to.")
@click.option(
    "--budget",
    metavar="TIME",
    help="Wall-clock time of the whole command, for example 30s, 10m, 2h.  [default: 10m]",
)
@click.option(
    "--plan",
    metavar="FILE",
    help="Train by this plan; a finished run's plan.json repeats that run exactly.",
)
@set_option
@use_option
@click.option("--from", "start_from", metavar="RUN", help="Start from the weights of this run.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there already.")
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    help="Whether the report may show pictures of the data.  [default: thumbnails]",
)
@data_options
@json_option
@guarded
def train(terminal: Terminal, data: str | None, *, as_json: bool, **options: Any) -> int:
    """Train a network on DATA within a time budget, validate it, write RUN/report.html.

    Ctrl-C stops after the step at hand and leaves a usable run; --resume goes on with it.
    The state is saved every 20 to 30 seconds, so that even a crash loses little.
    """
    from pixelwise.commands.train import train as run

    result = run(data, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_training(result)
    return 0 if result.is_finished else INTERRUPTED


@main.command()
@click.argument("run")
@click.argument("images", nargs=-1, required=True)
@click.option("--out", required=True, metavar="FOLDER", help="Where to write the labels.")
@click.option("--as-trained", is_flag=True, help="Write the training masks' own values, palette.")
@click.option("--probabilities", is_flag=True, help="Also write class probabilities (.npy).")
@click.option("--overlay", is_flag=True, help="Also write pictures with the labels drawn in.")
@click.option("--measure", is_flag=True, help="Also write a table of the objects of each image.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds files already.")
@use_option
@json_option
@guarded
def predict(
    terminal: Terminal, run: str, images: tuple[str, ...], *, as_json: bool, **options: Any
) -> int:
    """Label IMAGES (files, folders, glob patterns; of any size) with a trained RUN.

    One label file per image under the same stem; a pixel holds the class id, classes.json
    says which class that is. predictions.csv lists how sure the network is of each image.
    Images that cannot be labelled are listed, the others are done, and the exit code is 2.
    """
    from pixelwise.commands.predict import predict as work

    result = work(run, list(images), listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_predictions(result)
    return 2 if any(p.severity == "error" for p in result.problems) else 0


@main.command()
@click.argument("run", required=False)
@click.option("--split", default="test", show_default=True, help="The split of a run to score.")
@click.option("--truth", metavar="FOLDER", help="Folder of true labels.")
@click.option("--predicted", metavar="FOLDER", help="Folder of predicted labels, same stems.")
@click.option("--fov", metavar="FOLDER", help="Masks of the pixels that count.")
@click.option("--only-paired", is_flag=True, help="Leave out files without a partner.")
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    help="Whether the page may show pictures of the data.  [default: thumbnails]",
)
@click.option("--out", metavar="FOLDER", help="Write scores.json, scores.csv and a page here.")
@click.option("--use", metavar="FILE", help="The file with your own network, if RUN uses one.")
@json_option
@guarded
def evaluate(terminal: Terminal, run: str | None, *, as_json: bool, **options: Any) -> int:
    """Score predictions: a split of a RUN, or any two folders of labels.

    \b
      pixelwise evaluate RUN --split test
      pixelwise evaluate --truth FOLDER --predicted FOLDER

    Every mean says what it is over; cases without a value are counted beside it.
    """
    from pixelwise.commands.evaluate import evaluate as work

    result = work(run, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result.summary))
    else:
        terminal.show_scores(result, options["split"])
    return 0


@main.command()
@click.argument("predictions", nargs=-1, required=True)
@click.option("--truth", required=True, metavar="FOLDER", help="Folder of true labels.")
@click.option("--split", default="test", show_default=True, help="The split that is expected.")
@click.option("--fov", metavar="FOLDER", help="Masks of the pixels that count.")
@click.option(
    "--group",
    metavar="PATTERN",
    help="Cases that belong together (a patient): a regular expression with one group on the stem.",
)
@click.option("--only-paired", is_flag=True, help="Leave out files without a partner.")
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    help="Whether the page may show pictures of the data.  [default: thumbnails]",
)
@click.option("--out", metavar="FOLDER", help="Write comparison.html, .json, .md, .tex, .csv here.")
@json_option
@guarded
def compare(
    terminal: Terminal, predictions: tuple[str, ...], *, as_json: bool, **options: Any
) -> int:
    """Compare folders of PREDICTIONS of the same cases: who is better, and is it chance?

    Paired differences with intervals, exact tests corrected for their number, ranks and how
    stable they are; contradictions between metrics are said.
    """
    from pixelwise.commands.compare import compare as work

    result = work(list(predictions), listener=terminal, **options)
    if as_json:
        print_json(as_plain(result.comparison))
    else:
        terminal.show_comparison(result)
    return 0


@main.command()
@click.argument("what")
@click.option("--input", metavar="SIZE", help="Rows, columns and channels, for example 572x572x1.")
@click.option("--data", metavar="DATA", help="A data set whose objects to set the sight against.")
@click.option(
    "--compare",
    multiple=True,
    metavar="NETWORK",
    help="A network to set beside it. Can be given several times.",
)
@click.option("--measure", is_flag=True, help="Also time it here and try it on noise.")
@click.option("--out", metavar="FILE", help="Write a page with the drawing to this file.")
@click.option("--overwrite", is_flag=True, help="Replace the page if it is there already.")
@json_option
@guarded
def inspect(terminal: Terminal, what: str, *, as_json: bool, **options: Any) -> int:
    """Explain a network: WHAT is a network's name, a plan file or a run.

    Layers with sizes, weights and cost, which inputs are allowed and what comes out, how far
    an output pixel can see.
    """
    from pixelwise.commands.inspect import inspect as work
    from pixelwise.commands.inspect_text import inspection_text

    result = work(what, listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.print_line(inspection_text(result))
    return 0


@main.command()
@click.argument("run")
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether to show pictures.")
@guarded
def report(terminal: Terminal, run: str, *, thumbnails: bool, as_json: bool) -> int:
    """Write RUN/report.html anew."""
    from pixelwise.commands.write_page import write_page as work

    terminal.print_line(str(work(run, thumbnails=thumbnails)))
    return 0


@main.command()
@click.option(
    "--out",
    default="pixelwise-demo",
    show_default=True,
    metavar="FOLDER",
    help="Where to put data, run and labels.",
)
@click.option(
    "--budget", default="2m", show_default=True, metavar="TIME", help="Time for the training."
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo.")
@json_option
@guarded
def demo(terminal: Terminal, *, as_json: bool, **options: Any) -> int:
    """The main job on generated images: train, label held-out images, score, report."""
    from pixelwise.commands.demo import demo as run

    result = run(listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.show_demo(result)
    return 0
