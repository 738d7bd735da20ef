"""Every convention gives what the tool it is named after gave, recorded and, if here, live.

What the tools say is written down by `python -m benchmarks.peers.record`.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.cases import Case
from benchmarks.peers.object_tools import TOPOLOGY_TOOLS
from benchmarks.peers.record import KINDS
from benchmarks.peers.tools import TOOLS, answer, is_here
from pixelwise import metrics

RECORDED = json.loads(
    (Path(__file__).resolve().parents[2] / "benchmarks/peers/recorded.json").read_text("utf-8")
)
CASES = {kind: {case.name: case for case in make()} for kind, (_, make) in KINDS.items()}
ROUNDED = {"monai": 2e-6, "seg_metrics": 2e-6, "stardist": 1e-6}
"""Tools that count or measure in single precision."""


def of_masks(tool: str, asked: str, case: Case) -> float:
    """Our number for a question such as "hd95@percentile=60" under a tool's convention."""
    name, _, tail = asked.partition("@")
    key, _, value = tail.partition("=")
    options: dict[str, Any] = {}
    if key in ("percentile", "tolerance"):
        options[key] = float(value)
    elif key in ("norm", "connectivity"):
        options[key] = value
    elif key in ("directed", "signed"):
        options[key] = True
    elif key:
        options["direction"] = key
    if "convention" in metrics.METRICS.find(name).options:
        options["convention"] = tool
    spacing = (1.0,) * case.truth.ndim if tool == "scikit-image" else case.spacing
    return float(getattr(metrics, name)(case.truth, case.predicted, spacing, **options))


def of_objects(tool: str, asked: str, case: Case) -> float:
    """StarDist counts an IoU of exactly the threshold, MONAI does not."""
    name, _, tail = asked.partition("@")
    both = case.truth, case.predicted
    if tool == "scikit-image":
        ignored = (0,) if tail else ()
        if name == "adapted_rand":
            return metrics.adapted_rand_error(*both, ignore_labels=ignored).error
        varied = metrics.variation_of_information(*both, ignore_labels=ignored)
        return varied.split if name == "voi_split" else varied.merge
    threshold, inclusive = float(tail.partition("=")[2]), tool == "stardist"
    if name == "f1":
        return metrics.f1_at_iou(*both, iou=threshold, inclusive=inclusive)
    if name == "ap":
        return metrics.average_precision(*both, thresholds=[threshold], inclusive=inclusive)[0]
    return float(getattr(metrics.panoptic_quality(*both, iou=threshold, inclusive=inclusive), name))


def of_topology(_tool: str, asked: str, case: Case) -> float:
    name, _, tail = asked.partition("@connectivity=")
    found = metrics.betti_numbers(case.predicted, connectivity=tail)  # type: ignore[arg-type]
    return float((found.components, found.loops, found.cavities)[int(name[-1])])


def of_probabilities(tool: str, asked: str, case: Case) -> float:
    name, _, tail = asked.partition("@bins=")
    both = case.truth, case.predicted
    if tail:
        return float(getattr(metrics, name)(*both, bins=int(tail), convention=tool))
    return float(getattr(metrics, name)(*both))


OURS = {
    "masks": of_masks,
    "objects": of_objects,
    "topology": of_topology,
    "probabilities": of_probabilities,
}


def is_same(tool: str, value: float, theirs: Any) -> bool:
    expected = float(theirs)
    if math.isnan(expected) or math.isinf(expected):
        return (math.isnan(value) and math.isnan(expected)) or value == expected
    error = ROUNDED.get(tool, 1e-9)
    return value == pytest.approx(expected, rel=error, abs=error)


def is_a_defect(tool: str, asked: str, case: Case, theirs: Any) -> bool:
    """Answers that nobody should reproduce, and errors, where ours are taken instead."""
    if str(theirs).startswith("error"):
        return True
    name = asked.partition("@")[0]
    n_empty = (not case.truth.any()) + (not case.predicted.any())
    is_full = case.truth.all() or case.predicted.all()
    return (
        # A number from a distance transform without any object.
        (tool == "panoptica" and name == "hd95" and n_empty > 0)
        # 0 / 0 where one mask is empty: nothing of the other was found, which is 0.
        or (tool == "panoptica" and name == "cldice" and n_empty == 1)
        # Maurer's distances of an image without a border: about 1.8e19.
        or (tool == "seg_metrics" and is_full and name in ("hd", "hd95", "assd"))
    )


@pytest.mark.parametrize(
    ("kind", "tool"),
    [(kind, tool) for kind, found in RECORDED["answers"].items() for tool in found],
)
def test_recorded_answers(kind: str, tool: str) -> None:
    wrong, n_compared = [], 0
    for asked, answers in RECORDED["answers"][kind][tool].items():
        for name, theirs in answers.items():
            case = CASES[kind][name]
            if is_a_defect(tool, asked, case, theirs):
                continue
            n_compared += 1
            value = OURS[kind](tool, asked, case)
            if not is_same(tool, value, theirs):
                wrong.append((asked, name, value, theirs))
    assert not wrong, wrong
    assert n_compared >= 6


def test_every_tool_was_asked_about_these_very_masks() -> None:
    for kind, (tools, _) in KINDS.items():
        assert set(RECORDED["answers"][kind]) == set(tools)
        found = {name: case.checksum for name, case in CASES[kind].items()}
        assert found == RECORDED["checksums"][kind]


@pytest.mark.parametrize("tool", sorted({**TOOLS, **TOPOLOGY_TOOLS}))
def test_live_answers(tool: str) -> None:
    """Where a tool is installed it is asked again, on masks that nobody wrote down."""
    kind = "masks" if tool in TOOLS else "topology"
    module, distribution, functions = KINDS[kind][0][tool]
    if not is_here(module):
        pytest.skip(f"{distribution} is not installed")
    generator = np.random.default_rng()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asks = functions()
        for shape, spacing in (((9, 11), (2.0, 0.5)), ((6, 7, 5), (1.0, 2.0, 0.7))):
            truth, predicted = generator.random((2, *shape)) < 0.4
            case = Case("random", truth, predicted, spacing)
            for asked, ask in asks.items():
                theirs = answer(ask, truth, predicted, spacing)
                value = OURS[kind](tool, asked, case)
                assert is_same(tool, value, theirs), (asked, value, theirs, truth, predicted)
