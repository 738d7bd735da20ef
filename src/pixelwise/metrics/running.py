"""Metrics over a training loop: update, compute, reset; and as a real torchmetrics object."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.errors import BadData, BadPlan, MissingExtra
from pixelwise.metrics.choices import MetricChoice, choose_metrics
from pixelwise.metrics.inputs import as_array
from pixelwise.metrics.pair import LabelPair, label_pair

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RunningRecipe:
    """What is collected from batches, and how it becomes one number."""

    metric: str
    n_classes: int
    ignore_index: int | None = None
    include_background: bool = False
    aggregate: str = "cases"
    spacing: tuple[float, ...] | None = None

    @property
    def choice(self) -> MetricChoice:
        """The metric with its options."""
        return _chosen(self.metric)

    @property
    def classes(self) -> range:
        """The classes that are scored."""
        return range(0 if self.include_background else 1, self.n_classes)

    @property
    def signature(self) -> int:
        """A number that differs between recipes, so that none is taken for another."""
        return zlib.crc32(repr(self).encode())

    def check(self) -> None:
        """Raise BadPlan for a metric or a way of summing that does not exist."""
        if self.aggregate not in ("cases", "pooled"):
            raise BadPlan(
                f"aggregate is {self.aggregate!r}", "cases or pooled", "Take cases.",
                code="bad-option",
            )  # fmt: skip
        choice = self.choice
        if self.aggregate == "pooled" and not choice.fact("pools"):
            raise BadPlan(
                f"{self.metric} cannot be pooled over pixels", "a metric of pixel counts",
                "Take aggregate='cases'.", code="bad-option",
            )  # fmt: skip

    def score(self, preds: Any, target: Any) -> tuple[Counts, Values]:
        """(confusion summed over the batch, values (n, classes)); no values if pooled."""
        targets = as_array(target, "target", axes=(0, 5))
        guesses = as_array(preds, "preds", axes=(0, 5))
        if guesses.ndim == targets.ndim + 1:
            guesses = guesses.argmax(axis=1)
        if guesses.shape != targets.shape or targets.ndim < 3:
            raise BadData(
                f"preds has shape {guesses.shape} and target {targets.shape}",
                "(n, [z,] y, x) or (n, k, [z,] y, x) and (n, [z,] y, x)",
                "Keep the batch axis.", code="other-shape",
            )  # fmt: skip
        confusion = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        values = []
        for truth, guess in zip(targets, guesses, strict=True):
            pair = label_pair(
                truth, guess, self.n_classes, spacing=self.spacing, ignore=self.ignore_index
            )
            confusion += pair.confusion
            if self.aggregate == "cases":
                values.append([self.choice.of(pair.of_class(k)) for k in self.classes])
        return confusion, np.array(values, dtype=np.float64).reshape(-1, len(self.classes))

    def result(self, confusion: Counts, values: Values) -> float:
        """Mean over cases, then over classes, of what is defined; NaN if nothing is."""
        if self.aggregate == "pooled":
            nothing = np.zeros((0, 0), dtype=np.uint8)
            pair = LabelPair(nothing, nothing, self.n_classes, (1.0, 1.0))
            pair.confusion = confusion
            per_class = np.array([self.choice.of(pair.of_class(k)) for k in self.classes])
        else:
            defined = ~np.isnan(values)
            with np.errstate(invalid="ignore"):
                per_class = np.where(defined, values, 0.0).sum(axis=0) / defined.sum(axis=0)
        known = per_class[~np.isnan(per_class)]
        return float(known.mean()) if known.size else float("nan")


class RunningMetric:
    """One metric of all classes, collected batch by batch.

    Used like a torchmetrics object in a loop: update(preds, target) in torchmetrics' own
    order, compute(), reset(), and by calling it (the value of that batch). as_torchmetric
    makes a real one, for MetricCollection, Lightning and several processes.
    metric: a name, with options as "nsd:tolerance=2". aggregate: "cases" averages defined
    values over cases, then over classes; "pooled" sums pixel counts first and is for
    metrics of counts only. A distance to something missing counts as the image diagonal.
    preds: class ids (n, [z,] y, x), or scores of classes (n, k, [z,] y, x).
    """

    def __init__(
        self,
        metric: str = "dice",
        *,
        n_classes: int,
        ignore_index: int | None = None,
        include_background: bool = False,
        aggregate: str = "cases",
        spacing: Sequence[float] | None = None,
    ) -> None:
        steps = None if spacing is None else tuple(spacing)
        self.recipe = RunningRecipe(
            metric, n_classes, ignore_index, include_background, aggregate, steps
        )
        self.recipe.check()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        n = self.recipe.n_classes
        self._confusion = np.zeros((n, n), dtype=np.int64)
        self._values: list[Values] = []

    def update(self, preds: Any, target: Any) -> None:
        """Take in a batch, predictions first as torchmetrics does.

        Raises BadData or ShapeMismatch for what cannot be scored.
        """
        confusion, values = self.recipe.score(preds, target)
        self._confusion += confusion
        self._values.append(values)

    def compute(self) -> float:
        """The value over everything taken in; NaN where nothing is defined."""
        none = np.zeros((0, len(self.recipe.classes)))
        return self.recipe.result(self._confusion, np.concatenate([none, *self._values]))

    def __call__(self, preds: Any, target: Any) -> float:
        """Take in a batch and return its own value."""
        confusion, values = self.recipe.score(preds, target)
        self._confusion += confusion
        self._values.append(values)
        return self.recipe.result(confusion, values)


def as_torchmetric(
    metric: str = "dice",
    *,
    n_classes: int,
    ignore_index: int | None = None,
    include_background: bool = False,
    aggregate: str = "cases",
    spacing: Sequence[float] | None = None,
) -> Any:
    """The same as a torchmetrics.Metric: for MetricCollection, Lightning, several processes.

    Its states are the summed confusion matrix and the values of every case, so that
    merging processes gives what one process would have given. Raises MissingExtra if
    torchmetrics is not installed (extra "torchmetrics"), BadPlan.
    """
    steps = None if spacing is None else tuple(spacing)
    recipe = RunningRecipe(metric, n_classes, ignore_index, include_background, aggregate, steps)
    recipe.check()
    return _torchmetric_class()(recipe)


def __getattr__(name: str) -> Any:
    """The torchmetrics class is made at first use, so that it can be found when unpickled."""
    if name == "TorchMetric":
        return _torchmetric_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _chosen(metric: str) -> MetricChoice:
    return choose_metrics([metric], {"one_empty": "diagonal"})[0]


@functools.cache
def _torchmetric_class() -> Any:
    try:
        import torch
        import torchmetrics
    except ImportError as error:
        raise MissingExtra(
            "torchmetrics is not installed", "the package torchmetrics",
            'Install it with: pip install "pixelwise[torchmetrics]", or use RunningMetric.',
            code="missing-extra",
        ) from error  # fmt: skip

    class TorchMetric(torchmetrics.Metric):
        """A RunningRecipe with torchmetrics' states."""

        is_differentiable = False
        full_state_update = False
        confusion: torch.Tensor
        values: Any

        def __init__(self, recipe: RunningRecipe) -> None:
            super().__init__()
            self.recipe = recipe
            n = recipe.n_classes
            confusion = torch.zeros((n, n), dtype=torch.int64)
            self.add_state("confusion", confusion, dist_reduce_fx="sum")
            self.add_state("values", [], dist_reduce_fx="cat")
            # A collection shares states of metrics that look alike after the first batch:
            # Dice and IoU of a perfect batch do.
            self.add_state("signature", torch.tensor(recipe.signature), dist_reduce_fx="max")

        @property
        def higher_is_better(self) -> bool:  # type: ignore[override]  # differs by metric
            return bool(self.recipe.choice.fact("higher_is_better"))

        def update(self, preds: Any, target: Any) -> None:
            confusion, values = self.recipe.score(preds, target)
            self.confusion += torch.from_numpy(confusion).to(self.confusion.device)
            self.values.append(torch.from_numpy(values).to(self.confusion.device))

        def compute(self) -> Any:
            held = self.values if isinstance(self.values, list) else [self.values]
            none = torch.zeros((0, len(self.recipe.classes)), dtype=torch.float64)
            values = torch.cat([none, *(v.cpu().double() for v in held)])
            found = self.recipe.result(self.confusion.cpu().numpy(), values.numpy())
            return torch.tensor(found, dtype=torch.float32, device=self.confusion.device)

    TorchMetric.__qualname__ = "TorchMetric"
    return TorchMetric
