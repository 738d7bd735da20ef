"""train: a folder of images and masks becomes a validated network with a report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixelwise.commands.plan import PlanResult
from pixelwise.commands.plan import plan as make_plan
from pixelwise.commands.published_start import start_from_published
from pixelwise.commands.run_cases import split_cases
from pixelwise.commands.score_run import score_run
from pixelwise.commands.source_run import find_source, refuse_two_starts, settings_of
from pixelwise.commands.time_budget import Clock, note_cost, tail_seconds
from pixelwise.commands.training_cases import make_loss, make_sampler
from pixelwise.commands.validate import Validator, prepare_scoring
from pixelwise.commands.write_page import write_page
from pixelwise.core.errors import BadPlan
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.quantities import format_bytes, format_duration
from pixelwise.core.records import Facts, IntervalRecord, Summary
from pixelwise.core.runtime import environment, seed_everything, use_threads
from pixelwise.core.stopping import StopRequest
from pixelwise.core.user_parts import load_user_parts
from pixelwise.learning.first_filters import centre_first_filters
from pixelwise.learning.fit import Until, fit
from pixelwise.learning.prior_biases import start_from_shares
from pixelwise.learning.state import TrainingState, restore_state, start_state, state_tensors
from pixelwise.learning.transfer import load_matching
from pixelwise.networks import NetworkIO, build_network
from pixelwise.planning.candidate import describe_network
from pixelwise.planning.nnunet_proposal import Planner
from pixelwise.runs.folder import RunFolder, create_run, open_run, require_free
from pixelwise.tasks import build_task

INTERVAL_SECONDS = 5.0
SAVE_SECONDS = 20.0
"""A crash loses at most this much and one interval."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training left behind."""

    run: Path
    report: Path
    is_finished: bool
    steps: int
    seconds: float
    validation: Summary | None


def train(
    data: str | Path | None = None,
    *,
    run: str | Path,
    budget: str | float | None = None,
    plan: str | Path | None = None,
    planner: Planner = "own",
    memory: str | int | None = None,
    settings: Sequence[str] = (),
    use: str | Path | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    group: str | None = None,
    label_map: str | None = None,
    allow_unpaired: bool = False,
    seed: int = 0,
    thumbnails: bool = True,
    listener: Listener = SILENT,
) -> TrainResult:
    """Train, validate and report within a time budget; everything lands in the run folder.

    budget: wall-clock time of the whole command ("30s", "10m", "2h"; default: the given
    plan's, else 10 minutes); a fixed number of steps (settings=["training.steps=200"], or a
    finished run's plan.json) ignores it. planner, memory: as for `plan`.
    resume: go on with the run in `run`. start_from: a run whose weights to start from.
    use: a Python file with the user's own network or loss.
    Raises UserError with every problem at once before anything is written.
    """
    started = time.monotonic()
    if use is not None:
        load_user_parts(Path(use))
    prepare_scoring(listener)
    if resume:
        folder = open_run(Path(run))
        left = _left_of_budget(folder)
        listener.say(f"Going on with {run}")
        return _run_training(folder, Clock(started, left), True, None, use, thumbnails, listener)
    if data is None:
        raise BadPlan("there is no data to train on", "a folder of images and masks", "Name it.")
    require_free(Path(run), overwrite=overwrite)
    source = find_source(start_from)
    proposal = make_plan(
        data,
        budget=budget,
        plan=plan,
        planner=planner,
        memory=memory,
        settings=(*settings_of(source), *settings),
        use=use,
        group=group,
        label_map=label_map,
        allow_unpaired=allow_unpaired,
        seed=seed,
        listener=listener,
    )
    refuse_two_starts(source, proposal.plan)
    folder = create_run(Path(run), overwrite=overwrite)
    _store_inputs(folder, proposal)
    for sentence in (*proposal.notes, _announce(proposal)):
        listener.say(sentence)
    section = proposal.plan.training
    clock = Clock(started, None if section.steps is not None else section.budget_seconds)
    return _run_training(folder, clock, False, source, use, thumbnails, listener)


def _run_training(
    folder: RunFolder,
    clock: Clock,
    is_resumed: bool,
    source: RunFolder | None,
    use: str | Path | None,
    thumbnails: bool,
    listener: Listener,
) -> TrainResult:
    plan, facts = folder.read_plan(), folder.read_facts()
    thumbnails = thumbnails and bool(folder.read_status().get("thumbnails", True))
    folder.save_status("started", thumbnails=thumbnails)
    use_threads(plan.training.threads)
    state = _start(plan, folder, is_resumed, source, listener)
    validator = Validator(plan, split_cases(folder, plan, "val"))
    tail = tail_seconds(folder, plan, facts, clock)
    deadline = clock.deadline(tail)
    if not plan.training.pace and not is_resumed and deadline is not None:
        step_seconds = float(folder.read_status().get("step_seconds", 1.0))
        state.pace = ((0, max(1, int((deadline - time.monotonic()) / step_seconds))),)
    with StopRequest() as stop:
        _fit_and_save(folder, plan, facts, state, validator, deadline, stop, listener)
    is_finished = not stop.is_set
    plan = _as_taken(plan, state) if is_finished else plan
    folder.save_plan(plan)
    folder.save_weights(state.averaged.state_dict())
    if not is_finished:
        folder.save_status("stopped", step=state.step)
        note_cost(folder, clock)
        page = write_page(folder.path, thumbnails=thumbnails)
        return TrainResult(folder.path, page, False, state.step, state.seconds, None)
    folder.save_status("finished", step=state.step)
    listener.say("Scoring the validation cases …")
    result = score_run(
        folder.path, split="val", use=use, deadline=clock.deadline(0.0), listener=listener
    )
    _note_unscored(folder, plan, result.summary.n_cases)
    note_cost(folder, clock)
    page = write_page(folder.path, thumbnails=thumbnails)
    return TrainResult(folder.path, page, True, state.step, state.seconds, result.summary)


def _fit_and_save(
    folder: RunFolder,
    plan: Plan,
    facts: Facts,
    state: TrainingState,
    validator: Validator,
    deadline: float | None,
    stop: StopRequest,
    listener: Listener,
) -> None:
    sampler = make_sampler(plan, split_cases(folder, plan, "train"), facts)
    loss_function = make_loss(plan, facts)
    history = [record for record in folder.read_history() if record.step <= state.step]
    saved = time.monotonic()
    for record in fit(
        state,
        sampler.draw,
        loss_function,
        plan.optimizer,
        Until(plan.training.steps, deadline, lambda: stop.is_set),
        interval_seconds=INTERVAL_SECONDS,
    ):
        score = validator.score_if_due(state.averaged, record, deadline)
        record = record.model_copy(update={"validation_score": score})
        history.append(record)
        listener.advance(record.step, record.n_steps, _describe(record, history))
        if time.monotonic() - saved >= SAVE_SECONDS or stop.is_set:
            _save(folder, state, history)
            saved = time.monotonic()
    _save(folder, state, history)


def _save(folder: RunFolder, state: TrainingState, history: Sequence[IntervalRecord]) -> None:
    tensors, numbers = state_tensors(state)
    folder.save_training(tensors, numbers)
    folder.save_history(history)


def _start(
    plan: Plan,
    folder: RunFolder,
    is_resumed: bool,
    source: RunFolder | None,
    listener: Listener,
) -> TrainingState:
    seed_everything(plan.training.seed)
    task = build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
    io = NetworkIO(*network_input(plan), task.n_outputs)
    network = build_network(plan.network.name, io, dict(plan.network.options))
    if source is not None:
        listener.say(load_matching(network, source.read_weights()))
    elif plan.network.weights is None:
        centre_first_filters(network)
        if task.overlaps:
            shares = [entry.share for entry in folder.read_facts().classes]
            start_from_shares(network, io.in_channels, io.n_dims, shares)
    elif not (is_resumed and folder.has_training()):
        start_from_published(network, plan, folder, listener)
    state = start_state(network, plan.optimizer, plan.training, n_dims=io.n_dims)
    if is_resumed and folder.has_training():
        restore_state(state, *folder.read_training())
    elif is_resumed:
        listener.say("No state was saved yet: starting at step 0")
    return state


def _store_inputs(folder: RunFolder, proposal: PlanResult) -> None:
    folder.save_plan(proposal.plan)
    folder.save_facts(proposal.facts)
    folder.save_data(proposal.dataset)
    folder.save_environment(environment())
    folder.save_status(
        "started",
        step_seconds=proposal.measurement.step_seconds,
        pixels_per_second=proposal.measurement.pixels_per_second,
        expected_bytes=proposal.expected_bytes,
        planned_steps=proposal.expected_steps,
        problems=[asdict(p) for p in proposal.problems],
        notes=list(proposal.notes),
    )


def _as_taken(plan: Plan, state: TrainingState) -> Plan:
    """The plan with the steps really taken and the pace of its schedule: it repeats the run."""
    update: dict[str, Any] = {"steps": max(state.step, 1), "pace": state.pace}
    return plan.model_copy(update={"training": plan.training.model_copy(update=update)})


def _left_of_budget(folder: RunFolder) -> float | None:
    plan = folder.read_plan()
    if plan.training.steps is not None or plan.training.budget_seconds is None:
        return None
    if not folder.has_training():
        return plan.training.budget_seconds
    _, numbers = folder.read_training()
    return max(plan.training.budget_seconds - float(numbers["seconds"]), 10.0)


def _note_unscored(folder: RunFolder, plan: Plan, n_scored: int) -> None:
    n_cases = len(plan.data.splits.get("val", ()))
    if n_scored < n_cases:
        notes = list(folder.read_status().get("notes", ()))
        notes.append(
            f"Only {n_scored} of {n_cases} validation cases were scored: there was no time left "
            f"for the others. `pixelwise evaluate {folder.path} --split val` scores all."
        )
        folder.save_status("finished", notes=notes)


def _announce(proposal: PlanResult) -> str:
    plan, measured = proposal.plan, proposal.measurement
    return (
        f"Training {describe_network(plan.network)} with {measured.n_parameters:,} weights on "
        f"{len(plan.data.splits['train'])} cases: about {proposal.expected_steps:,} steps of "
        f"{plan.sampling.batch} patches, {format_duration(proposal.expected_seconds)} in all, "
        f"about {format_bytes(proposal.expected_bytes)} of memory"
    )


def _describe(record: IntervalRecord, history: Sequence[IntervalRecord]) -> str:
    scores = [r.validation_score for r in history if r.validation_score is not None]
    shown = f", validation {scores[-1]:.3f}" if scores else ""
    return f"loss {record.loss:.3f}{shown}"
