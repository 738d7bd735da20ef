"""What was measured of the engines of a run: time of a tile, Dice against float32 in PyTorch."""

from __future__ import annotations

from markupsafe import Markup

from pixelwise.report.elements import Column, element, joined, table
from pixelwise.runs.engine_choice import EngineChoice, EngineFigures

HEADER = ("Engine", "ms a tile", "Dice", "Change", "Worst class", "Equal pixels", "Verdict")


def engine_rows(choice: EngineChoice) -> list[tuple[str, ...]]:
    """One row of words for each engine, the fastest first; what was not measured is empty."""
    order = sorted(choice.engines, key=lambda found: found.milliseconds or float("inf"))
    return [_row(found, choice.chosen) for found in order]


def engine_sentence(choice: EngineChoice) -> str:
    """What was chosen, where, and on what it rests."""
    machine = choice.machine
    shape = " x ".join(str(size) for size in choice.tile)
    return (
        f"Chosen: {choice.chosen}, on {machine.processor} with {machine.cores} cores; one tile "
        f"of {shape}, {choice.n_cases} validation cases, int8 calibrated on "
        f"{choice.n_calibration} tiles of training cases."
    )


def engine_section(choice: EngineChoice) -> Markup:
    """Sentence and table for a page."""
    columns = tuple(Column(name) for name in HEADER)
    rows = [list(row) for row in engine_rows(choice)]
    return joined(
        [
            element("p", engine_sentence(choice)),
            table(columns, rows, caption="Engines measured on this machine"),
        ]
    )


def _row(found: EngineFigures, chosen: str) -> tuple[str, ...]:
    verdict = "chosen" if found.name == chosen else "right" if found.is_accepted else ""
    worst = "" if found.worst_fall is None else f"{-found.worst_fall:+.4f}"
    return (
        found.name,
        "" if found.milliseconds is None else f"{found.milliseconds:.0f}",
        "" if found.dice is None else f"{found.dice:.4f}",
        "" if found.fall is None else f"{-found.fall:+.4f}",
        f"{worst} {found.worst_class}".strip(),
        "" if found.agreement is None else f"{found.agreement:.4%}",
        verdict or found.note,
    )
