"""Write what `plan` found as a page."""

from __future__ import annotations

from pathlib import Path

from pixelwise.commands.plan import PlanResult
from pixelwise.core.runtime import package_version, usable_memory
from pixelwise.report.plan_page import PlanContent, write_plan_page


def write_page_of_plan(path: str | Path, result: PlanResult) -> None:
    """The page of a plan: time and memory drawn, every choice with its reason. Raises BadOutput."""
    content = PlanContent(
        title=result.dataset.name,
        plan=result.plan,
        times=[(part.name, part.seconds) for part in result.times],
        memory=[(part.name, part.n_bytes) for part in result.memory],
        measurement=result.measurement,
        n_steps=result.expected_steps,
        version=package_version(),
        free_bytes=usable_memory(),
        considered=result.considered,
        probe_seconds=result.probe_seconds,
        notes=result.notes,
    )
    write_plan_page(Path(path), content)
