"""Which metrics to trust for a task and which mislead, as rules; contradictions in results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pixelwise.core.records import Summary

METRICS_RELOADED = "after Maier-Hein, Reinke et al., Nature Methods 2024 (Metrics Reloaded)"
OUR_THRESHOLD = "the threshold is ours"

RARE_SHARE = 0.05
THIN_WIDTH = 6.0
LONG = 50.0
"""Length over width of winding lines: squared length of the centre line over the area."""

SMALL_PIXELS = {2: 100, 3: 200}
MANY_OBJECTS = 20
SIZE_SPREAD = 50.0
CLOSE_DICE = 0.01
TOPOLOGY_FACTOR = 3.0
FEW_CASES = 20


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the advice rules ask for, per foreground class; measured on the truth.

    share: of the scored pixels; median_size in pixels; mean_width in pixels (area over
    length of the centre line); size_spread: 95 % over 5 % percentile of object sizes;
    elongation: length over width (squared length of the centre line over the area) of the
    object that the median pixel lies in.
    """

    n_dims: int
    share: float
    n_objects: float
    median_size: float
    mean_width: float
    size_spread: float
    n_empty: int
    n_cases: int
    has_spacing: bool = False
    annotator_spread: float | None = None
    elongation: float = 0.0


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice: what to do, because of what, after whom."""

    rule: str
    text: str
    reason: str
    source: str


def advise(facts: TaskFacts) -> tuple[Advice, ...]:
    """The rules that apply to a task, most general first."""
    found = [
        Advice("R1", "Report one overlap (Dice or IoU, each is a function of the other) and one "
               "boundary metric.", "always for labelled regions", METRICS_RELOADED),
    ]  # fmt: skip
    found += [advice for applies, advice in _rules(facts) if applies]
    return tuple(found)


def _rules(facts: TaskFacts) -> list[tuple[bool, Advice]]:
    small = SMALL_PIXELS.get(facts.n_dims, 100)
    spread = facts.annotator_spread
    ours = f"{METRICS_RELOADED}; {OUR_THRESHOLD}"
    return [
        (spread is not None, Advice(
            "R3", f"Use nsd with a tolerance of {spread or 0:.3g}, the spread of the annotators; "
            "make no claim finer than it.", "several annotators", METRICS_RELOADED)),
        (facts.mean_width < THIN_WIDTH or facts.elongation > LONG, Advice(
            "R6", "Use cldice beside or in place of Dice, add betti_error, and nsd with a small "
            "tolerance; hd95 and Dice do not see a gap of one pixel.", _thinness(facts), ours)),
        (facts.median_size < small, Advice(
            "R7", "Prefer nsd and scores per object (F1 at IoU, lesion-wise counts); Dice swings "
            "by single pixels and hd95 means little.",
            f"objects of {facts.median_size:.0f} pixels (below {small})", ours)),
        (facts.size_spread > SIZE_SPREAD, Advice(
            "R8", "Score per size class: pooled Dice hides the small objects.",
            f"sizes spread {facts.size_spread:.0f}-fold (above {SIZE_SPREAD:g})", ours)),
        (facts.n_objects > MANY_OBJECTS, Advice(
            "R9", "If objects are counted, score them as instances (panoptic quality).",
            f"{facts.n_objects:.0f} objects in an image (above {MANY_OBJECTS})", ours)),
        (facts.share < RARE_SHARE, Advice(
            "R11", "Do not report accuracy or specificity as a headline: the background wins.",
            f"the class takes {facts.share:.1%} of the pixels (below {RARE_SHARE:.0%})", ours)),
        (facts.n_empty > 0, Advice(
            "R13", "Say how many cases are empty and how many false alarms they have; Dice is "
            "undefined there.", f"{facts.n_empty} of {facts.n_cases} truths are empty",
            METRICS_RELOADED)),
        (facts.n_dims == 3 and not facts.has_spacing, Advice(
            "R17", "Give the spacing: distances in voxels of unknown size mislead.",
            "a volume without spacing", METRICS_RELOADED)),
        (facts.n_cases < FEW_CASES, Advice(
            "R20", "Give intervals and do not rank by a single mean.",
            f"{facts.n_cases} cases (below {FEW_CASES})", ours)),
    ]  # fmt: skip


def _thinness(facts: TaskFacts) -> str:
    width = f"{facts.mean_width:.1f} pixels wide"
    if facts.mean_width < THIN_WIDTH:
        return f"thin structures, {width} (below {THIN_WIDTH:g})"
    return f"winding lines, {width}, {facts.elongation:.0f} times as long (above {LONG:g})"


def find_contradictions(
    summaries: Mapping[str, Summary], classes: Sequence[int] | None = None
) -> tuple[str, ...]:
    """Sentences where the best overlap hides a bad topology, per foreground class.

    Said when the prediction with the best mean Dice, or one within 0.01 of it, has a mean
    error in components or Betti numbers at least 3 times the smallest, and 3 above it.
    """
    sentences = []
    first = next(iter(summaries.values()))
    wanted = [k for k in range(len(first.class_names)) if k != first.background]
    for class_id in wanted if classes is None else classes:
        dice = _means(summaries, "dice", class_id)
        if not dice:
            continue
        best = max(dice.values())
        for key, noun in (("component_error", "components"), ("betti_error", "Betti numbers")):
            errors = _means(summaries, key, class_id)
            if set(errors) != set(dice):
                continue
            low_name = min(errors, key=lambda name: errors[name])
            for name, value in errors.items():
                is_close = dice[name] >= best - CLOSE_DICE
                bound = max(TOPOLOGY_FACTOR * errors[low_name], errors[low_name] + 3)
                if is_close and value >= bound:
                    rank = "the best" if dice[name] == best else "nearly the best"
                    sentences.append(
                        f"{first.class_names[class_id]}: {name} has {rank} Dice "
                        f"({dice[name]:.3f}; {low_name} {dice[low_name]:.3f}) but its {noun} are "
                        f"off by {value:,.1f} per case, against {errors[low_name]:,.1f} of "
                        f"{low_name}."
                    )
    return tuple(sentences)


def _means(summaries: Mapping[str, Summary], metric: str, class_id: int) -> dict[str, float]:
    found = {}
    for name, summary in summaries.items():
        for entry in summary.metrics:
            if (entry.metric, entry.class_id) == (metric, class_id) and entry.mean is not None:
                found[name] = entry.mean
    return found
