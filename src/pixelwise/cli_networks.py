"""Commands that explain networks: inspect."""

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
