"""What the commands of the command line share: options, errors as sentences, JSON."""

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

INTERRUPTED = 130


def guarded(command: Command) -> Command:
    """Problems are printed as sentences on standard error; the exit code says whose they are."""

    @functools.wraps(command)
    def run(*args: Any, as_json: bool = False, **kwargs: Any) -> None:
        terminal = Terminal(is_quiet=as_json)
        try:
            code = command(terminal, *args, as_json=as_json, **kwargs)
        except UserError as error:
            terminal.close()
            if as_json:
                print_json({"problems": [_problem_entry(p) for p in error.problems]})
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


def data_options(command: Command) -> Command:
    """The options of every command that reads a data set."""
    options = (
        click.option(
            "--group",
            metavar="PATTERN",
            help="Cases of one group stay in one split: a "
            "regular expression with one group on the stem, or column:NAME of "
            "metadata.csv.",
        ),
        click.option(
            "--map",
            "label_map",
            metavar="MAP",
            help="What stored mask values mean, for example 0=background,255=cell or '>=128=cell'.",
        ),
        click.option(
            "--allow-unpaired",
            is_flag=True,
            help="Leave out images without a mask, and "
            "masks without an image, instead of stopping.",
        ),
        click.option("--seed", default=0, show_default=True, help="Of everything that is drawn."),
    )
    for option in reversed(options):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
planner_option = click.option(
    "--planner",
    type=click.Choice(["own", "nnunet", "nnunet-2d", "nnunet-3d-lowres"]),
    default="own",
    show_default=True,
    help="own: the widest network that gets enough steps here in the time. nnunet: what nnU-Net "
    "would plan for a graphics card (2d for pictures, 3d_fullres for volumes), or one of its "
    "other configurations.",
)
memory_option = click.option(
    "--memory",
    metavar="SIZE",
    help="Memory that a training may take, for example 4GB.  [default: what is free; with "
    "--planner nnunet that of the graphics card to plan for, 8GB]",
)
use_option = click.option(
    "--use", metavar="FILE", help="A Python file with your own network or loss."
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="A.B=C",
    help="Change a field of the plan, for example network.options.width=24. "
    "Can be given several times.",
)


def print_json(content: Any) -> None:
    """A result on standard output as JSON."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _problem_entry(problem: Problem) -> dict[str, str]:
    return {
        "severity": problem.severity,
        "code": problem.code,
        "path": problem.path,
        "what": problem.what,
        "expected": problem.expected,
        "remedy": problem.remedy,
    }


def as_plain(value: Any) -> Any:
    """Records, plans, paths and tuples as what JSON knows."""
    from pixelwise.core.json_form import as_json_value

    return as_json_value(value)
