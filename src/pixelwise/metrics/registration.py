"""How a metric becomes known: one function of a mask pair, usable on plain arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast

from pixelwise.core.errors import BadPlan, raise_errors
from pixelwise.core.registry import Registry
from pixelwise.metrics.conventions import with_canonical_convention
from pixelwise.metrics.other_names import metric_hint
from pixelwise.metrics.pair import MaskPair, pair_of

Options = ParamSpec("Options")
Options_contra = ParamSpec("Options_contra")
Family = Literal["counts", "distance", "boundary", "topology", "objects"]

METRICS: Registry[Callable[..., float]] = Registry("metric", "pixelwise.metrics", metric_hint)
"""Metrics of one class: functions of a `MaskPair` that return a float, NaN if undefined.

Facts: `family`; `best` value; `higher_is_better`; `unit` ("" or "spacing"); `pools`
(computable from summed pixel counts); `unbounded` (distances: infinite if one mask is empty).
"""


class ArrayMetric(Protocol[Options_contra]):
    """A metric on two arrays; nonzero pixels are the object. Order: truth, predicted."""

    def __call__(
        self,
        truth: Any,
        predicted: Any,
        spacing: Sequence[float] | float | None = None,
        *args: Options_contra.args,
        **options: Options_contra.kwargs,
    ) -> float: ...


PairMetric = Callable[Concatenate[MaskPair, Options], float]
AnyMetric = TypeVar("AnyMetric", bound=Callable[..., float])


def metric(
    name: str,
    family: Family,
    *,
    best: float,
    higher_is_better: bool,
    unit: str = "",
    pools: bool = False,
    unbounded: bool = False,
) -> Callable[[Callable[Concatenate[MaskPair, Options], float]], ArrayMetric[Options]]:
    """Register a function of a `MaskPair`; what it returns takes (truth, predicted) arrays."""
    facts = {
        "family": family,
        "best": best,
        "higher_is_better": higher_is_better,
        "unit": unit,
        "pools": pools,
        "unbounded": unbounded,
    }

    def add(part: Callable[Concatenate[MaskPair, Options], float]) -> ArrayMetric[Options]:
        METRICS.register(name, **facts)(part)

        @functools.wraps(part)
        def on_arrays(
            truth: Any,
            predicted: Any,
            spacing: Sequence[float] | float | None = None,
            *args: Options.args,
            **options: Options.kwargs,
        ) -> float:
            given = with_canonical_convention(options)
            raise_errors(METRICS.check(name, given), BadPlan)
            return part(pair_of(truth, predicted, spacing), *args, **given)

        return cast(ArrayMetric[Options], on_arrays)

    return add
