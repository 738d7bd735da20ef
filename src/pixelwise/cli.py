"""Words become arguments: the command `pixelwise` and its subcommands."""

from __future__ import annotations

import click

from pixelwise.cli_data import check, plan
from pixelwise.cli_networks import inspect
from pixelwise.cli_prediction import choose_engine, export, predict
from pixelwise.cli_scoring import compare, evaluate
from pixelwise.cli_training import demo, report, train

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


for command in (
    check, plan, train, predict, choose_engine, export, evaluate, compare, inspect, report, demo,
):  # fmt: skip
    main.add_command(command)
