"""Volumes: training on 48 x 48 x 48 patches, and labelling a whole brain, against bare networks.

Labelling takes mni152-tissue where PIXELWISE_DATA has it, else a generated volume of its size.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.speed.memory import peak_of_command
from pixelwise.commands.load_predictor import make_predictor, torch_engine
from pixelwise.core.plan import (
    AugmentationSection,
    OptimizerSection,
    SamplingSection,
    TrainingSection,
)
from pixelwise.core.runtime import MEMORY_FORMATS, usable_cores, use_threads
from pixelwise.data.case_store import DecodedCase
from pixelwise.data.intensity import measured_scale
from pixelwise.data.patches import PatchSampler
from pixelwise.inference.labeller import LabelOutput, label_image
from pixelwise.inference.predictor import Predictor
from pixelwise.inference.tiles import read_tile
from pixelwise.learning.fit import Until, fit
from pixelwise.learning.state import start_state
from pixelwise.losses import LOSSES
from pixelwise.networks import NetworkIO, build_network, field_of
from pixelwise.readers import create_labels, open_image
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network

ROUNDS, STEPS = 5, 2
EDGE, BATCH, WIDTH = 48, 2, 16
BRAIN = (197, 233, 189)
TRAINING_STEPS = 3

LEAST_OVER_PLAIN = {"bfloat16": 2.0, "float32": 1.0}
LEAST_OF_BARE = 0.95
MOST_BYTES = 3e9

Step = Callable[[], None]


def measure() -> dict[str, Any]:
    """Training and labelling; in each the two ways take turns, ratios are medians of rounds."""
    use_threads(usable_cores())
    training = _measure_training()
    with tempfile.TemporaryDirectory() as name:
        labelling = _measure_labelling(Path(name))
    kept = {**training.pop("kept"), **labelling.pop("kept")}
    return {**training, **labelling, "kept": kept}


def _measure_training() -> dict[str, Any]:
    has_bfloat16 = "avx512" in torch.backends.cpu.get_cpu_capability().lower()
    precision = "bfloat16" if has_bfloat16 else "float32"
    ways = {"ours": _our_step(precision), "plain": _plain_step()}
    seconds = _take_turns(ways, STEPS)
    ratio = _ratio(seconds["plain"], seconds["ours"])
    return {
        "training": f"unet, width {WIDTH}, batch {BATCH}, patch {EDGE} cubed, {precision}",
        "seconds_a_step_ours": round(min(seconds["ours"]) / STEPS, 3),
        "seconds_a_step_plain": round(min(seconds["plain"]) / STEPS, 3),
        "training_over_plain": round(ratio, 2),
        "kept": {"training_over_plain": ratio >= LEAST_OVER_PLAIN[precision]},
    }


class _OneCase:
    """A store of one generated case."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        pixels = random.normal(100, 20, (1, 64, 64, 64)).astype(np.float32)
        labels = (random.random((64, 64, 64)) < 0.3).astype(np.uint8)
        positions = {1: np.flatnonzero(labels)[:4096]}
        self._case = DecodedCase(pixels, labels, measured_scale(pixels.reshape(1, -1)), positions)

    def get(self, index: int) -> DecodedCase:
        return self._case


def _build() -> nn.Module:
    torch.manual_seed(0)
    return build_network("unet", NetworkIO(3, 1, 3), {"width": WIDTH, "depth": 3})


def _our_step(precision: str) -> Step:
    """Drawing and augmenting a batch, forward, loss, backward, optimizer, average."""
    sampler = PatchSampler(
        _OneCase(),
        SamplingSection(patch=(EDGE,) * 3, batch=BATCH, foreground_share=0.5),
        AugmentationSection(
            rotation=20, scaling=0.25, shear=0.1, elastic=1.5, mirror_axes=(0,), intensity=1,
            colour=0,
        ),
        class_pixels=np.array([[70, 30, 0]]),
        seed=0,
    )  # fmt: skip
    optimizer = OptimizerSection(
        learning_rate=3e-3, weight_decay=0.01, warmup_share=0.05, final_share=0.01,
        averaging=0.99, gradient_clip=5.0,
    )  # fmt: skip
    training = TrainingSection.model_validate(
        {"steps": None, "budget_seconds": None, "seed": 0, "precision": precision,
         "memory_format": "channels_last", "threads": usable_cores(), "pace": ((0, 10_000),)}
    )  # fmt: skip
    state = start_state(_build(), optimizer, training, n_dims=3)
    loss = LOSSES.build("cross-entropy-dice", options={})

    def step() -> None:
        for _ in fit(state, sampler.draw, loss, optimizer, Until(n_steps=state.step + 1)):
            pass

    return step


def _plain_step() -> Step:
    """What one writes first: float32, contiguous, a ready batch, cross-entropy, AdamW."""
    network = _build().train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    images = torch.randn(BATCH, 1, EDGE, EDGE, EDGE)
    target = torch.randint(0, 3, (BATCH, EDGE, EDGE, EDGE))

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(images), target).backward()
        optimizer.step()

    return step


def _measure_labelling(folder: Path) -> dict[str, Any]:
    data, what = _brain(folder)
    run = folder / "run"
    settings = ("--set", f"training.steps={TRAINING_STEPS}", "--set", "training.validation_cases=0")
    peak_of_command("train", data, "--run", run, "--budget", "5m", "--no-thumbnails", *settings)
    image = next((data / "images").iterdir())
    peak = peak_of_command("predict", run, image, "--out", folder / "predicted")
    ways, plan = _labelling_ways(run, image, folder)
    seconds = _take_turns(ways, 1)
    ratio = _ratio(seconds["bare"], seconds["ours"])
    rate = np.prod(BRAIN) / min(seconds["ours"])
    return {
        "labelling": f"{what}, {plan.network.name}, {plan.training.precision}",
        "voxels_per_second": int(rate),
        "labelling_over_bare": round(ratio, 3),
        "labelling_peak_gb": round(peak / 1e9, 2),
        "kept": {
            "labelling_over_bare": ratio >= LEAST_OF_BARE,
            "labelling_peak": peak < MOST_BYTES,
        },
    }


def _brain(folder: Path) -> tuple[Path, str]:
    given = Path(os.environ.get("PIXELWISE_DATA", "")) / "mni152-tissue"
    if given.is_dir():
        return given.resolve(), "mni152-tissue"
    random = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in BRAIN), indexing="ij", sparse=True)
    radius = np.sqrt(sum(axis**2 for axis in axes))
    labels = (3 - np.digitize(radius, (0.4, 0.6, 0.8))).astype(np.uint8)
    grey = np.clip(60 * labels + random.normal(0, 10, BRAIN), 0, 255).astype(np.uint8)
    data = folder / "data"
    for kind, values in (("images", grey), ("masks", labels)):
        place = data / kind / "brain.npy"
        place.parent.mkdir(parents=True)
        np.save(place, values)
    return data, "generated, 197 x 233 x 189"


def _labelling_ways(run: Path, image: Path, folder: Path) -> tuple[dict[str, Step], Any]:
    """From file to file, and the run's network alone on the tiles of that, in its arithmetic."""
    opened = open_run(run)
    plan = opened.read_plan()
    network = load_network(opened, plan)
    predictor = make_predictor(torch_engine(network, plan), field_of(network), plan)
    if not isinstance(predictor, Predictor):
        raise RuntimeError("the plan has a grid of its own: this compares equal tiles")
    layout = MEMORY_FORMATS[plan.training.memory_format, 3]
    network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in the stub
    with open_image(image) as source:
        scale = measured_scale(source.read().reshape(1, -1))
        grid = predictor.lay_tiles(source.header.shape)
        tiles = [
            torch.from_numpy(scale.apply(read_tile(source, grid, t)))[None] for t in grid.tiles()
        ]

    def ours() -> None:
        with (
            open_image(image) as source,
            create_labels(folder / "labels.nii.gz", replace(source.header, palette=None)) as sink,
        ):
            label_image(
                predictor, source, scale.apply, LabelOutput(sink), n_classes=len(plan.data.classes)
            )

    def bare() -> None:
        is_bfloat16 = plan.training.precision == "bfloat16"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
            for tile in tiles:
                network(tile.to(memory_format=layout))

    return {"ours": ours, "bare": bare}, plan


def _take_turns(ways: dict[str, Step], repeats: int) -> dict[str, list[float]]:
    """Seconds of each way, round after round; the first round only warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(ROUNDS + 1):
        for name, step in ways.items():
            started = time.perf_counter()
            for _ in range(repeats):
                step()
            if round_number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _ratio(slow: list[float], fast: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
