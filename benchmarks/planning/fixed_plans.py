"""The planner's own choice against six fixed plans: two sets, three seeds, 5 minutes each."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.queue.cells import Cell, Table

BUDGET_SECONDS = 300.0
SEEDS = (0, 1, 2)
PLANNER = "planner"

ROWS: Mapping[str, tuple[str, ...]] = {
    PLANNER: (),
    "unet-16": (
        "network.name=unet", "network.options.width=16", "network.options.depth=4",
        "sampling.patch=[256,256]", "sampling.batch=4",
    ),
    "unet-32": (
        "network.name=unet", "network.options.width=32", "network.options.depth=4",
        "sampling.patch=[256,256]", "sampling.batch=4",
    ),
    "unet-16-small-patches": (
        "network.name=unet", "network.options.width=16", "network.options.depth=4",
        "sampling.patch=[128,128]", "sampling.batch=16",
    ),
    "light-small-patches": (
        "network.name=light", "sampling.patch=[128,128]", "sampling.batch=16",
    ),
    "light-large-batch": (
        "network.name=light", "sampling.patch=[256,256]", "sampling.batch=16",
    ),
    "nnunet-32": (
        "network.name=nnunet", "network.options.width=32", "network.options.stages=7",
        "sampling.patch=[256,256]", "sampling.batch=2",
    ),
}  # fmt: skip
"""What is fixed of each plan; rate, augmentation and schedule follow as for any network."""

SCORES = {"chase-db1": ("mean_dice", "Dice"), "camvid": ("mean_iou", "mIoU")}
"""Data set -> key of its score on the validation split, and its name."""

PAGE = "docs/planning_results.md"

Result = Mapping[str, Any]


def main_score(result: Result) -> float:
    """The validation score that stands for a result."""
    return float(result["validation"][SCORES[result["cell"]["data"]][0]])


def render(results: Sequence[Result]) -> Mapping[str, str]:
    """File names (from the top of the project) and their content."""
    parts = [
        "# The planner against fixed plans",
        "Each plan was trained for 5 minutes, counted in steps that a quiet machine takes in this "
        "time, with three seeds. Scores are of the validation split; test splits were not touched. "
        "Written by `python -m benchmarks.queue table planning`.",
    ]
    for data, (_, name) in SCORES.items():
        rows = {row: [r for r in results if _is_of(r, data, row)] for row in ROWS}
        if any(rows.values()):
            parts += [f"## {data}", _table(rows, name), _verdict(rows, data)]
    if len(parts) == 2:
        parts.append("No cell of this table has finished yet.")
    return {PAGE: "\n\n".join(parts) + "\n"}


def _is_of(result: Result, data: str, row: str) -> bool:
    return bool(result["cell"]["data"] == data and result["cell"]["row"] == row)


def _table(rows: Mapping[str, Sequence[Result]], name: str) -> str:
    lines = [f"| plan | {name}, mean | by seed | steps |", "|---|---|---|---|"]
    for row, found in rows.items():
        if found:
            scores = [main_score(result) for result in found]
            by_seed = ", ".join(f"{score:.4f}" for score in scores)
            steps = ", ".join(f"{result['steps']:,}" for result in found)
            lines.append(f"| {row} | {statistics.mean(scores):.4f} | {by_seed} | {steps} |")
    return "\n".join(lines)


def _verdict(rows: Mapping[str, Sequence[Result]], data: str) -> str:
    """Whether the planner's choice is as good as the best fixed plan within the seed spread."""
    scores = {row: [main_score(r) for r in found] for row, found in rows.items() if found}
    own = scores.pop(PLANNER, [])
    if len(own) < len(SEEDS) or not scores:
        return "Not all cells are done yet."
    best = max(scores, key=lambda row: statistics.mean(scores[row]))
    spread = max(max(values) - min(values) for values in (own, scores[best]))
    behind = statistics.mean(scores[best]) - statistics.mean(own)
    holds = "at least as good as" if behind <= spread else "worse than"
    return (
        f"On {data} the planner's choice is {holds} the best fixed plan, {best}, within the spread "
        f"of the seeds: {behind:+.4f} behind it, spread {spread:.4f}."
    )


TABLE = Table(
    "planning",
    [
        Cell("planning", row, data, BUDGET_SECONDS, settings, seed)
        for seed in SEEDS
        for data in SCORES
        for row, settings in ROWS.items()
    ],
    render,
)
