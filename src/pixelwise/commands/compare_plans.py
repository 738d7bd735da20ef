"""plan --diff: two plans side by side, field by field."""

from __future__ import annotations

from pathlib import Path

from pixelwise.core.errors import Problem, UserError, raise_errors
from pixelwise.core.plan import Plan
from pixelwise.planning.plan_diff import Difference, diff_plans
from pixelwise.planning.plan_file import load_plan


def compare_plans(first: str | Path, second: str | Path) -> tuple[Difference, ...]:
    """What differs between two plan files, or between the plans of two runs.

    Raises UserError with the problems of both if they cannot be read.
    """
    plans: list[Plan] = []
    problems: list[Problem] = []
    for name in (first, second):
        try:
            plans.append(_open(Path(name)))
        except UserError as error:
            problems += error.problems
    raise_errors(problems)
    return diff_plans(plans[0], plans[1])


def _open(path: Path) -> Plan:
    return load_plan(path / "plan.json" if path.is_dir() else path)
