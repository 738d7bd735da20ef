"""Words become arguments: one short function per command, and the only file that prints."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

import click

from pixelwise.core.errors import PixelwiseError, Problem, UserError
from pixelwise.terminal import Terminal

Command = Callable[..., Any]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTERRUPTED = 130


def _guarded(command: Command) -> Command:
    """Problems are printed as sentences on standard error; the exit code says whose they are."""

    @functools.wraps(command)
    def run(*args: Any, as_json: bool = False, **kwargs: Any) -> None:
        terminal = Terminal(is_quiet=as_json)
        try:
            code = command(terminal, *args, as_json=as_json, **kwargs)
        except UserError as error:
            terminal.close()
            if as_json:
                _print_json({"problems": [_problem_entry(p) for p in error.problems]})
            terminal.show_problems(error.problems)
            sys.exit(error.exit_code)
        except PixelwiseError as error:
            terminal.close()
            terminal.say(f"This is an error in pixelwise itself, please report it: {error}")
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            terminal.close()
            terminal.say("Stopped.")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            terminal.close()
            terminal.show_problems([_system_problem(error)])
            sys.exit(2)
        except MemoryError:
            terminal.close()
            terminal.show_problems([_MEMORY_PROBLEM])
            sys.exit(2)
        terminal.close()
        sys.exit(code or 0)

    return run


_MEMORY_PROBLEM = Problem(
    "there is not enough memory",
    "memory for the network and one batch",
    "Lower sampling.batch or inference.tile with --set, or close other programs.",
)


def _system_problem(error: OSError) -> Problem:
    return Problem(
        f"the system refused: {error.strerror or error}",
        "a file that can be read, a place that can be written",
        "Check permissions and free space.",
        str(error.filename or ""),
    )


def _data_options(command: Command) -> Command:
    options = (
        click.option("--group", metavar="PATTERN", help="Cases of one group stay in one split: a "
                     "regular expression with one group on the stem, or column:NAME of "
                     "metadata.csv."),
        click.option("--map", "label_map", metavar="MAP", help="What stored mask values mean, for "
                     "example 0=background,255=cell or '>=128=cell'."),
        click.option("--allow-unpaired", is_flag=True, help="Leave out images without a mask, and "
                     "masks without an image, instead of stopping."),
        click.option("--seed", default=0, show_default=True, help="Of everything that is drawn."),
    )
    for option in reversed(options):
        command = option(command)
    return command


_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_use = click.option("--use", metavar="FILE", help="A Python file with your own network or loss.")
_set = click.option("--set", "settings", multiple=True, metavar="A.B=C",
                    help="Change a field of the plan, for example network.options.width=24. "
                    "Can be given several times.")


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
@_data_options
@_json
@_guarded
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
        _print_json(_as_plain(result))
    else:
        terminal.show_check(result)
    return 0 if result.is_usable else 2


@main.command()
@click.argument("data")
@click.option("--budget", metavar="TIME", help="Wall-clock time of the whole training, for "
              "example 30s, 10m, 2h.  [default: 10m]")
@click.option("--plan", metavar="FILE", help="Start from this plan instead of a new one.")
@click.option("--out", metavar="FILE", help="Write the plan to this file.")
@_set
@_use
@_data_options
@_json
@_guarded
def plan(terminal: Terminal, data: str, *, as_json: bool, **options: Any) -> int:
    """Show what would be trained on DATA, why, how long and with how much memory.

    Nothing is trained: a few steps are timed on this machine, and every choice is printed
    with its reason. The file that --out writes can be read, changed and given to train --plan.
    """
    from pixelwise.commands.plan import plan as run

    result = run(data, listener=terminal, **options)
    if as_json:
        _print_json(_as_plain({
            "plan": result.plan, "expected_steps": result.expected_steps,
            "expected_seconds": result.expected_seconds, "expected_bytes": result.expected_bytes,
        }))
    else:
        terminal.show_plan(result)
    return 0


@main.command()
@click.argument("data", required=False)
@click.option("--run", "run", required=True, metavar="RUN", help="The folder to write the run to.")
@click.option("--budget", metavar="TIME", help="Wall-clock time of the whole command, for "
              "example 30s, 10m, 2h.  [default: 10m]")
@click.option("--plan", metavar="FILE", help="Train by this plan; a finished run's plan.json "
              "repeats that run exactly.")
@_set
@_use
@click.option("--from", "start_from", metavar="RUN", help="Start from the weights of this run.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there already.")
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether the report may show "
              "pictures of the data.  [default: thumbnails]")
@_data_options
@_json
@_guarded
def train(terminal: Terminal, data: str | None, *, as_json: bool, **options: Any) -> int:
    """Train a network on DATA within a time budget, validate it, write RUN/report.html.

    Ctrl-C stops after the step at hand and leaves a usable run; --resume goes on with it.
    The state is saved every 20 to 30 seconds, so that even a crash loses little.
    """
    from pixelwise.commands.train import train as run

    result = run(data, listener=terminal, **options)
    if as_json:
        _print_json(_as_plain(result))
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
@_use
@_json
@_guarded
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
        _print_json(_as_plain(result))
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
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether the page may show "
              "pictures of the data.  [default: thumbnails]")
@click.option("--out", metavar="FOLDER", help="Write scores.json, scores.csv and a page here.")
@click.option("--use", metavar="FILE", help="The file with your own network, if RUN uses one.")
@_json
@_guarded
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
        _print_json(_as_plain(result.summary))
    else:
        terminal.show_scores(result, options["split"])
    return 0


@main.command()
@click.argument("predictions", nargs=-1, required=True)
@click.option("--truth", required=True, metavar="FOLDER", help="Folder of true labels.")
@click.option("--split", default="test", show_default=True, help="The split that is expected.")
@click.option("--fov", metavar="FOLDER", help="Masks of the pixels that count.")
@click.option("--group", metavar="PATTERN", help="Cases that belong together (a patient): a "
              "regular expression with one group on the stem.")
@click.option("--only-paired", is_flag=True, help="Leave out files without a partner.")
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether the page may show "
              "pictures of the data.  [default: thumbnails]")
@click.option("--out", metavar="FOLDER", help="Write comparison.html, .json, .md, .tex, .csv here.")
@_json
@_guarded
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
        _print_json(_as_plain(result.comparison))
    else:
        terminal.show_comparison(result)
    return 0


@main.command()
@click.argument("what")
@click.option("--input", metavar="SIZE", help="Rows, columns and channels, for example 572x572x1.")
@click.option("--data", metavar="DATA", help="A data set whose objects to set the sight against.")
@click.option("--compare", multiple=True, metavar="NETWORK", help="A network to set beside it. Can "
              "be given several times.")
@click.option("--measure", is_flag=True, help="Also time it here and try it on noise.")
@click.option("--out", metavar="FILE", help="Write a page with the drawing to this file.")
@click.option("--overwrite", is_flag=True, help="Replace the page if it is there already.")
@_json
@_guarded
def inspect(terminal: Terminal, what: str, *, as_json: bool, **options: Any) -> int:
    """Explain a network: WHAT is a network's name, a plan file or a run.

    Layers with sizes, weights and cost, which inputs are allowed and what comes out, how far
    an output pixel can see.
    """
    from pixelwise.commands.inspect import inspect as work
    from pixelwise.commands.inspect_text import inspection_text

    result = work(what, listener=terminal, **options)
    if as_json:
        _print_json(_as_plain(result))
    else:
        terminal.print_line(inspection_text(result))
    return 0


@main.command()
@click.argument("run")
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether to show pictures.")
@_guarded
def report(terminal: Terminal, run: str, *, thumbnails: bool, as_json: bool) -> int:
    """Write RUN/report.html anew."""
    from pixelwise.commands.write_page import write_page as work

    terminal.print_line(str(work(run, thumbnails=thumbnails)))
    return 0


@main.command()
@click.option("--out", default="pixelwise-demo", show_default=True, metavar="FOLDER",
              help="Where to put data, run and labels.")
@click.option("--budget", default="2m", show_default=True, metavar="TIME",
              help="Time for the training.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo.")
@_json
@_guarded
def demo(terminal: Terminal, *, as_json: bool, **options: Any) -> int:
    """The main job on generated images: train, label held-out images, score, report."""
    from pixelwise.commands.demo import demo as run

    result = run(listener=terminal, **options)
    if as_json:
        _print_json(_as_plain(result))
    else:
        terminal.show_demo(result)
    return 0


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _problem_entry(problem: Problem) -> dict[str, str]:
    return {
        "severity": problem.severity, "code": problem.code, "path": problem.path,
        "what": problem.what, "expected": problem.expected, "remedy": problem.remedy,
    }


def _as_plain(value: Any) -> Any:
    """Records, plans, paths and tuples as what JSON knows."""
    from pixelwise.core.json_form import as_json_value

    return as_json_value(value)
