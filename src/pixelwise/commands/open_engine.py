"""The engine that a user asked for by name, or the one that was measured to be best here."""

from __future__ import annotations

from torch import nn

from pixelwise.commands.choose_engine import choose_engine
from pixelwise.commands.run_engines import (
    SHORT,
    OpenedEngine,
    RunEngines,
    check_engine_name,
)
from pixelwise.core.plan import Plan
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.runtime import has_bfloat16
from pixelwise.runs.engine_choice import valid_engine_choice
from pixelwise.runs.folder import RunFolder

AUTO, TRAINED = "auto", "trained"


def open_engine(
    name: str, run: RunFolder, plan: Plan, network: nn.Module, *, listener: Listener = SILENT
) -> OpenedEngine:
    """An engine of a run, and the sizes that it takes.

    name: "trained" for PyTorch in the arithmetic of the training (float32 where this processor
    lacks it), "auto" for the verdict of `choose_engine`, which is measured now if there is
    none for this machine, a library alone ("onnx": float32), or library and precision.
    Raises: UnknownName for another name, MissingExtra, BadPlan for a missing precision.
    """
    if name == TRAINED:
        is_half = plan.training.precision == "bfloat16" and has_bfloat16()
        full = "torch-bfloat16" if is_half else "torch-float32"
    elif name == AUTO:
        full = _best(run, listener)
    else:
        full = SHORT.get(name, name)
    check_engine_name(full)
    return RunEngines(run, plan, network).open(full)


def _best(run: RunFolder, listener: Listener) -> str:
    choice = valid_engine_choice(run)
    if choice is None:
        listener.say("No engine was chosen for this run on this machine yet: measuring now")
        choice = choose_engine(run.path, listener=listener)
    figures = choice.figures(choice.chosen)
    took = f"{figures.milliseconds:.0f} ms a tile" if figures and figures.milliseconds else ""
    fall = f", Dice {-figures.fall:+.4f}" if figures and figures.fall is not None else ""
    listener.say(f"Engine {choice.chosen}: {took}{fall} (RUN/engine.json has all figures)")
    return choice.chosen
