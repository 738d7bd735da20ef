"""Commands that explain networks: inspect."""

from __future__ import annotations

from typing import Any

import click

from pixelwise.cli_options import (
    as_plain,
    guarded,
    json_option,
    print_json,
    use_option,
)
from pixelwise.terminal import Terminal


@click.command()
@click.argument("networks", nargs=-1, metavar="WHAT [OTHER]...")
@click.option("--input", metavar="SIZE", help="Rows, columns and channels, for example 572x572x1.")
@click.option(
    "--pixel", metavar="Y,X", help="An output pixel: what it sees, and what is under it changes."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of WHAT, for example skip=none. Can be given several times.",
)
@click.option("--data", metavar="DATA", help="A data set whose objects to set the sight against.")
@click.option(
    "--compare",
    multiple=True,
    metavar="OTHER...",
    help="What to set beside it, in one table and chart.",
)
@click.option("--measure", is_flag=True, help="Also time it here and try it on noise.")
@click.option("--out", metavar="FILE", help="Write a page with the drawing to this file.")
@click.option("--overwrite", is_flag=True, help="Replace the page if it is there already.")
@use_option
@json_option
@guarded
def inspect(
    terminal: Terminal,
    networks: tuple[str, ...],
    *,
    compare: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Explain a network: WHAT is a network's name, a plan file or a run.

    Layers with sizes, weights and cost, which inputs are allowed and what comes out, how far
    an output pixel can see. Options of a network can stand behind its name, as in
    unet:skip=none,width=16. Every OTHER is set beside it.

    \b
    pixelwise inspect unet-paper --input 572x572x1 --pixel 0,0
    pixelwise inspect unet --compare light segnet unet:skip=none --measure --out page.html
    pixelwise inspect runs/cells --data DATA
    """
    from pixelwise.commands.inspect import inspect as work
    from pixelwise.commands.inspect_text import inspection_text

    names = (*networks[:1], *compare, *networks[1:])
    if not names:
        raise click.UsageError("Name a network, a plan file or a run.")
    result = work(names[0], compare=names[1:], listener=terminal, **options)
    if as_json:
        print_json(as_plain(result))
    else:
        terminal.print_line(inspection_text(result))
    return 0
