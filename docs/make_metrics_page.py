"""Writes docs/metrics.md: every metric with its definition, and the table of degenerate cases.

python docs/make_metrics_page.py
"""

from __future__ import annotations

import inspect
from pathlib import Path

from pixelwise.evaluation.degenerate import degenerate_table
from pixelwise.evaluation.empty_rules import RULE
from pixelwise.metrics import METRICS

PAGE = Path(__file__).with_name("metrics.md")


def render() -> str:
    """The page as text."""
    parts = [
        "# Metrics",
        "<!-- written by docs/make_metrics_page.py from the code; do not edit -->",
        "Order is always (truth, predicted). Each of these is a function of two masks in "
        "`pixelwise.metrics`, a name for `measure` and for `pixelwise evaluate`, and takes the "
        'options in its signature (`measure(truth, predicted, ["nsd:tolerance=2"])`).',
    ]
    for name in METRICS.names():
        entry = METRICS.find(name)
        options = ", ".join(
            option.name if option.is_required else f"{option.name}={option.default!r}"
            for option in entry.options.values()
        )
        parts += [f"## {name}({options})", inspect.getdoc(entry.part) or ""]
    parts += [
        "## Where something is empty",
        "Single values, for an image of 6 x 8 pixels; behind an arrow what `pixelwise evaluate` "
        "counts where that differs, so that a missed structure never improves a mean (a distance "
        "to nothing is then the image diagonal, here 10).",
        degenerate_table().rstrip(),
        RULE,
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
