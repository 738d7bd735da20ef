"""Starting a training from another run: which one, and what is taken over from its plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelwise.core.errors import BadPlan, BadRun
from pixelwise.core.plan import Plan
from pixelwise.planning.optimizer_choice import GENTLER
from pixelwise.runs.folder import RunFolder, open_run


def find_source(start_from: str | Path | None) -> RunFolder | None:
    """The run whose weights to start from, None if none was asked for. Raises BadRun."""
    if start_from is None:
        return None
    source = open_run(Path(start_from))
    if not (source.path / "network.safetensors").exists():
        raise BadRun(
            "it has no weights to start from",
            "a run that was trained",
            "Choose another --from.",
            path=source.path,
            code="missing-weights",
        )
    return source


def settings_of(source: RunFolder | None) -> tuple[str, ...]:
    """A run that starts from another keeps its network, and takes gentler steps."""
    if source is None:
        return ()
    plan = source.read_plan()
    options = [
        f"network.options.{key}={_as_json(value)}" for key, value in plan.network.options.items()
    ]
    rate = plan.optimizer.learning_rate / GENTLER
    return (f"network.name={plan.network.name}", *options, f"optimizer.learning_rate={rate}")


def refuse_two_starts(source: RunFolder | None, plan: Plan) -> None:
    """Raise BadPlan if a training should start from a run and from published weights."""
    if source is not None and plan.network.weights is not None:
        raise BadPlan(
            f"the training should start from the run {source.path} and from the published "
            f"weights {plan.network.weights}",
            "one start",
            "Leave --from out, or set network.weights=null.",
            code="two-starts",
        )


def _as_json(value: Any) -> str:
    return json.dumps(value)
