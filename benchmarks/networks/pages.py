"""The table of networks as Markdown, and its chart as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.networks.scatter import Dot, Panel, draw

PAGE, CHART = "docs/networks/results.md", "docs/networks/results.svg"

SCORES = {
    "chase-db1": ("mean_dice", "Dice", "vessels in fundus photographs, inside the field of view"),
    "camvid": ("mean_iou", "mIoU", "11 classes of street scenes at half resolution"),
}
"""Data set -> key of the score, its name, what the set shows."""

NEAR, SHARE = 0.01, 1 / 3
"""The light network's promise: U-Net of width 16 less this, in this share of its time."""

Result = Mapping[str, Any]


def main_score(result: Result) -> float:
    """The score that stands for a result: mean Dice of the foreground, or mean IoU."""
    key = SCORES[result["cell"]["data"]][0]
    return float(result["validation"][key])


def render(results: Sequence[Result]) -> Mapping[str, str]:
    """File names (from the top of the project) and their content."""
    by_data = {
        data: [result for result in results if result["cell"]["data"] == data] for data in SCORES
    }
    found = {data: rows for data, rows in by_data.items() if rows}
    if not found:
        return {PAGE: "# Networks compared\n\nNo cell of this table has finished yet.\n"}
    return {PAGE: _page(found), CHART: _chart(found)}


def _page(found: Mapping[str, Sequence[Result]]) -> str:
    parts = [
        "# Networks compared",
        "Every network trained by its name alone (`--set network.name=NAME`) with 5 minutes of "
        "training, seed 0; the planner chose width, patch, batch and learning rate for each. "
        "Large networks are shown at the width that the planner found for this time, and score "
        "what they score. Scores are of the validation split; test splits were not touched. One "
        "training each: differences of a point or two can be chance.",
        "![Score against time per image](results.svg)",
    ]
    for data, rows in found.items():
        key, name, text = SCORES[data]
        size = " x ".join(str(length) for length in rows[0]["image_shape"])
        parts += [
            f"## {data}",
            f"{text[0].upper()}{text[1:]}; images of {size}. {name}: "
            + (
                "mean over the images."
                if key == "mean_dice"
                else "from counts pooled over the split."
            ),
            _table(rows, name),
        ]
        claim = _claim(rows, name)
        parts += [claim] if claim else []
    parts += ["## How it was measured", _method(found)]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Result], name: str) -> str:
    head = (
        "network", "as trained", name, "images/s", "ms/image", "steps", "patches/s",
        "parameters", "receptive field",
    )  # fmt: skip
    lines = [" | ".join(head), " | ".join(["---", "---"] + ["---:"] * 7)]
    for row in sorted(rows, key=main_score, reverse=True):
        milliseconds = row["milliseconds_per_image"]
        lines.append(
            " | ".join(
                (
                    f"`{row['cell']['row']}`",
                    _as_trained(row["plan"]),
                    f"{main_score(row):.3f}",
                    f"{1000 / milliseconds:.2f}",
                    f"{milliseconds:.0f}",
                    f"{row['steps']:,}",
                    f"{row['patches_per_second']:.1f}",
                    f"{row['n_parameters']:,}",
                    _sizes(row["receptive_field"]),
                )
            )
        )
    return "\n".join(f"| {line} |" for line in lines)


def _as_trained(plan: Mapping[str, Any]) -> str:
    options = ", ".join(f"{key} {value}" for key, value in plan["network"]["options"].items())
    sampling = plan["sampling"]
    patch = "x".join(str(edge) for edge in sampling["patch"])
    return f"{options + '; ' if options else ''}{sampling['batch']} of {patch}"


def _sizes(sizes: Sequence[int] | None) -> str:
    if not sizes:
        return "whole image"
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def _claim(rows: Sequence[Result], name: str) -> str:
    named = {row["cell"]["row"]: row for row in rows}
    if not {"light", "unet-16"} <= set(named):
        return ""
    light, unet = named["light"], named["unet-16"]
    gain = main_score(light) - main_score(unet)
    share = light["milliseconds_per_image"] / unet["milliseconds_per_image"]
    is_kept = gain >= -NEAR and share <= SHARE
    return (
        f"The light network against the U-Net of width 16: {name} {gain:+.3f} at "
        f"{share:.2f} of its milliseconds per image; promised at least {-NEAR:+.2f} at no more "
        f"than {SHARE:.2f}: {'kept' if is_kept else 'not kept'}."
    )


def _method(found: Mapping[str, Sequence[Result]]) -> str:
    rows = [row for group in found.values() for row in group]
    commits = ", ".join(sorted({f"`{row['commit'][:10]}`" for row in rows}))
    days = sorted({row["date"][:10] for row in rows})
    machines = sorted(
        {f"{row['versions']['processor']}, {row['versions']['cores']} cores" for row in rows}
    )
    return (
        "`python -m benchmarks.queue measure networks`, then `run networks`, then `table "
        "networks`. The number of steps is 300 s over the step time on a quiet machine, so that "
        "other load makes a cell late but not worse. Times (steps, patches per second while "
        "training, milliseconds for one pass of the network over a whole image of the set) are "
        "those of the quiet machine. The files behind it lie in "
        f"`benchmarks/results/networks`: {len(rows)} cells, {days[0]} to {days[-1]}, commits "
        f"{commits}, on {'; '.join(machines)}."
    )


def _chart(found: Mapping[str, Sequence[Result]]) -> str:
    panels = [
        Panel(
            title=f"{data}: {SCORES[data][1]}",
            dots=[
                Dot(
                    x=row["milliseconds_per_image"],
                    y=main_score(row),
                    size=row["n_parameters"],
                    label=row["cell"]["row"],
                )
                for row in rows
            ],
        )
        for data, rows in found.items()
    ]
    return draw(panels, x_label="milliseconds per image (dot area: parameters)")
