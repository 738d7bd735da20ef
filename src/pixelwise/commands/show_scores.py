"""Write the page of a scoring or a comparison, with pictures of its cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from pixelwise.arrays.region_bits import mask_of_region
from pixelwise.commands.draw_cases import draw_cases
from pixelwise.commands.read_pair import read_truth
from pixelwise.commands.scoring_options import EvaluationResult
from pixelwise.core.case import IGNORE, ClassInfo
from pixelwise.core.comparisons import Comparison
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Summary
from pixelwise.evaluation.advice import TaskFacts, advise
from pixelwise.evaluation.comparison import compare_summaries
from pixelwise.evaluation.summary import summarise
from pixelwise.evaluation.task_facts import TaskMeter
from pixelwise.report.evaluation_page import EvaluationContent, write_evaluation

MAX_LOOKED_AT = 100
"""So many truths, evenly spread, say what kind of task it is."""

PALETTE = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def write_scores_page(
    path: Path,
    scored: Mapping[str, EvaluationResult],
    *,
    comparison: Comparison | None = None,
    contradictions: Sequence[str] = (),
    thumbnails: bool = True,
    listener: Listener = SILENT,
) -> Path:
    """Write one self-contained page for one or several scorings of the same cases.

    Pictures lie over the images of a folder `images` beside the truth, if there is one,
    else over grey. thumbnails=False leaves every picture out. Raises BadOutput.
    """
    first = next(iter(scored.values()))
    classes = tuple(_coloured(entry) for entry in first.classes)
    drawn = draw_cases(scored, classes, listener) if thumbnails else None
    content = EvaluationContent(
        title=" against ".join(scored) if comparison else f"Evaluation of {next(iter(scored))}",
        summaries={name: result.summary for name, result in scored.items()},
        classes=classes,
        version=metadata.version("pixelwise"),
        figures=drawn.figures if drawn else (),
        step=drawn.step if drawn else 1.0,
        unit=first.summary.unit,
        comparison=comparison,
        contradictions=tuple(contradictions),
        advice=first.advice,
        problems=first.notes,
        humans=first.humans if comparison is None else {},
        human_comparisons=compare_with_humans(first) if comparison is None else {},
        with_thumbnails=thumbnails,
    )
    write_evaluation(path, content)
    return path


def compare_with_humans(result: EvaluationResult) -> dict[str, Comparison]:
    """The prediction against every annotator who can be set against the same truth."""
    found = {}
    for name, human in result.humans.items():
        ids = {case.id for case in human.cases}
        cases = [case for case in result.summary.cases if case.id in ids]
        if len(cases) != human.n_cases or " and " in name:
            continue
        own = summarise(
            cases, result.summary.class_names, background=result.summary.background, n_draws=1
        )
        own = _without_extras(own, human)
        found[name] = compare_summaries({"prediction": own, name: human})
    return found


def advise_on(result: EvaluationResult, listener: Listener = SILENT) -> tuple[str, ...]:
    """Which metrics to trust for these truths, as sentences with reason and source."""
    wanted = [k for k in range(len(result.classes)) if k != result.summary.background]
    found: dict[str, list[str]] = {}
    for class_id, facts in _measure_truths(result, wanted, listener).items():
        for advice in advise(facts):
            text = f"{advice.text} Reason: {advice.reason} ({advice.rule}, {advice.source})."
            found.setdefault(text, []).append(result.classes[class_id].name)
    return tuple(
        text if len(names) == len(wanted) else f"{', '.join(names)}: {text}"
        for text, names in found.items()
    )


def _measure_truths(
    result: EvaluationResult, wanted: Sequence[int], listener: Listener
) -> dict[int, TaskFacts]:
    """The facts of every class over some truths; regions overlap, so each is met by itself."""
    has_spacing = result.summary.unit != "px"
    meters = {k: TaskMeter([1], has_spacing=has_spacing) for k in wanted}
    together = TaskMeter(wanted, has_spacing=has_spacing)
    n = min(MAX_LOOKED_AT, len(result.pairs))
    for i in range(n):
        truth = read_truth(result.pairs[i * len(result.pairs) // n])
        listener.advance(i + 1, n, "looking at truths")
        if not result.summary.has_regions:
            together.add(truth)
            continue
        for region, meter in meters.items():
            inside = mask_of_region(truth, region).astype(np.uint8)
            meter.add(np.where(truth == IGNORE, truth, inside))
    if not result.summary.has_regions:
        return together.facts(result.human_spread)
    return {k: meter.facts(result.human_spread)[1] for k, meter in meters.items()}


def _without_extras(summary: Summary, like: Summary) -> Summary:
    """Only the scores that another summary has too: people give no probabilities."""
    keys = {key for own in like.cases[0].classes for key in own.values}
    cases = tuple(
        case.model_copy(
            update={
                "classes": tuple(
                    own.model_copy(
                        update={"values": {k: v for k, v in own.values.items() if k in keys}}
                    )
                    for own in case.classes
                )
            }
        )
        for case in summary.cases
    )
    return summary.model_copy(update={"cases": cases})


def _coloured(entry: ClassInfo) -> ClassInfo:
    colour = entry.colour or PALETTE[entry.id % len(PALETTE)]
    return ClassInfo(entry.id, entry.name, colour)
