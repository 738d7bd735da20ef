"""The training loop: a generator that makes a network better and says how it goes."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pixelwise.core.errors import UserError
from pixelwise.core.plan import OptimizerSection
from pixelwise.core.records import IntervalRecord
from pixelwise.data.patches import Batch
from pixelwise.learning.schedule import TimeLine, learning_rate_at, progress_at, steer
from pixelwise.learning.state import TrainingState, update_average
from pixelwise.networks import training_loss

LossFunction = Callable[..., Tensor]
"""(logits, target, valid[, maps], [annotated=]) -> scalar: see `learning.objective`."""

_SKIPS_UNTIL_DIVERGED = 20

_RECENT_STEPS = 9
"""The time of a step is the median over this many: a stall does not change it."""


@dataclass(frozen=True, slots=True)
class Until:
    """When a training ends: after a number of steps, else at a time, or when asked to stop.

    deadline: on `time.monotonic`; a step that would end after it is not begun. should_stop is
    asked after every step.
    """

    n_steps: int | None = None
    deadline: float | None = None
    should_stop: Callable[[], bool] = lambda: False

    def is_reached(self, state: TrainingState, step_seconds: float = 0.0) -> bool:
        """Whether the state has come to the end. step_seconds: that another step would take."""
        if self.should_stop():
            return True
        if self.n_steps is not None:
            return state.step >= self.n_steps
        if self.deadline is not None:
            return time.monotonic() + step_seconds >= self.deadline
        return state.step >= state.pace[-1][1]


def fit(
    state: TrainingState,
    draw: Callable[[int], Batch],
    loss_function: LossFunction,
    section: OptimizerSection,
    until: Until,
    *,
    interval_seconds: float = 10.0,
) -> Iterator[IntervalRecord]:
    """Train until the end that is given.

    Yields a record every `interval_seconds` and at the end; between two of them the caller
    may save, validate or stop. With a deadline the schedule follows the clock, the caller's own
    time included: how far it is depends on the time that has gone by, not on a guess of steps.
    Raises UserError if the loss stays non-finite.
    """
    state.network.train()
    started = time.monotonic()
    clock = _Clock(state, until, started)
    seconds_before = state.seconds
    while not until.is_reached(state, clock.step_seconds):
        mark, since = state.step, time.monotonic()
        losses: list[float] = []
        while not until.is_reached(state, clock.step_seconds):
            batch = draw(state.step)
            losses.append(_take_step(state, batch, loss_function, section))
            clock.note_step(state)
            if time.monotonic() - since >= interval_seconds:
                break
        now = time.monotonic()
        state.seconds = seconds_before + now - started
        state.losses = losses[-50:]
        batch_rate = (state.step - mark) / max(now - since, 1e-9)
        finite = [value for value in losses if math.isfinite(value)]
        yield IntervalRecord(
            step=state.step,
            n_steps=clock.last_step(state),
            seconds=state.seconds,
            loss=sum(finite) / max(len(finite), 1),
            learning_rate=learning_rate_at(progress_at(state.step, state.pace), section),
            images_per_second=batch_rate * batch.images.shape[0],
        )
        state.seconds = seconds_before + time.monotonic() - started
        state.network.train()
        clock.go_on()


class _Clock:
    """Keeps the schedule of a training with a deadline on time; does nothing without one."""

    def __init__(self, state: TrainingState, until: Until, started: float) -> None:
        self._until = until
        self._recent: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._since = started
        self._line = None
        if until.deadline is not None and until.n_steps is None:
            done = progress_at(state.step, state.pace)
            self._line = TimeLine(started, until.deadline, done)

    @property
    def step_seconds(self) -> float:
        """What a step takes at present, 0 before the first: the median of the last ones."""
        return statistics.median(self._recent) if self._recent else 0.0

    def note_step(self, state: TrainingState) -> None:
        """A step was taken: if the schedule has left the clock, it is brought back to it."""
        now = time.monotonic()
        self._recent.append(now - self._since)
        self._since = now
        if self._line is not None:
            state.pace = steer(state.pace, state.step, self._line, now, self.step_seconds)

    def go_on(self) -> None:
        """The time since the last step was the caller's."""
        self._since = time.monotonic()

    def last_step(self, state: TrainingState) -> int:
        """The step at which the training is expected to end."""
        if self._until.n_steps is not None:
            return self._until.n_steps
        if self._line is None:
            return state.pace[-1][1]
        left = max(self._line.deadline - time.monotonic(), 0.0)
        return state.step + int(left / max(self.step_seconds, 1e-9))


def _take_step(
    state: TrainingState, batch: Batch, loss_function: LossFunction, section: OptimizerSection
) -> float:
    rate = learning_rate_at(progress_at(state.step, state.pace), section)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    device = state.fabric.device
    images = batch.images.to(device, memory_format=state.memory_format)
    outputs = state.forward(images)
    if batch.annotated is not None:
        loss_function = partial(loss_function, annotated=batch.annotated.to(device))
    planes = [plane.to(device) for plane in batch.planes]
    loss = training_loss(loss_function, outputs, *_cut_to_centre(outputs, planes))
    state.optimizer.zero_grad(set_to_none=True)
    state.fabric.backward(loss)
    norm = torch.nn.utils.clip_grad_norm_(state.network.parameters(), section.gradient_clip)
    state.step += 1
    if torch.isfinite(norm):
        state.optimizer.step()
        update_average(state, section.averaging)
        state.n_skipped = 0
    else:
        _restore_buffers(state)
        _count_skipped(state)
    return float(loss.detach())


def _cut_to_centre(
    outputs: Tensor | Sequence[Tensor], planes: Sequence[Tensor]
) -> Sequence[Tensor]:
    """Planes (n, …) and (n, m, …) on the grid of a network that answers a smaller one."""
    finest = outputs if isinstance(outputs, Tensor) else outputs[0]
    wanted, given = finest.shape[2:], planes[0].shape[1:]
    if wanted == given:
        return planes
    centre = [slice((g - w) // 2, (g - w) // 2 + w) for w, g in zip(wanted, given, strict=True)]
    index: tuple[Any, ...] = (Ellipsis, *centre)
    return [plane[index] for plane in planes]


def _restore_buffers(state: TrainingState) -> None:
    """Take running statistics that a bad batch has spoiled from the average: NaN stays NaN."""
    for own, kept in zip(state.network.buffers(), state.averaged.buffers(), strict=True):
        if not torch.isfinite(own).all():
            own.copy_(kept)


def _count_skipped(state: TrainingState) -> None:
    state.n_skipped += 1
    if state.n_skipped >= _SKIPS_UNTIL_DIVERGED:
        raise UserError(
            f"training diverged: the gradient was not finite in {state.n_skipped} steps in a row, "
            f"up to step {state.step}",
            "finite gradients",
            "Lower optimizer.learning_rate, or look for extreme intensities with "
            "`pixelwise check`.",
            code="diverged",
        )
