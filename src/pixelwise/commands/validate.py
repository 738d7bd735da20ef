"""Scores a few validation cases while a network is trained, within a bounded share of the time."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from torch import nn

from pixelwise.commands.score_in_memory import score_in_memory
from pixelwise.core.case import Case
from pixelwise.core.plan import Plan, network_input
from pixelwise.core.progress import Listener
from pixelwise.core.records import IntervalRecord
from pixelwise.evaluation import score_case, summarise
from pixelwise.inference.engines import TorchEngine
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.resampled import on_plan_grid
from pixelwise.networks import field_of
from pixelwise.tasks import build_task

TIME_SHARE = 0.05
"""Share of the training time that validation may take."""

_SHORTEST_GAP = 5.0
_WORTH_SAYING = 2.0
_SCORES_WANTED = 20


def prepare_scoring(listener: Listener) -> None:
    """Compile the scoring loops if this installation never did, before any time is planned."""
    started = time.monotonic()
    labels = np.zeros((8, 8), dtype=np.uint8)
    labels[2:5, 2:5] = 1
    score_case("none", labels, labels, n_classes=2)
    seconds = time.monotonic() - started
    if seconds > _WORTH_SAYING:
        listener.say(f"Compiled the scoring loops, once for this installation: {seconds:.0f} s")


class Validator:
    """Decides when the averaged network is scored, and scores it: mean foreground Dice."""

    def __init__(self, plan: Plan, cases: Sequence[Case]) -> None:
        wanted = min(plan.training.validation_cases, len(cases))
        self._cases = [cases[i * len(cases) // wanted] for i in range(wanted)]
        self._plan = plan
        self._task = build_task(plan.task.name, len(plan.data.classes), dict(plan.task.options))
        self._due = time.monotonic() + _SHORTEST_GAP
        self._cost = 0.0

    def score_if_due(
        self, network: nn.Module, record: IntervalRecord, deadline: float | None
    ) -> float | None:
        """The validation score if it is time for one and none is due right after the end."""
        now = time.monotonic()
        is_last = record.step >= record.n_steps
        no_time = deadline is not None and now + 2 * self._cost > deadline
        if not self._cases or is_last or now < self._due or no_time:
            return None
        score = self.score(network)
        self._cost = time.monotonic() - now
        left = 0.0 if deadline is None else max(deadline - now, 0.0)
        gap = max(self._cost / TIME_SHARE, left / _SCORES_WANTED, _SHORTEST_GAP)
        self._due = time.monotonic() + gap
        return score

    def score(self, network: nn.Module) -> float | None:
        """Mean foreground Dice over the chosen validation cases."""
        plan = self._plan
        engine = TorchEngine(
            network,
            precision=plan.training.precision,
            memory_format=plan.training.memory_format,
            n_dims=network_input(plan)[0],
        )
        plain = Predictor(engine, field_of(network), self._task, plan.inference)
        predictor = on_plan_grid(
            plain, self._task, plan.geometry, spacing=plan.data.spacing, unit=plan.data.unit
        )
        scores = [score_in_memory(predictor, plan, case) for case in self._cases]
        names = [c.name for c in plan.data.classes]
        return summarise(scores, names, n_draws=1).overall["mean_dice_pooled"]
