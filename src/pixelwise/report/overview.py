"""The opening of a report: the result in a sentence, what was done, what is wrong, what next."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from pixelwise.core.errors import Problem
from pixelwise.core.quantities import format_duration
from pixelwise.core.records import MetricSummary, Summary
from pixelwise.report.content import ReportContent
from pixelwise.report.elements import commands, element, folded, joined
from pixelwise.report.scores import leading_metric
from pixelwise.report.wording import (
    count,
    listed,
    main_split,
    metric_direction,
    metric_name,
    number,
    shape_text,
    split_name,
)

MAX_PATHS = 3
"""Of files with the same problem this many are named, the rest can be unfolded."""

MARKS = {"error": "Error", "warning": "Warning", "note": "Note"}


def headline(content: ReportContent) -> Markup:
    """The score, large, and one sentence that says exactly what it is."""
    split = main_split(content.summaries)
    if split is None:
        return element(
            "p",
            "No split was scored, so nothing can be said yet about how good the run is.",
            class_="verdict",
        )
    summary = content.summaries[split]
    key = leading_metric(summary)
    score = headline_score(summary)
    return element(
        "div",
        element(
            "p",
            element("span", f"Mean {metric_name(key)}", class_="score-name"),
            element("span", number(score), class_="score-value"),
            class_="score-line",
        ),
        element("p", headline_sentence(summary, split), class_="verdict"),
        class_="headline",
    )


def headline_score(summary: Summary) -> float | None:
    """The leading metric averaged over cases, then over the foreground classes."""
    key = leading_metric(summary)
    means = [m.mean for m in _foreground(summary, key) if m.mean is not None]
    return sum(means) / len(means) if means else None


def headline_sentence(summary: Summary, split: str = "") -> str:
    """What the headline number is: metric, averaging, classes, split, number of cases."""
    key = leading_metric(summary)
    cases = count(summary.n_cases, f"{split_name(split)} case".strip())
    foreground = _foreground(summary, key)
    valued = [m for m in foreground if m.mean is not None]
    if not valued:
        return (
            f"The {metric_name(key)} of the {cases} is undefined: no foreground class has a "
            "value in any of them."
        )
    if len(foreground) == 1:
        only = foreground[0]
        of_class = f"of “{summary.class_names[only.class_id]}”"
        text = f"Mean {metric_name(key)} {of_class} over {cases}"
        if only.low is not None and only.high is not None:
            text += f" (95 % interval {number(only.low)} to {number(only.high)})"
    else:
        kind = "foreground classes" if summary.background is not None else "classes"
        text = f"Mean {metric_name(key)} over {cases}, then over {len(valued)} {kind}"
    text += f"; {metric_direction(key, summary.unit)}." if metric_direction(key, "") else "."
    pooled = [m.pooled for m in foreground if m.pooled is not None]
    if pooled:
        text += f" With the pixels of all cases pooled it is {number(sum(pooled) / len(pooled))}."
    missing = [summary.class_names[m.class_id] for m in foreground if m.mean is None]
    if missing:
        verb = "has" if len(missing) == 1 else "have"
        text += f" {listed(missing)} {verb} no value in any case: left out."
    return text


def key_facts(content: ReportContent) -> Markup:
    """What was trained, on what, for how long, as a short list."""
    plan, facts = content.plan, content.facts
    n_cases = {s: n for s, n in facts.n_cases.items() if n}
    data = listed([f"{n} {split_name(s)}" for s, n in n_cases.items()])
    classes = listed([entry.name for entry in plan.data.classes[:6]])
    more = len(plan.data.classes) - 6
    if more > 0:
        classes = f"{', '.join(c.name for c in plan.data.classes[:6])} and {more} more"
    options = ", ".join(f"{key} {value}" for key, value in plan.network.options.items())
    size = f"median {shape_text(facts.median_shape)} pixels"
    channels = count(plan.data.n_channels, "channel")
    entries = [
        ("Data", f"{content.data_name}: {data} cases" if content.data_name else f"{data} cases"),
        ("Images", f"{size}, {channels}"),
        ("Classes", classes),
        ("Network", f"{plan.network.name}{f' ({options})' if options else ''}"),
        ("Training", training_sentence(content)),
    ]
    items = [element("div", element("dt", name), element("dd", text)) for name, text in entries]
    return element("dl", *items, class_="facts")


def training_sentence(content: ReportContent) -> str:
    """How long was trained, in steps and in time."""
    if not content.history:
        return "no step was taken"
    last = content.history[-1]
    duration = format_duration(last.seconds)
    budget = content.plan.training.budget_seconds
    allowed = f" of {format_duration(budget)} allowed" if budget else ""
    threads = count(content.plan.training.threads, "thread")
    planned = f" of {count(last.n_steps)}" if last.step < last.n_steps else ""
    return (
        f"{count(last.step)}{planned} steps in {duration}{allowed}, {threads}, "
        f"{content.plan.training.precision}"
    )


def problem_list(problems: Sequence[Problem]) -> Markup:
    """Problems, the worst first; the same problem of many files is said once."""
    if not problems:
        return element("p", "No problem was found in the data, the training or the scores.")
    alike: dict[Problem, list[str]] = defaultdict(list)
    for problem in problems:
        alike[replace(problem, path="")].append(problem.path)
    order = list(MARKS)
    kinds = sorted(alike, key=lambda problem: order.index(problem.severity))
    return element("ul", *(_problem_item(p, alike[p]) for p in kinds), class_="problems")


def note_list(notes: Sequence[str]) -> Markup | None:
    """What has to be said aloud before anybody reads the numbers."""
    if not notes:
        return None
    return element("ul", *(element("li", note) for note in notes), class_="notes")


def next_steps(content: ReportContent) -> Markup:
    """What can be done with the run now, as commands."""
    run = shlex.quote(content.run_name or "RUN")
    return joined(
        [
            element("p", "Label new images of any size (one label file for each):"),
            commands(f"pixelwise predict {run} IMAGES --out LABELS"),
            element("p", "Score labels against a truth, or this run on one of its splits:"),
            commands(
                "pixelwise evaluate --truth FOLDER --predicted LABELS",
                f"pixelwise evaluate {run} --split test",
            ),
        ]
    )


def repeat_steps(content: ReportContent) -> Markup:
    """How the same run is made again."""
    run = content.run_name or "RUN"
    plan = shlex.quote(f"{run}/plan.json")
    again = shlex.quote(f"{run}-again")
    return joined(
        [
            element(
                "p",
                "The plan holds every setting, the seed and the steps really taken. With the same "
                "versions on the same kind of processor it gives the same weights:",
            ),
            commands(f"pixelwise train DATA --plan {plan} --run {again}"),
        ]
    )


def _foreground(summary: Summary, key: str) -> list[MetricSummary]:
    return [m for m in summary.metrics if m.metric == key and m.class_id != summary.background]


def _problem_item(problem: Problem, all_paths: Sequence[str]) -> Markup:
    paths = [path for path in all_paths if path]
    what = problem.what.rstrip(".") + "."
    expected = f"Expected: {problem.expected.rstrip('.')}. " if problem.expected else ""
    if len(paths) == 1:
        said = element("p", element("code", paths[0]), f": {what}")
    else:
        files = f"{count(len(paths), 'file')}: " if paths else ""
        said = element("p", files + (what if files else what[:1].upper() + what[1:]))
    advice = expected + problem.remedy
    return element(
        "li",
        element("span", MARKS[problem.severity], class_="tag"),
        element(
            "div",
            said,
            element("p", advice, class_="quiet") if advice else None,
            _path_list(paths) if len(paths) > 1 else None,
        ),
        class_=problem.severity,
    )


def _path_list(paths: Sequence[str]) -> Markup:
    items = [element("li", element("code", path)) for path in paths]
    if len(items) <= MAX_PATHS + 1:
        return element("ul", *items, class_="paths")
    more = folded(
        f"{len(items) - MAX_PATHS} more", element("ul", *items[MAX_PATHS:], class_="paths")
    )
    return joined([element("ul", *items[:MAX_PATHS], class_="paths"), more])
