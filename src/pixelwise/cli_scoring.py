"""Commands that score: evaluate, compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pixelwise.cli_options import as_plain, guarded, json_option, print_json
from pixelwise.terminal import Terminal

FORMATS = ("table", "csv", "json", "latex", "markdown")
_SPACING = re.compile(r"\s*([-+.\deE]+(?:\s*,\s*[-+.\deE]+)*)\s*([^\d\s,]*)\s*\Z")


class ScoringCommand(click.Command):
    """A command whose help ends with the metrics that it knows."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every metric with its first sentence; loaded only when help is asked for."""
        from pixelwise.metrics import METRICS

        rows = []
        for name in METRICS.names():
            entry = METRICS.find(name)
            needed = [option.name for option in entry.options.values() if option.is_required]
            rows.append((f"{name}{f':{needed[0]}=…' if needed else ''}", entry.summary))
        with formatter.section("Metrics (options follow a colon: nsd:tolerance=2;surface=mesh)"):
            formatter.write_dl(rows)


def scoring_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that scores files."""
    options = (
        click.option("--fov", metavar="FOLDER", help="Masks of the pixels that count, same stems."),
        click.option(
            "--map", "label_map", metavar="MAP",
            help="What stored values mean, in both folders: 0=background,255=cell.",
        ),
        click.option("--ignore", type=int, metavar="VALUE", help="Stored value of void pixels."),
        click.option(
            "--group",
            metavar="PATTERN",
            help="Cases that belong together (a patient): a regular expression with one group on "
            "the stem, or column:NAME of metadata.csv. Scored per group, resampled together.",
        ),
        click.option(
            "--metrics", metavar="A,B,C", help="Which metrics, by name; they are listed below."
        ),
        click.option(
            "--convention",
            metavar="NAME",
            help="Measure distances and count empty cases as another tool does: monai, "
            "metrics-reloaded, deepmind, medpy, panoptica, nnunet …",
        ),
        click.option(
            "--boundary-tolerance",
            metavar="NUMBER|auto",
            help="How far a boundary may be off in nsd and boundary_f1, in the unit of the "
            "spacing; auto: as far as 95 % of the distances between annotators.",
        ),
        click.option(
            "--annotator",
            "annotators",
            multiple=True,
            metavar="FOLDER",
            help="Labels of another person, for some of the cases: human spread is shown beside "
            "the model. Can be given several times.",
        ),
        click.option(
            "--consensus",
            type=click.Choice(("majority", "staple")),
            help="Score against what the truth and the annotators agree on.",
        ),
        click.option(
            "--instances", "objects",
            type=click.Choice(("numbered", "components", "numbered-truth")),
            help="Score single objects too (panoptic quality, AP, SEG, splits, merges …): the "
            "files number them; or they are the connected components of each class, corners "
            "count; or only the truth numbers them.",
        ),
        click.option(
            "--spacing",
            metavar="[Z,]Y,X UNIT",
            help="Size of a pixel, for example '0.5,0.5 mm', instead of what the files say.",
        ),
        click.option("--only-paired", is_flag=True, help="Leave out files without a partner."),
        click.option(
            "--thumbnails/--no-thumbnails",
            default=True,
            help="Whether the page may show pictures of the data.  [default: thumbnails]",
        ),
        click.option(
            "--format", "table_format", type=click.Choice(FORMATS), default="table",
            show_default=True, help="How results are printed.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=ScoringCommand)
@click.argument("run", required=False)
@click.option(
    "--split",
    help="Score only this split of a RUN [default: test], or of the truth's splits.json.",
)
@click.option("--truth", metavar="FOLDER", help="Folder of true labels.")
@click.option("--predicted", metavar="FOLDER", help="Folder of predicted labels, same stems.")
@click.option(
    "--probabilities",
    metavar="FOLDER",
    help="Class probabilities, .npy files (k, [z,] y, x) as predict writes them: ROC, precision "
    "and recall, calibration. Without --predicted, labels are made from them.",
)
@click.option(
    "--threshold",
    type=float,
    metavar="P",
    help="Label class 1 where its probability is at least P (two classes). With --split val the "
    "best one is searched; on other cases it is not.",
)
@click.option("--calibration", is_flag=True, help="Judge the probabilities of a RUN too.")
@click.option("--out", metavar="FOLDER", help="Write a page, scores.json, .csv, .md, .tex here.")
@click.option("--use", metavar="FILE", help="The file with your own network, if RUN uses one.")
@scoring_options
@json_option
@guarded
def evaluate(
    terminal: Terminal,
    run: str | None,
    *,
    truth: str | None,
    predicted: str | None,
    out: str | None,
    use: str | None,
    calibration: bool,
    thumbnails: bool,
    table_format: str,
    as_json: bool,
    **told: Any,
) -> int:
    """Score predictions: a split of a RUN, or any two folders of labels.

    \b
      pixelwise evaluate RUN --split test
      pixelwise evaluate --truth FOLDER --predicted FOLDER --out SCORES
      pixelwise evaluate --truth T --predicted P --annotator T2 --boundary-tolerance auto

    Every mean says what it is over, with a 95 % interval; cases without a value are counted
    beside it, and nothing is dropped silently.
    """
    from pixelwise.commands.evaluate import evaluate as work
    from pixelwise.commands.scoring_options import ScoringOptions

    result = work(
        run,
        truth=truth,
        predicted=predicted,
        options=ScoringOptions(**_options(told)),
        out=out,
        use=use,
        calibration=calibration,
        thumbnails=thumbnails,
        listener=terminal,
    )
    if as_json or table_format == "json":
        print_json(as_plain(result.summary))
    else:
        terminal.show_scores(result, result.split, table_format)
    return 0


@click.command(cls=ScoringCommand)
@click.argument("predictions", nargs=-1, required=True, metavar="[NAME=]FOLDER…")
@click.option("--truth", required=True, metavar="FOLDER", help="Folder of true labels.")
@click.option("--split", help="Compare only this split of the truth's splits.json.")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--out", metavar="FOLDER", help="Write comparison.html, .json, .md, .tex, .csv here.")
@scoring_options
@json_option
@guarded
def compare(
    terminal: Terminal,
    predictions: tuple[str, ...],
    *,
    truth: str,
    seed: int,
    out: str | None,
    thumbnails: bool,
    table_format: str,
    as_json: bool,
    **told: Any,
) -> int:
    """Compare folders of predictions of the same cases: who is better, and is it chance?

    \b
      pixelwise compare A B --truth FOLDER --out COMPARED
      pixelwise compare 'second human=masks2' network=labels --truth masks

    Paired differences with intervals, exact tests corrected for their number, ranks and how
    stable they are; contradictions between metrics are said.
    """
    from dataclasses import replace

    from pixelwise.commands.compare import DEFAULT_OPTIONS
    from pixelwise.commands.compare import compare as work

    result = work(
        _named(predictions),
        truth=truth,
        options=replace(DEFAULT_OPTIONS, **_options(told)),
        seed=seed,
        out=out,
        thumbnails=thumbnails,
        listener=terminal,
    )
    if as_json or table_format == "json":
        print_json(as_plain(result.comparison))
    else:
        terminal.show_comparison(result, table_format)
    return 0


def _options(told: dict[str, Any]) -> dict[str, Any]:
    """Words as the fields of ScoringOptions; what was not said is left to its default."""
    given = {
        key: value
        for key, value in told.items()
        if not (value is None or value is False or value == ())
    }
    if "metrics" in given:
        given["metrics"] = tuple(part.strip() for part in given["metrics"].split(",") if part)
    if "boundary_tolerance" in given:
        given["boundary_tolerance"] = _number_or_word(given["boundary_tolerance"])
    if "spacing" in given:
        given["pixel_size"] = _pixel_size(given.pop("spacing"))
    for key in ("fov", "probabilities"):
        if key in given:
            given[key] = Path(given[key])
    if "annotators" in given:
        given["annotators"] = tuple(Path(folder) for folder in given["annotators"])
    return given


def _number_or_word(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _pixel_size(text: str) -> Any:
    from pixelwise.commands.read_pair import PixelSize
    from pixelwise.core.errors import BadPlan

    found = _SPACING.match(text)
    try:
        steps = tuple(float(part) for part in found.group(1).split(",")) if found else ()
    except ValueError:
        steps = ()
    if not found or not steps or not all(0 < step < float("inf") for step in steps):
        raise BadPlan(
            f"the spacing is {text!r}",
            "positive numbers in the order of the axes and a unit, for example '3,0.5,0.5 mm'",
            "Give the size of a pixel along each axis.",
            code="bad-spacing",
        )
    return PixelSize(steps, found.group(2) or "px", overrides=True)


def _named(predictions: tuple[str, ...]) -> Any:
    """NAME=FOLDER pairs as a mapping, plain folders as a list."""
    from pixelwise.core.errors import BadPlan

    pairs = [text.partition("=") for text in predictions]
    named = ["=" in text and not Path(text).exists() for text in predictions]
    if not any(named):
        return list(predictions)
    names = [
        name.strip() if is_named else Path(text).name
        for (name, _, _), is_named, text in zip(pairs, named, predictions, strict=True)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadPlan(
            f"two predictions are called {twice[0]!r}", "a name for each", "Write NAME=FOLDER.",
            code="duplicate-name",
        )  # fmt: skip
    folders = [
        folder if is_named else text
        for (_, _, folder), is_named, text in zip(pairs, named, predictions, strict=True)
    ]
    return dict(zip(names, folders, strict=True))
