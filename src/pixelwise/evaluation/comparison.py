"""Two or more predictions of the same cases: differences, tests, ranks and how stable they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from pixelwise.core.comparisons import Comparison, Difference, MetricComparison
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.core.records import ClassScores, Summary
from pixelwise.evaluation.bootstrap import N_DRAWS, bootstrap_means, draw_means, sum_units
from pixelwise.evaluation.score_columns import ScoreColumn, columns_of

Matrix = npt.NDArray[np.float64]

EXACT_UP_TO = 13
"""Up to this many independent differences every assignment of signs is tried (8,192)."""

RULE = (
    "A case that neither truth nor this prediction has an object in, while another prediction "
    "has one, counts as perfect here, so that a false alarm elsewhere is not lost; cases "
    "undefined for every prediction are left out and counted. p: two-sided paired permutation "
    "test of the mean difference by changing signs, over groups where cases have one; "
    "Wilcoxon's signed-rank test beside it. Both are corrected by Holm for all pairs and "
    "metrics of this comparison. Ranks: 1 is best, ties share the mean rank."
)


def compare_summaries(
    summaries: Mapping[str, Summary],
    *,
    classes: Sequence[int] | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare scorings of the same cases, metric by metric and class by class.

    classes: by default all but the background. Overall rank: mean of the rank-then-mean
    ranks over all metrics and classes. Raises BadData unless all scored the same cases.
    """
    names = tuple(summaries)
    _check_same_cases(summaries)
    first = next(iter(summaries.values()))
    wanted = [k for k in range(len(first.class_names)) if k != first.background]
    rows = [
        (class_id, column)
        for class_id in (wanted if classes is None else classes)
        for column in columns_of(first.cases)
        if column.key in first.cases[0].classes[class_id].values
    ]
    reasons = [_why_left_out(summaries, column, class_id) for class_id, column in rows]
    found = _correct(
        [
            _compare_metric(summaries, column, class_id, n_draws, seed)
            for (class_id, column), reason in zip(rows, reasons, strict=True)
            if reason is None
        ]
    )
    overall = {
        name: float(np.mean([c.rank_then_mean[name] for c in found])) if found else math.nan
        for name in names
    }
    groups = {case.group or case.id for case in first.cases}
    units = "groups" if any(case.group for case in first.cases) else "cases"
    least = f" With {len(groups)} {units} no p can be below {2.0 ** (1 - len(groups)):.2g}."
    return Comparison(
        names=names,
        metrics=tuple(found),
        overall_rank=overall,
        rule=RULE + least,
        interval=f"95 % bootstrap over {units}, {n_draws} draws, seed {seed}",
        left_out=tuple(reason for reason in reasons if reason is not None),
    )


def permutation_p(differences: Matrix, *, n_draws: int = N_DRAWS, seed: int = 0) -> float:
    """Two-sided p of a mean difference under random signs; exact for few differences.

    Source: Fisher's randomisation test. All zero -> 1. The observed assignment counts.
    """
    observed = abs(float(differences.sum()))
    if differences.size == 0 or observed == 0:
        return 1.0
    tiny = 1e-9 * float(np.abs(differences).sum())
    if differences.size <= EXACT_UP_TO:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=differences.size)))
        return float(np.mean(np.abs(signs @ differences) >= observed - tiny))
    generator = np.random.default_rng(seed)
    signs = generator.integers(0, 2, (n_draws, differences.size)) * 2.0 - 1.0
    n_beyond = int(np.sum(np.abs(signs @ differences) >= observed - tiny))
    return (n_beyond + 1) / (n_draws + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction. Source: Holm 1979."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected


def rank_values(values: Matrix, higher_is_better: bool) -> Matrix:
    """Ranks along the last axis, 1 is best, ties share the mean rank."""
    signed = -values if higher_is_better else values
    return np.asarray(stats.rankdata(np.round(signed, 12), axis=-1), dtype=float)


def case_table(
    summaries: Mapping[str, Summary], column: ScoreColumn, class_id: int
) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """(values (n cases, m predictions), which cases are kept), undefined ones by the RULE."""
    columns = []
    for summary in summaries.values():
        scores = [case.classes[class_id] for case in summary.cases]
        worst = -math.inf if column.fact("higher_is_better") else math.inf
        columns.append([_value_of(own, column.key, worst) for own in scores])
    table = np.array(columns, dtype=float).T.reshape(-1, len(columns))
    kept = ~np.isnan(table).all(axis=1)
    return np.where(np.isnan(table), float(column.fact("best")), table), kept


def _value_of(scores: ClassScores, key: str, worst: float) -> float:
    value = scores.values[key]
    if value is None:
        return worst if key in scores.infinite else math.nan
    return value


def _why_left_out(
    summaries: Mapping[str, Summary], column: ScoreColumn, class_id: int
) -> str | None:
    """Why a score cannot be compared, None if it can."""
    table, kept = case_table(summaries, column, class_id)
    name = f"{column.key} of {next(iter(summaries.values())).class_names[class_id]}"
    if not kept.any():
        return f"{name} is not compared: it has no value in any case of any prediction."
    n_infinite = int(np.isinf(table[kept]).any(axis=1).sum())
    if n_infinite:
        return (
            f"{name} is not compared: it is infinite in {n_infinite} of {len(table)} cases, where "
            "only one of truth and prediction has the class."
        )
    return None


def _compare_metric(
    summaries: Mapping[str, Summary], choice: ScoreColumn, class_id: int, n_draws: int, seed: int
) -> MetricComparison:
    names = tuple(summaries)
    first = next(iter(summaries.values()))
    table, kept = case_table(summaries, choice, class_id)
    table = table[kept]
    groups = [case.group for case, is_kept in zip(first.cases, kept, strict=True) if is_kept]
    is_higher = bool(choice.fact("higher_is_better"))
    means = table.mean(axis=0)
    draws = draw_means(*sum_units(table, groups), n_draws, seed)
    ranks = rank_values(draws, is_higher)
    places = range(1, len(names) + 1)
    return MetricComparison(
        metric=choice.key,
        class_id=class_id,
        class_name=first.class_names[class_id],
        higher_is_better=is_higher,
        means=dict(zip(names, map(float, means), strict=True)),
        mean_then_rank=dict(zip(names, map(float, rank_values(means, is_higher)), strict=True)),
        rank_then_mean=dict(
            zip(names, map(float, rank_values(table, is_higher).mean(axis=0)), strict=True)
        ),
        rank_probability={
            name: tuple(float(np.mean(np.floor(ranks[:, i]) == place)) for place in places)
            for i, name in enumerate(names)
        },
        differences=_differences(names, table, groups, is_higher, n_draws, seed),
        n_cases=len(table),
        n_left_out=int((~kept).sum()),
    )


def _differences(
    names: Sequence[str], table: Matrix, groups: Sequence[str], is_higher: bool,
    n_draws: int, seed: int,
) -> tuple[Difference, ...]:  # fmt: skip
    found = []
    for i, j in itertools.combinations(range(len(names)), 2):
        difference = table[:, i] - table[:, j]
        interval = bootstrap_means(difference[:, None], groups, n_draws=n_draws, seed=seed)
        sums, numbers = sum_units(difference[:, None], groups)
        units = (sums / numbers)[:, 0]
        nonzero = units[units != 0]
        wilcoxon = float(stats.wilcoxon(nonzero).pvalue) if nonzero.size else 1.0
        gain = difference if is_higher else -difference
        mean = float(difference.mean())
        spread = float(difference.std(ddof=1)) if difference.size > 1 else 0.0
        found.append(
            Difference(
                first=names[i],
                second=names[j],
                mean=mean,
                low=_finite(interval.low[0]),
                high=_finite(interval.high[0]),
                p=permutation_p(units, n_draws=n_draws, seed=seed),
                p_corrected=1.0,
                wilcoxon=wilcoxon,
                wilcoxon_corrected=1.0,
                n_first_better=int((gain > 0).sum()),
                n_second_better=int((gain < 0).sum()),
                better="" if mean == 0 else names[i] if (mean > 0) == is_higher else names[j],
                effect=mean / spread if spread > 0 else None,
            )
        )
    return tuple(found)


def _correct(compared: list[MetricComparison]) -> list[MetricComparison]:
    """Holm's correction over every pair of every metric."""
    every = [d for c in compared for d in c.differences]
    p = iter(holm([d.p for d in every]))
    wilcoxon = iter(holm([1.0 if d.wilcoxon is None else d.wilcoxon for d in every]))
    return [
        c.model_copy(
            update={
                "differences": tuple(
                    d.model_copy(
                        update={"p_corrected": next(p), "wilcoxon_corrected": next(wilcoxon)}
                    )
                    for d in c.differences
                )
            }
        )
        for c in compared
    ]


def _check_same_cases(summaries: Mapping[str, Summary]) -> None:
    if len(summaries) < 2:
        raise BadData(
            f"there is {len(summaries)} prediction",
            "two or more to compare",
            "Name another folder.",
            code="nothing-to-compare",
        )
    names = list(summaries)
    first = summaries[names[0]]
    ids = [case.id for case in first.cases]
    problems = []
    for name in names[1:]:
        other = summaries[name]
        if [case.id for case in other.cases] != ids:
            problems.append(
                Problem(
                    f"{name} was scored on {other.n_cases} cases, {names[0]} on {len(ids)}",
                    "the same cases for all", "Score all predictions on the same truth.",
                    code="other-cases",
                )
            )  # fmt: skip
        elif other.class_names != first.class_names:
            problems.append(
                Problem(
                    f"{name} has the classes {', '.join(other.class_names)}, {names[0]} has "
                    f"{', '.join(first.class_names)}",
                    "the same classes for all",
                    "Name the classes in a classes.json beside the truth.", code="other-classes",
                )
            )  # fmt: skip
    raise_errors(problems)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
