"""Metrics over a training loop: update, compute, reset, as torchmetrics' classes are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelwise.core.errors import BadData, BadPlan
from pixelwise.metrics.choices import choose_metrics
from pixelwise.metrics.pair import LabelPair, label_pair


class RunningMetric:
    """One metric of all classes, collected batch by batch.

    Drop-in for a torchmetrics object in a loop: update(preds, target) in torchmetrics'
    own order, compute(), reset(), and forward by calling it (the value of that batch).
    aggregate: "cases" averages defined values over cases, then over classes; "pooled"
    sums pixel counts first and is for metrics of counts only.
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
        (self._choice,) = choose_metrics([metric], {"one_empty": "diagonal"})
        if aggregate not in ("cases", "pooled"):
            raise BadPlan(
                f"aggregate is {aggregate!r}", "cases or pooled", "Take cases.", code="bad-option"
            )
        if aggregate == "pooled" and not self._choice.fact("pools"):
            raise BadPlan(
                f"{metric} cannot be pooled over pixels", "a metric of pixel counts",
                "Take aggregate='cases'.", code="bad-option",
            )  # fmt: skip
        self.n_classes = n_classes
        self.ignore_index = ignore_index
        self.classes = tuple(range(0 if include_background else 1, n_classes))
        self.aggregate = aggregate
        self.spacing = spacing
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._values: list[list[float]] = []
        self._confusion = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)

    def update(self, preds: Any, target: Any) -> None:
        """Take in a batch, predictions first as torchmetrics does.

        Raises BadData or ShapeMismatch for what cannot be scored.
        """
        targets, guesses = _as_numpy(target), _as_numpy(preds)
        if guesses.ndim == targets.ndim + 1:
            guesses = guesses.argmax(axis=1)
        if guesses.shape != targets.shape or targets.ndim < 3:
            raise BadData(
                f"preds has shape {guesses.shape} and target {targets.shape}",
                "(n, [z,] y, x) or (n, k, [z,] y, x) and (n, [z,] y, x)",
                "Keep the batch axis.", code="other-shape",
            )  # fmt: skip
        for truth, guess in zip(targets, guesses, strict=True):
            pair = label_pair(
                truth, guess, self.n_classes, spacing=self.spacing, ignore=self.ignore_index
            )
            self._confusion += pair.confusion
            if self.aggregate == "cases":
                self._values.append([self._choice.of(pair.of_class(k)) for k in self.classes])

    def compute(self) -> float:
        """The value over everything taken in; NaN where nothing is defined."""
        if self.aggregate == "pooled":
            nothing = np.zeros((0, 0), dtype=np.uint8)
            pair = LabelPair(nothing, nothing, self.n_classes, (1.0, 1.0))
            pair.confusion = self._confusion
            per_class = np.array([self._choice.of(pair.of_class(k)) for k in self.classes])
        else:
            table = np.array(self._values, dtype=float).reshape(-1, len(self.classes))
            defined = ~np.isnan(table)
            with np.errstate(invalid="ignore"):
                per_class = np.where(defined, table, 0.0).sum(axis=0) / defined.sum(axis=0)
        known = per_class[~np.isnan(per_class)]
        return float(known.mean()) if known.size else float("nan")

    def __call__(self, preds: Any, target: Any) -> float:
        """Take in a batch and return its own value."""
        kept = self._values, self._confusion
        self.reset()
        self.update(preds, target)
        value = self.compute()
        self._values = kept[0] + self._values
        self._confusion = kept[1] + self._confusion
        return value


def _as_numpy(batch: Any) -> np.ndarray[Any, np.dtype[Any]]:
    if hasattr(batch, "detach") and hasattr(batch, "cpu"):
        batch = batch.detach().cpu().numpy()
    return np.asarray(batch)
