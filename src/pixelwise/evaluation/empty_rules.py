"""What a case counts in an evaluation where truth or prediction is empty, said and done."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pixelwise.core.records import CaseStatus
from pixelwise.metrics.choices import MetricChoice, choose_metrics

EVALUATION_OPTIONS = {"one_empty": "diagonal"}
"""A distance to something missing counts as the image diagonal, so that it can be averaged."""

OURS = "pixelwise"

RULE = (
    "A class that neither truth nor prediction has in a case gives that case no value in "
    "overlaps, shares and distances; such cases are counted as undefined and left out of the "
    "mean over cases (errors counted in pieces are 0 there). A class that only one "
    "of them has scores 0 in overlaps, and the image diagonal in distances; where a missed "
    "structure leaves a share without a value (precision), it scores 0, so that a miss never "
    "helps a mean; missed and falsely predicted cases are counted beside each mean. Pooled "
    "values come from the pixel counts summed over all cases. Void pixels and pixels outside the "
    "field of view count nowhere; a case without any other has no value."
)


def choose_for_evaluation(texts: Sequence[str]) -> tuple[MetricChoice, ...]:
    """Metrics from texts, with our rule for what is empty unless another convention is named.

    Raises BadPlan with everything that is wrong, all at once.
    """
    choices = choose_metrics(texts, EVALUATION_OPTIONS)
    return tuple(
        choice if _is_ours(choice) else choose_metrics([choice.key])[0] for choice in choices
    )


def rule_text(choices: Sequence[MetricChoice]) -> str:
    """The rule for empty cases in words, naming the metrics that follow another tool's."""
    others = [choice.key for choice in choices if not _is_ours(choice)]
    if not others:
        return RULE
    return (
        f"{', '.join(others)}: empty cases count as the named tool counts them; where it gives "
        f"no value they are left out of the mean and counted as undefined. All else: {RULE}"
    )


def value_where_empty(choice: MetricChoice, status: CaseStatus, value: float) -> float:
    """The value of a metric in a case where something is empty, from what the metric says.

    Nothing was scored -> NaN. A share (best 1) that is undefined because the structure was
    missed -> 0, unless the metric follows another tool's convention.
    """
    if status == "all-ignored":
        return math.nan
    is_missed_share = status == "only-truth" and choice.fact("best") == 1 and math.isnan(value)
    return 0.0 if is_missed_share and _is_ours(choice) else value


def _is_ours(choice: MetricChoice) -> bool:
    return bool(choice.options.get("convention", OURS) == OURS)
