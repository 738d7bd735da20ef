"""MONAI's sliding window and nnU-Net's predictor with our network and weights, in one process.

From a normalised image in memory to labels in memory; mirroring is off everywhere. Needs an
environment that has pixelwise, monai and nnunetv2, see `benchmarks/README.md`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.prediction.bare import OpenedRun
from benchmarks.prediction.turns import ratio, take_turns
from benchmarks.prediction.work import Work, unseen_case
from pixelwise.core.image import Array, Closing, Header, Region
from pixelwise.data.intensity import scale_for
from pixelwise.inference.predictor import Predictor

EDGE, TILE = 1536, 512
"""Windows of all three lie at the same places: the edge is a whole number of half tiles."""

ROUNDS = {"equal": 1, "defaults": 2}
LEAST_OVER_DEFAULTS = 3.0
MOST_DICE_APART = 0.002
LEAST_EQUAL = {"monai": 0.9999, "nnunet": 0.999}
"""nnU-Net sums its windows in 16-bit floats: pixels near a tie may go either way."""

Labels = npt.NDArray[np.uint8]
Way = Callable[[], Labels]


def measure(work: Work, settings: str) -> dict[str, Any]:
    """Seconds and labels of all three at equal settings, or at the defaults of each."""
    opened = OpenedRun(work.wide_run())
    case = unseen_case(2, EDGE)
    source = _ArraySource(case.image[None])
    scale = scale_for(opened.plan.intensity, source, lambda image: image)
    image = torch.from_numpy(scale.apply(source.read()))
    step = 0.5 if settings == "equal" else 0.25
    ways = {
        "monai": _monai(opened, image, step, "gaussian" if settings == "equal" else "constant"),
        "nnunet": _nnunet(opened, image),
        "ours": _ours(opened, source, scale.apply, settings),
    }
    labels = {name: way() for name, way in ways.items()}
    seconds = take_turns(ways, ROUNDS[settings])
    judge = _judge_equal if settings == "equal" else _judge_defaults
    return {
        "what": f"{EDGE} x {EDGE}, unet of width 32, {_SETTINGS[settings]}",
        "versions": {name: metadata.version(name) for name in ("monai", "nnunetv2", "torch")},
        **{f"seconds, {name}": round(min(found), 3) for name, found in seconds.items()},
        **judge(labels, seconds, case.labels),
    }


_SETTINGS = {
    "equal": f"float32, windows of {TILE}, half of them overlapping, Gaussian weights",
    "defaults": f"each at its defaults, windows of {TILE} (ours without halo), no mirroring",
}


def _judge_equal(
    labels: dict[str, Labels], seconds: dict[str, list[float]], truth: Labels
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kept = {}
    for name, least in LEAST_EQUAL.items():
        factor = ratio(seconds[name], seconds["ours"])
        equal = float((labels[name] == labels["ours"]).mean())
        found[f"{name} over ours"] = round(factor, 2)
        found[f"{name}: pixels with our label"] = round(equal, 6)
        kept[f"as fast as {name}"] = factor >= 1
        kept[f"equal to {name}"] = equal >= least
    return {**found, "kept": kept}


def _judge_defaults(
    labels: dict[str, Labels], seconds: dict[str, list[float]], truth: Labels
) -> dict[str, Any]:
    scores = {name: dice(truth, predicted) for name, predicted in labels.items()}
    found: dict[str, Any] = {f"dice, {name}": round(value, 4) for name, value in scores.items()}
    kept = {}
    for name in ("monai", "nnunet"):
        factor = ratio(seconds[name], seconds["ours"])
        found[f"{name} over ours"] = round(factor, 2)
        kept[f"{name} over ours"] = factor >= LEAST_OVER_DEFAULTS
        kept[f"dice of {name}"] = scores["ours"] >= scores[name] - MOST_DICE_APART
    return {**found, "kept": kept}


def dice(truth: Labels, predicted: Labels) -> float:
    """Dice of the foreground of two label images; 1 if both are empty."""
    both = np.count_nonzero((truth == 1) & (predicted == 1))
    total = np.count_nonzero(truth == 1) + np.count_nonzero(predicted == 1)
    return 2 * both / total if total else 1.0


def _ours(
    opened: OpenedRun, source: _ArraySource, normalise: Callable[[Array], Any], settings: str
) -> Way:
    predictor: Predictor
    if settings == "equal":
        predictor = opened.predictor("torch-float32", tile=(TILE, TILE), overlap=0.5, batch=1)
    else:
        predictor = opened.predictor("torch-bfloat16")

    def label() -> Labels:
        labels = np.zeros((EDGE, EDGE), np.uint8)
        for answer in predictor.predict(source, normalise):
            labels[answer.region] = answer.labels
        return labels

    return label


def _monai(opened: OpenedRun, image: torch.Tensor, overlap: float, mode: str) -> Way:
    from monai.inferers import sliding_window_inference

    network = copy.deepcopy(opened.network).eval()

    def label() -> Labels:
        with torch.inference_mode():
            logits = sliding_window_inference(
                image[None], (TILE, TILE), 1, network, overlap=overlap, mode=mode
            )
            found: Labels = logits.argmax(dim=1)[0].to(torch.uint8).numpy()
        return found

    return label


def _nnunet(opened: OpenedRun, image: torch.Tensor) -> Way:
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ.setdefault(name, str(Path.cwd()))
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    with contextlib.redirect_stdout(io.StringIO()):
        predictor = nnUNetPredictor(
            use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False
        )
    predictor.network = copy.deepcopy(opened.network).eval()
    predictor.configuration_manager = SimpleNamespace(patch_size=[TILE, TILE])
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=len(opened.plan.data.classes))

    def label() -> Labels:
        logits = predictor.predict_sliding_window_return_logits(image[:, None])
        found: Labels = logits.argmax(0)[0].to(torch.uint8).numpy()
        return found

    return label


class _ArraySource(Closing):
    """An array (c, y, x) as an opened image."""

    def __init__(self, values: Array) -> None:
        self._values = values
        self.header = Header(Path("array"), values.shape[1:], len(values), values.dtype, "array")

    def read(self, region: Region | None = None) -> Array:
        """(c, …) of a region."""
        part: Array = self._values if region is None else self._values[(slice(None), *region)]
        return part

    def close(self) -> None:
        """Nothing is open."""
