"""A summary of scores as tables: per class, all metrics, confusion, cases on a line."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from pixelwise.core.records import MetricSummary, Summary
from pixelwise.report.elements import (
    Column,
    Content,
    element,
    folded,
    joined,
    scrollable,
    swatch,
    table,
)
from pixelwise.report.wording import (
    count,
    metric_digits,
    metric_direction,
    metric_facts,
    metric_name,
    metric_sentence,
    number,
    share,
    short_count,
    why_left_out,
    why_no_mean,
    why_no_spread,
    why_not_pooled,
)

PLAIN_COLOUR = "#7a8794"
DENSE_FROM = 7
"""With more classes than this the confusion table is set smaller."""

MANY_METRICS = 8
"""With more metrics than this, and few classes, each metric has a row instead of a column."""

Colours = Mapping[int, str]


def metric_keys(summary: Summary) -> list[str]:
    """The metrics of a summary in their order, the one that leads first."""
    keys = list(dict.fromkeys(metric.metric for metric in summary.metrics))
    leader = leading_metric(summary)
    return sorted(keys, key=lambda key: key != leader)


def leading_metric(summary: Summary) -> str:
    """The metric that the page is about: Dice if it was computed, else the first."""
    keys = [metric.metric for metric in summary.metrics]
    dice = next((key for key in keys if key.partition(":")[0] == "dice"), None)
    return dice or (keys[0] if keys else "dice")


def undefined(why: str) -> Markup:
    """The word "undefined" with its reason below."""
    return element("span", "undefined", element("small", why), class_="undefined")


def class_cell(summary: Summary, class_id: int, colours: Colours) -> Markup:
    """A class with its colour; the background says that foreground means leave it out."""
    note = None
    if class_id == summary.background:
        note = element("small", "not in the foreground mean")
    colour = colours.get(class_id, PLAIN_COLOUR)
    name = element("span", summary.class_names[class_id], note)
    return element("span", swatch(colour), name, class_="class-name")


def class_table(summary: Summary, key: str, colours: Colours) -> Markup:
    """One metric, class by class: mean over cases, spread, pooled, and what was empty."""
    direction = metric_direction(key, summary.unit)
    name = metric_name(key)
    columns = [
        Column("Class"),
        Column(f"Mean {name}", f"over cases; {direction}" if direction else "over cases", True),
        Column("Spread", "standard deviation", True),
        Column("Median", "", True),
        Column("Lowest", "", True),
        Column("Highest", "", True),
        Column("Pooled", "all pixels together", True),
        Column("Counted", "cases with a value", True),
        Column("Left out", "cases without", True),
        Column("Missed", "only in truth", True),
        Column("False alarm", "only predicted", True),
    ]
    if not metric_facts(key).get("pools", True):
        columns = [column for column in columns if column.head != "Pooled"]
    rows = [_class_row(summary, m, colours) for m in summary.metrics if m.metric == key]
    return table(columns, rows, caption=f"{name} of each class", class_="wide")


def metrics_table(summary: Summary, colours: Colours) -> Markup:
    """Every metric of every class: the mean over cases, with the pooled value below it."""
    keys = metric_keys(summary)
    by_place = {(m.class_id, m.metric): m for m in summary.metrics}
    rows: list[list[Content]]
    classes = range(len(summary.class_names))
    if len(keys) > MANY_METRICS and len(classes) <= DENSE_FROM:
        columns = [Column("Metric")]
        columns += [Column(summary.class_names[k], "", True) for k in classes]
        rows = [
            [
                _metric_head(key, summary.unit),
                *(_mean_cell(by_place.get((k, key))) for k in classes),
            ]
            for key in keys
        ]
    else:
        columns = [Column("Class")]
        for key in keys:
            columns.append(Column(metric_name(key), metric_direction(key, summary.unit), True))
        rows = [
            [class_cell(summary, k, colours), *(_mean_cell(by_place.get((k, key))) for key in keys)]
            for k in classes
        ]
    caption = "Mean over cases, the value of all pixels pooled below it"
    meanings = [
        element("li", element("strong", metric_name(key)), ": ", metric_sentence(key))
        for key in keys
        if metric_sentence(key)
    ]
    return joined(
        [
            table(columns, rows, caption=caption, class_="wide"),
            folded("What each metric says", element("ul", *meanings)) if meanings else None,
        ]
    )


def overall_table(summary: Summary) -> Markup:
    """The numbers over all classes, each with the way it was averaged."""
    rows = []
    for key, value in summary.overall.items():
        cell = undefined("no class has a value") if value is None else number(value)
        name, meaning = OVERALL_NAMES.get(key, (metric_name(key), ""))
        if summary.background is None:
            meaning = meaning.replace("foreground classes", "all classes")
        rows.append([name, cell, meaning])
    columns = [Column("Number"), Column("Value", "", True), Column("How it was averaged")]
    return table(columns, rows, caption="All classes together, higher is better")


OVERALL_NAMES = {
    "mean_dice": ("Mean Dice", "over cases, then over foreground classes"),
    "mean_dice_pooled": ("Pooled Dice", "from summed pixels, then over foreground classes"),
    "mean_iou": ("Mean IoU", "from summed pixels, then over all classes that occur"),
    "mean_iou_over_cases": ("Mean IoU over cases", "over cases, then over all classes"),
    "frequency_weighted_iou": (
        "Frequency-weighted IoU",
        "from summed pixels, classes weighted by their share of the truth",
    ),
    "mean_accuracy": (
        "Mean class accuracy",
        "from summed pixels: share of each class's pixels found, then over classes",
    ),
    "pixel_accuracy": ("Pixel accuracy", "share of all pixels with the right class"),
}


def confusion_table(summary: Summary) -> Markup:
    """Where the pixels of each true class went: shares of the row, counts below."""
    names = summary.class_names
    head = [element("th", "Truth ↓ predicted →", scope="col")]
    head += [element("th", name, scope="col", class_="number") for name in names]
    head.append(element("th", "Pixels", scope="col", class_="number"))
    rows = []
    for i, counts in enumerate(summary.confusion):
        total = sum(counts)
        cells = [_confusion_cell(n, total, i == j) for j, n in enumerate(counts)]
        cells.append(element("td", short_count(total), title=count(total), class_="number"))
        rows.append(element("tr", element("th", names[i], scope="row"), *cells))
    whole = element(
        "table",
        element("caption", "Share of each true class; pixel counts below"),
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="confusion dense" if len(names) > DENSE_FROM else "confusion",
    )
    return scrollable(whole, "Confusion of classes")


def _class_row(summary: Summary, metric: MetricSummary, colours: Colours) -> list[Content]:
    digits = metric_digits(metric.metric)
    mean = _or_undefined(metric.mean, why_no_mean(metric), digits)
    if metric.low is not None and metric.high is not None:
        interval = f"{number(metric.low, digits)} to {number(metric.high, digits)}"
        mean = joined([mean, element("small", interval, class_="line")])
    plain = element("span", "undefined", class_="undefined")
    spread: Content = plain
    if metric.mean is not None:
        spread = _or_undefined(metric.std, why_no_spread(metric), digits)
    cells: list[Content] = [class_cell(summary, metric.class_id, colours), mean, spread]
    for value in (metric.median, metric.minimum, metric.maximum):
        cells.append(plain if value is None else number(value, digits))
    if metric_facts(metric.metric).get("pools", True):
        cells.append(_or_undefined(metric.pooled, why_not_pooled(metric), digits))
    counted = metric.n_cases - metric.n_undefined
    why = why_left_out(metric)
    left_out = element("small", why, class_="line") if why else None
    cells += [f"{counted} of {metric.n_cases}", joined([str(metric.n_undefined), left_out])]
    return [*cells, str(metric.n_missed), str(metric.n_false_alarm)]


def _or_undefined(value: float | None, why: str, digits: int) -> Content:
    return undefined(why) if value is None else number(value, digits)


def _metric_head(key: str, unit: str) -> Content:
    direction = metric_direction(key, unit)
    return joined([metric_name(key), element("small", direction) if direction else None])


def _mean_cell(metric: MetricSummary | None) -> Content:
    if metric is None:
        return undefined("not computed")
    mean = _or_undefined(metric.mean, why_no_mean(metric), metric_digits(metric.metric))
    if metric.pooled is None:
        return mean
    pooled = element("small", f"pooled {number(metric.pooled)}")
    return joined([mean, pooled])


def _confusion_cell(n_pixels: int, total: int, is_right: bool) -> Markup:
    part = n_pixels / total if total else 0.0
    text = share(part) if total else "undefined"
    kind = "right" if is_right else "wrong"
    return element(
        "td",
        text,
        element("small", short_count(n_pixels) if total else "no such truth"),
        class_=f"number {kind}",
        style=f"--part:{part:.4f}",
        title=f"{count(n_pixels)} pixels",
    )
