"""Numbers as people read them; what has no value is called undefined, with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pixelwise.core.records import MetricSummary, Summary
from pixelwise.core.score_facts import SCORE_FACTS
from pixelwise.metrics import METRICS

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ML_IN_MM3 = 1000.0
LARGE_SIZE = 1e4
SPLIT_ORDER = ("test", "val", "train")
SPLIT_NAMES = {"test": "test", "val": "validation", "train": "training"}
METRIC_NAMES = {
    "dice": "Dice",
    "iou": "IoU",
    "hd95": "HD95",
    "mcc": "MCC",
    "fbeta": "F-beta",
    "nsd": "NSD",
    "assd": "ASSD",
    "cldice": "clDice",
}


def number(value: float | None, digits: int = 3) -> str:
    """A score with a fixed count of decimals, larger numbers shorter; "undefined" without one."""
    if value is None or math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.{1 if abs(value) >= 10 else digits}f}"


def general(value: float) -> str:
    """Any number in four figures, without a tail of zeros: 0.0003, 12.5, 4096."""
    if not math.isfinite(value):
        return number(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        text = f"{value:.4g}"
        return f"{value:.0f}" if "e" in text else text
    mantissa, exponent = f"{value:.2e}".split("e")
    power = str(int(exponent)).translate(SUPERSCRIPTS)
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{power}"


def count(value: int, noun: str = "", plural: str = "") -> str:
    """A whole number with thin spaces between thousands, and its noun: "1 case", "12 cases"."""
    digits = f"{value:,}".replace(",", "\u202f")
    if not noun:
        return digits
    return f"{digits} {noun if value == 1 else plural or noun + 's'}"


def short_count(value: int) -> str:
    """A count in at most four figures: 950, 12.3 k, 4.56 M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            scale = 1e3 if unit == "k" else limit
            return f"{value / scale:.3g}\u202f{unit}"
    return count(value)


def share(value: float) -> str:
    """A share as a percentage with the digits that matter: 43 %, 4.3 %, 0.02 %."""
    percent = 100 * value
    if percent == 0 or percent >= 99.95:
        return f"{percent:.0f} %"
    if percent < 0.01:
        return "< 0.01 %"
    digits = 0 if 20 <= percent < 99 else 1 if percent >= 1 else 2
    return f"{percent:.{digits}f} %"


def shape_text(shape: Sequence[int]) -> str:
    """A grid as rows × columns."""
    return " × ".join(str(length) for length in shape)


def size_text(value: float, unit: str, n_dims: int) -> str:
    """An area or a volume in `unit`: "840 mm³", from 1000 mm³ on "12.3 mL", "25 px²"."""
    if unit == "mm" and n_dims == 3 and value >= ML_IN_MM3:
        return f"{general(value / ML_IN_MM3)} mL"
    digits = f"{value:.4g}" if value < LARGE_SIZE else count(round(value))
    return f"{digits} {unit}{str(n_dims).translate(SUPERSCRIPTS)}"


def split_name(split: str) -> str:
    """A split in full: "validation" for val."""
    return SPLIT_NAMES.get(split, split)


def main_split(summaries: Mapping[str, Summary]) -> str | None:
    """The split that the headline speaks of: test, else val, else train, else any."""
    ordered = [split for split in SPLIT_ORDER if split in summaries]
    return next(iter(ordered or sorted(summaries)), None)


def listed(parts: Sequence[str]) -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def metric_name(key: str) -> str:
    """A metric as it is written: "Dice", "HD95", "Balanced accuracy", options behind it."""
    if key in SCORE_FACTS:
        return SCORE_FACTS[key].name
    name, _, options = key.partition(":")
    written = METRIC_NAMES.get(name, name.replace("_", " ").capitalize())
    return f"{written} ({options.replace(';', ', ')})" if options else written


def metric_facts(key: str) -> Mapping[str, Any]:
    """What was said of a metric at its registration, empty if it is not registered here."""
    if key in SCORE_FACTS:
        return SCORE_FACTS[key].as_facts()
    name = key.partition(":")[0]
    return METRICS.find(name).facts if name in METRICS.names() else {}


def metric_direction(key: str, unit: str) -> str:
    """Unit and better direction for a table's head: "px, lower is better"."""
    facts = metric_facts(key)
    if not facts:
        return ""
    direction = "higher is better" if facts["higher_is_better"] else "lower is better"
    return f"{unit}, {direction}" if facts["unit"] == "spacing" else direction


def metric_digits(key: str) -> int:
    """Decimals that a metric is written with: distances two, the others three."""
    return 2 if metric_facts(key).get("unit") == "spacing" else 3


def metric_sentence(key: str) -> str:
    """What a metric is, in one line."""
    if key in SCORE_FACTS:
        return SCORE_FACTS[key].summary
    name = key.partition(":")[0]
    return METRICS.find(name).summary if name in METRICS.names() else ""


def why_no_mean(metric: MetricSummary) -> str:
    """Why the mean over cases has no value."""
    if metric.n_cases == 0:
        return "there are no cases"
    if metric.n_infinite:
        return (
            f"infinite in {metric.n_infinite} of {count(metric.n_cases, 'case')}, where only one "
            "of truth and prediction has the class"
        )
    return f"no value in any of {count(metric.n_cases, 'case')}"


def why_no_spread(metric: MetricSummary) -> str:
    """Why the standard deviation over cases has no value."""
    if metric.n_infinite or metric.n_cases == metric.n_undefined:
        return why_no_mean(metric)
    return "there is only one case with a value"


def why_left_out(metric: MetricSummary) -> str:
    """Which cases have no value: "2 in neither, 1 all void"; empty if all have one."""
    other = metric.n_undefined - metric.n_both_empty - metric.n_all_ignored
    parts = ((metric.n_both_empty, "in neither"), (metric.n_all_ignored, "all void"),
             (other, "undefined"))  # fmt: skip
    # Counts such as Betti numbers have a value where a class is in neither.
    n_told = metric.n_both_empty + metric.n_all_ignored if metric.n_undefined else 0
    told = [f"{n} {what}" for n, what in parts if n > 0]
    return ", ".join(told) if n_told else ""


def why_not_pooled(metric: MetricSummary) -> str:
    """Why the pooled value is missing."""
    if metric_facts(metric.metric).get("pools", False):
        return "the class is in no case"
    return "not a matter of pixel counts"
