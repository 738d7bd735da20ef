"""Commands that score: evaluate, compare."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    as_plain,
    guarded,
    json_option,
    print_json,
)
from pixelwise.terminal import Terminal


@click.command()
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


@click.command()
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
