"""Commands that train: train, report, demo."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    INTERRUPTED,
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
@planner_option
@memory_option
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


@click.command()
@click.argument("run")
@click.option("--thumbnails/--no-thumbnails", default=True, help="Whether to show pictures.")
@guarded
def report(terminal: Terminal, run: str, *, thumbnails: bool, as_json: bool) -> int:
    """Write RUN/report.html anew."""
    from pixelwise.commands.write_page import write_page as work

    terminal.print_line(str(work(run, thumbnails=thumbnails)))
    return 0


@click.command()
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
