"""One cell with pixelwise's own training, in a process of its own.

python -m benchmarks.queue.own_training measure|time|run REQUEST.json ANSWER.json
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pixelwise.commands.check import check
from pixelwise.commands.plan import plan as make_plan
from pixelwise.commands.train import train
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.runtime import MEMORY_FORMATS, environment, lay_out, use_threads
from pixelwise.explanation.receptive import receptive_field
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.planning.plan_file import load_plan, save_plan
from pixelwise.runs.folder import RunFolder
from pixelwise.tasks import build_task

INTERVALS = 3
"""So many stretches of training, of 5 s or one step each, are timed; the fastest counts."""

_LABEL_SECONDS = 3.0


@contextmanager
def _alone() -> Iterator[None]:
    """The processor for this process alone, where the system permits it, whatever the load is."""
    is_permitted = _schedule(os.SCHED_FIFO, 1)
    try:
        yield
    finally:
        if is_permitted:
            _schedule(os.SCHED_OTHER, 0)


def _schedule(policy: int, priority: int) -> bool:
    """Set how all threads of this process are scheduled; whether that was permitted."""
    try:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))
    except (OSError, AttributeError):
        return False
    return True


class _StopAfter:
    """A listener that asks the training to stop, as Ctrl-C does, after some intervals."""

    def __init__(self, n_intervals: int) -> None:
        self.left = n_intervals

    def say(self, text: str) -> None:
        """Keep a sentence in the log."""
        print(text, file=sys.stderr, flush=True)

    def advance(self, done: float, total: float, text: str) -> None:
        """Count the intervals of training, which report a loss."""
        if "loss" not in text:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


class _Log:
    """A listener that writes every line to standard error."""

    def say(self, text: str) -> None:
        """Keep a sentence in the log."""
        print(text, file=sys.stderr, flush=True)

    def advance(self, done: float, total: float, text: str) -> None:
        """Keep the progress in the log."""
        print(f"{done}/{total} {text}", file=sys.stderr, flush=True)


def measure(request: dict[str, Any], work: Path) -> dict[str, Any]:
    """Plan for this machine, then time real training steps and the labelling of an image."""
    cell, data = request["cell"], Path(request["data"])
    settings = tuple(cell["settings"])
    budget = float(cell["budget_seconds"])
    result = make_plan(data, budget=budget, settings=settings, seed=cell["seed"])
    shape = list(result.facts.median_shape)
    times = _take_times(result.plan, data, work, shape)
    steps = max(1, int(budget / times["step_seconds"]))
    stored = result.plan.model_dump(mode="json")
    stored["training"] |= {"steps": steps, "budget_seconds": None, "validation_cases": 0}
    stored["data"]["splits"] = {name: len(ids) for name, ids in result.plan.data.splits.items()}
    stored.pop("reasons")
    reasons = [choice.model_dump() for choice in result.plan.reasons]
    return {"plan": stored, "reasons": reasons, "steps": steps, "image_shape": shape} | times


def retime(request: dict[str, Any], work: Path) -> dict[str, Any]:
    """Time a cell anew, for the plan that it has: plan, steps and results stay."""
    quiet, data = request["quiet"], Path(request["data"])
    plan = _filled_plan(request, work)
    return dict(quiet) | _take_times(plan, data, work, quiet["image_shape"])


def _take_times(plan: Plan, data: Path, work: Path, shape: list[int]) -> dict[str, Any]:
    """Seconds of a training step, drawing of patches included, and of labelling an image."""
    update = {"steps": 1_000_000, "budget_seconds": None, "validation_cases": 0}
    endless = plan.model_copy(update={"training": plan.training.model_copy(update=update)})
    save_plan(work / "plan.json", endless)
    with _alone():
        train(
            data,
            run=work / "measured",
            plan=work / "plan.json",
            overwrite=True,
            thumbnails=False,
            listener=_StopAfter(INTERVALS),
        )
        milliseconds = _label_milliseconds(plan, tuple(shape))
    rate = max(record.images_per_second for record in RunFolder(work / "measured").read_history())
    return {
        "step_seconds": plan.sampling.batch / rate,
        "patches_per_second": rate,
        "milliseconds_per_image": milliseconds,
    }


def run(request: dict[str, Any], work: Path) -> dict[str, Any]:
    """Train by the measured plan and score the validation split."""
    quiet, data = request["quiet"], Path(request["data"])
    plan = _filled_plan(request, work)
    result = train(
        data,
        run=work / "run",
        plan=work / "plan.json",
        overwrite=True,
        thumbnails=False,
        listener=_Log(),
    )
    if not result.is_finished or result.validation is None:
        raise SystemExit("the training did not come to its end")
    history = RunFolder(work / "run").read_history()
    network = _build(plan)
    field = receptive_field(network, network_input(plan)[1], network_input(plan)[0])
    overall = {key: value for key, value in result.validation.overall.items() if value is not None}
    return {
        "steps": result.steps,
        "training_seconds": result.seconds,
        "validation": overall,
        "n_validation_cases": result.validation.n_cases,
        "class_dice": _class_dice(result.validation),
        "losses": [round(record.loss, 4) for record in _thinned(history)],
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "receptive_field": list(field.sizes) if field.sizes else None,
        "plan": {k: v for k, v in quiet["plan"].items() if k != "data"},
        "versions": environment(),
    }


def _filled_plan(request: dict[str, Any], work: Path) -> Plan:
    """The measured plan with the cases of the splits, which are not stored; also as plan.json."""
    dataset = check(request["data"], seed=request["cell"]["seed"]).dataset
    if dataset is None:
        raise SystemExit(f"{request['data']}: the data set could not be read")
    content = dict(request["quiet"]["plan"])
    splits = {
        name: [case.id for case in dataset.cases if case.split == name]
        for name in content["data"]["splits"]
    }
    content["data"] = content["data"] | {"splits": splits}
    (work / "plan.json").write_text(json.dumps(content), encoding="utf-8")
    return load_plan(work / "plan.json")


def _build(plan: Plan) -> torch.nn.Module:
    task = build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
    io = NetworkIO(*network_input(plan), task.n_outputs)
    return build_network(plan.network.name, io, dict(plan.network.options))


def _label_milliseconds(plan: Plan, shape: tuple[int, ...]) -> float:
    """One pass of the network over a whole image, mirrored as far as it needs, as planned."""
    training = plan.training
    use_threads(training.threads)
    n_dims, n_channels = network_input(plan)
    network = _build(plan).eval()
    layout = MEMORY_FORMATS[training.memory_format, n_dims]
    lay_out(network, layout)
    field = field_of(network)
    sizes = [field.valid_size(length + 2 * field.margin) for length in shape[-n_dims:]]
    image = torch.randn((1, n_channels, *sizes)).contiguous(memory_format=layout)
    seconds: list[float] = []
    until = time.monotonic() + _LABEL_SECONDS
    is_bfloat16 = training.precision == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
        while len(seconds) < 4 or time.monotonic() < until:
            started = time.perf_counter()
            network(image)
            seconds.append(time.perf_counter() - started)
    return 1000 * math.prod(shape[:-n_dims]) * min(seconds)


def _class_dice(summary: Any) -> dict[str, float | None]:
    return {summary.class_names[m.class_id]: m.mean for m in summary.metrics if m.metric == "dice"}


def _thinned(history: Any) -> Any:
    return history[:: max(1, len(history) // 20)]


def main() -> None:
    """Read the request, do the work, write the answer."""
    verb, request_path, answer_path = sys.argv[1:]
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer = {"measure": measure, "time": retime, "run": run}[verb](request, Path(request["work"]))
    Path(answer_path).write_text(json.dumps(answer, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
