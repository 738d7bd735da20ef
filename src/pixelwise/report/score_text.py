"""People, groups, sizes and probabilities beside the scores, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pixelwise.core.records import Summary
from pixelwise.report.scores import leading_metric
from pixelwise.report.wording import metric_name, number

MAX_GROUPS = 20


def scores_text(summary: Summary, humans: Mapping[str, Summary]) -> list[Table]:
    """Tables of what a scoring has beyond its means; none if it has no more."""
    tables = []
    if humans:
        tables.append(_people(summary, humans))
    if summary.groups:
        tables.append(_groups(summary))
    if summary.probabilities:
        tables.append(_probabilities(summary))
    return tables


def _people(summary: Summary, humans: Mapping[str, Summary]) -> Table:
    key = leading_metric(summary)
    made = _table(f"{metric_name(key)} beside people, mean over the cases of each")
    made.add_column("")
    classes = [k for k in range(len(summary.class_names)) if k != summary.background]
    for k in classes:
        made.add_column(Text(summary.class_names[k]), justify="right")
    made.add_column("cases", justify="right")
    for name, scored in {"prediction": summary, **humans}.items():
        means = {m.class_id: m.mean for m in scored.metrics if m.metric == key}
        cells = [number(means.get(k)) for k in classes]
        made.add_row(Text(name), *cells, str(scored.n_cases))
    return made


def _groups(summary: Summary) -> Table:
    key = leading_metric(summary)
    classes = [k for k in range(len(summary.class_names)) if k != summary.background]
    found: dict[str, dict[int, float | None]] = {}
    counts: dict[str, int] = {}
    for entry in summary.groups:
        if entry.metric == key and entry.class_id in classes:
            found.setdefault(entry.group, {})[entry.class_id] = entry.mean
            counts[entry.group] = entry.n_cases
    shown = list(found.items())[:MAX_GROUPS]
    more = len(found) - len(shown)
    title = f"{metric_name(key)} of every group, mean over its cases"
    made = _table(f"{title}; {more} more in groups.csv (--out)" if more else title)
    made.add_column("group")
    for k in classes:
        made.add_column(Text(summary.class_names[k]), justify="right")
    made.add_column("cases", justify="right")
    for group, means in shown:
        made.add_row(Text(group), *(number(means.get(k)) for k in classes), str(counts[group]))
    return made


def _probabilities(summary: Summary) -> Table:
    made = _table("Probabilities, all pixels pooled")
    made.add_column("class")
    for head in ("ROC AUC", "PR AUC", "Brier", "ECE", "Dice at 0.5"):
        made.add_column(head, justify="right")
    for p in summary.probabilities:
        values = (p.roc_auc, p.pr_auc, p.brier, p.ece, p.dice_at_half)
        made.add_row(Text(summary.class_names[p.class_id]), *(number(v) for v in values))
    return made


def _table(caption: str) -> Table:
    made = Table(box=SIMPLE_HEAD, caption=Text(caption))
    made.caption_justify = "left"
    return made
