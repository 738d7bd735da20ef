"""What a bundle says about itself: its plan without names of cases, its scores, its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelwise.core.plan import Plan
from pixelwise.core.records import Summary
from pixelwise.runs.folder import RunFolder

_SHOWN = ("dice", "iou")


def anonymous_plan(plan: Plan) -> Plan:
    """The plan without anything that names a case, a file or a person's choice of words."""
    data = plan.data.model_copy(update={"splits": {}})
    network = plan.network.model_copy(update={"weights": None})
    return plan.model_copy(update={"data": data, "network": network, "reasons": ()})


def plain_scores(scores: Mapping[str, Summary]) -> dict[str, Any]:
    """Scores by split: over all cases, never of a single case or group."""
    return {split: _plain_summary(summary) for split, summary in scores.items()}


def _plain_summary(summary: Summary) -> dict[str, Any]:
    classes: dict[str, dict[str, Any]] = {name: {} for name in summary.class_names}
    for row in summary.metrics:
        if row.metric in _SHOWN:
            name = summary.class_names[row.class_id]
            classes[name][row.metric] = {
                "mean": row.mean, "low": row.low, "high": row.high, "pooled": row.pooled,
            }  # fmt: skip
    return {
        "n_cases": summary.n_cases,
        "overall": dict(summary.overall),
        "classes": classes,
        "rule": summary.rule,
        "interval": summary.interval,
    }


def write_card(
    run: RunFolder, plan: Plan, head: Mapping[str, Any], agreement: Mapping[str, float]
) -> str:
    """README.md of a bundle: what it is, what it takes, how good it is, where it comes from."""
    data, name = plan.data, run.data_name()
    counts = {split: len(ids) for split, ids in data.splits.items()}
    spacing = "not stated" if data.spacing is None else f"{_list(data.spacing)} {data.unit}"
    lines = [
        f"# {name or 'Segmentation'}: {plan.network.name}",
        "",
        f"Labels every pixel of an image with one of {len(data.classes)} "
        f"{'regions, which may overlap' if data.labels.holds_regions else 'classes'}.",
        "",
        "## Use",
        "",
        "```sh",
        "pip install onnxruntime numpy" if head["form"] != "openvino" else "pip install openvino",
        "python runner.py --test",
        "python runner.py image.npy labels.npy",
        "pixelwise predict BUNDLE IMAGES --out FOLDER   # with pixelwise installed",
        "```",
        "",
        "## Input",
        "",
        f"- {data.n_dims} spatial axes, channels: {data.n_channels}, spacing: {spacing}",
        f"- intensities: {_intensity(plan)}",
        "",
        "## Output",
        "",
        *(f"- {entry.id}: {entry.name} ({entry.colour})" for entry in data.classes),
        "",
        "## Scores",
        "",
        *_score_lines(run.read_scores()),
        "",
        "## Where it comes from",
        "",
        f"- data set: {name or 'unnamed'}, cases: "
        + ", ".join(f"{split} {count}" for split, count in counts.items()),
        f"- network: {plan.network.name}, options: {dict(plan.network.options) or 'defaults'}",
        f"- loss: {plan.loss.name}; steps: {plan.training.steps or 'by time'}; "
        f"budget: {plan.training.budget_seconds or 0:.0f} s; seed: {plan.training.seed}",
        *(f"- {package}: {version}" for package, version in head["made_with"].items()),
        f"- SHA-256 of the trained weights: {head['weights_sha256']}",
        f"- precision: {head['network']['precision']}",
        *(f"- equal to {engine}: {share:.4%} of the test pixels"
          for engine, share in agreement.items()),
        "",
        "The numbers hold for images like those of the data set. A licence was not stated.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _intensity(plan: Plan) -> str:
    section = plan.intensity
    even = {
        "none": "",
        "divide": "divided by a smooth surface fitted to each image, then ",
        "subtract": "less a smooth surface fitted to each image, then ",
    }[section.shading]
    if section.scheme == "image":
        return f"{even}mean 0 and standard deviation 1, of each image and channel"
    return (
        f"{even}clipped to [{_list(section.low)}] … [{_list(section.high)}], minus "
        f"[{_list(section.centre)}], divided by [{_list(section.scale)}]"
    )


def _score_lines(scores: Mapping[str, Summary]) -> list[str]:
    if not scores:
        return ["Not scored."]
    lines = ["| split | cases | class | mean Dice | 95 % interval |", "|---|---|---|---|---|"]
    for split, summary in scores.items():
        for row in summary.metrics:
            if row.metric == "dice":
                name = summary.class_names[row.class_id]
                bounds = f"{_number(row.low)} to {_number(row.high)}"
                lines.append(
                    f"| {split} | {summary.n_cases} | {name} | {_number(row.mean)} | {bounds} |"
                )
    return lines


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
