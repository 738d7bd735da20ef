"""How good probabilities are, drawn: ROC, precision and recall, reliability; and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pixelwise.core.records import ProbabilityScores, Summary
from pixelwise.report.charts import Scale, linear_scale
from pixelwise.report.elements import Column, Content, element, joined, swatch, table
from pixelwise.report.scores import PLAIN_COLOUR, Colours
from pixelwise.report.wording import count, general, number, share

EDGE = 300
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 12, 40
MIN_RADIUS, MAX_RADIUS = 2.2, 8.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of one class: its points in the unit square, dots on them if `sizes` is given."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    sizes: Sequence[float] = ()
    labels: Sequence[str] = ()


def probability_section(summary: Summary, colours: Colours) -> Markup:
    """ROC, precision and recall, reliability of every class; what each chart says in words."""
    shown = [p for p in summary.probabilities if p.class_id != summary.background]
    legend = [
        element("li", swatch(_colour(p, colours)), summary.class_names[p.class_id]) for p in shown
    ]
    charts = [
        unit_chart(
            [_curve(summary, p, p.roc, colours) for p in shown],
            title="ROC",
            x_label="false positive rate", y_label="sensitivity", diagonal=True,
        ),
        unit_chart(
            [_curve(summary, p, p.pr, colours) for p in shown],
            title="Precision over recall", x_label="recall", y_label="precision",
        ),
        unit_chart(
            [_reliability(summary, p, colours) for p in shown],
            title="Reliability",
            x_label="probability", y_label="share that is in the class", diagonal=True,
        ),
    ]  # fmt: skip
    n_pixels = count(summary.probabilities[0].n_pixels, "pixel")
    note = (
        f"All cases pooled, {n_pixels}. On the diagonal of the reliability diagram probabilities "
        "mean what they say; below it the network is too sure. Dots are as large as the share of "
        "pixels in their bin. Expected calibration error (ECE) is above 0 for few pixels even "
        "where calibration is perfect."
    )
    return joined(
        [
            probability_table(summary, colours),
            element("ul", *legend, class_="key") if len(shown) > 1 else None,
            element("div", *charts, class_="plots"),
            element("p", note, class_="quiet"),
        ]
    )


def probability_table(summary: Summary, colours: Colours) -> Markup:
    """Areas, errors and thresholds of every class."""
    columns = [
        Column("Class"), Column("ROC AUC", "0.5 is chance", True),
        Column("PR AUC", "chance: share of the class", True),
        Column("Brier", "lower is better", True), Column("ECE", "lower is better", True),
        Column("Largest gap", "of a bin", True), Column("Dice at 0.5", "pooled", True),
        Column("Best threshold", "searched on validation only", True),
    ]  # fmt: skip
    rows = []
    for p in summary.probabilities:
        positive = share(p.n_positive / p.n_pixels) if p.n_pixels else "undefined"
        pr = joined([number(p.pr_auc), element("small", f"chance {positive}", class_="line")])
        best: Content = element("span", "not searched", class_="undefined")
        if p.best_threshold is not None:
            told = f"Dice {number(p.best_dice)}"
            best = joined([number(p.best_threshold), element("small", told, class_="line")])
        name = element(
            "span", swatch(_colour(p, colours)), element("span", summary.class_names[p.class_id]),
            class_="class-name",
        )  # fmt: skip
        values = (number(p.brier), number(p.ece), number(p.mce), number(p.dice_at_half))
        rows.append([name, number(p.roc_auc), pr, *values, best])
    return table(columns, rows, caption="Probabilities, all pixels pooled", class_="wide")


def unit_chart(
    curves: Sequence[Curve], *, title: str, x_label: str, y_label: str, diagonal: bool = False
) -> Markup:
    """Curves in the unit square."""
    x = linear_scale([0, 1], LEFT, EDGE - RIGHT, 4)
    y = linear_scale([0, 1], EDGE - BOTTOM, TOP, 4)
    parts: list[Content] = [*_grid(x, y, x_label, y_label)]
    if diagonal:
        parts.append(
            element("line", x1=x.place(0), y1=y.place(0), x2=x.place(1), y2=y.place(1),
                    class_="chance")
        )  # fmt: skip
    for curve in curves:
        parts += _drawn(curve, x, y)
    svg = element(
        "svg", element("title", title), *parts, viewBox=f"0 0 {EDGE} {EDGE}", role="img",
        class_="chart square",
    )  # fmt: skip
    return element("figure", element("figcaption", title), svg, class_="plot")


def _drawn(curve: Curve, x: Scale, y: Scale) -> list[Content]:
    if not curve.points:
        return []
    places = [(x.place(a), y.place(b)) for a, b in curve.points]
    path = "M" + "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
    drawn: list[Content] = [
        element("path", element("title", curve.name), d=path, class_="curve",
                style=f"stroke:{curve.colour}")
    ]  # fmt: skip
    for (left, top), size, label in zip(places, curve.sizes, curve.labels, strict=False):
        radius = MIN_RADIUS + (MAX_RADIUS - MIN_RADIUS) * size**0.5
        drawn.append(
            element("circle", element("title", label), cx=f"{left:.1f}", cy=f"{top:.1f}",
                    r=f"{radius:.1f}", fill=curve.colour, class_="bin")
        )  # fmt: skip
    return drawn


def _grid(x: Scale, y: Scale, x_label: str, y_label: str) -> list[Content]:
    base = EDGE - BOTTOM
    found: list[Content] = []
    for tick in x.ticks:
        at, up = f"{x.place(tick):.1f}", f"{y.place(tick):.1f}"
        found += [
            element("line", x1=LEFT, x2=EDGE - RIGHT, y1=up, y2=up, class_="grid"),
            element("text", general(tick), x=LEFT - 6, y=up, dy="0.32em", text_anchor="end"),
            element("line", x1=at, x2=at, y1=base, y2=base + 4, class_="tick"),
            element("text", general(tick), x=at, y=base + 16, text_anchor="middle"),
        ]
    middle = (LEFT + EDGE - RIGHT) / 2
    found.append(element("text", x_label, x=middle, y=EDGE - 6, text_anchor="middle"))
    turned = f"rotate(-90 11 {(TOP + base) / 2})"
    found.append(
        element("text", y_label, x=11, y=(TOP + base) / 2, text_anchor="middle", transform=turned)
    )
    return found


def _curve(
    summary: Summary, p: ProbabilityScores, points: Sequence[tuple[float, float]], colours: Colours
) -> Curve:
    return Curve(summary.class_names[p.class_id], _colour(p, colours), points)


def _reliability(summary: Summary, p: ProbabilityScores, colours: Colours) -> Curve:
    total = sum(n for _, _, n in p.reliability) or 1
    return Curve(
        summary.class_names[p.class_id],
        _colour(p, colours),
        [(confidence, frequency) for confidence, frequency, _ in p.reliability],
        [n / total for _, _, n in p.reliability],
        [
            f"mean probability {number(c)}, {share(f)} in the class, {count(n, 'pixel')}"
            for c, f, n in p.reliability
        ],
    )


def _colour(p: ProbabilityScores, colours: Colours) -> str:
    return colours.get(p.class_id, PLAIN_COLOUR)
