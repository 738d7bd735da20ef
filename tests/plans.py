"""A small plan, and facts, as tests of planning, runs and commands need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixelwise.core.case import Case, ClassInfo, DataSet, LabelMeaning
from pixelwise.core.plan import Plan
from pixelwise.core.records import CaseFacts, ChannelFacts, ClassFacts, Facts

STORED: dict[str, Any] = {
    "format_version": 1,
    "package_version": "0.1.0",
    "task": {"name": "semantic", "options": {}},
    "data": {
        "n_dims": 2,
        "n_channels": 1,
        "classes": [
            {"id": 0, "name": "background", "colour": "#000000"},
            {"id": 1, "name": "cell", "colour": "#3cb44b"},
        ],
        "labels": {"kind": "values", "to_class": {"0": 0, "255": 1}},
        "splits": {"train": ["a", "b"], "val": ["c"], "test": []},
    },
    "intensity": {
        "scheme": "data set", "centre": [100.0], "scale": [50.0], "low": [0.0], "high": [255.0],
    },
    "network": {"name": "unet", "options": {"width": 4, "depth": 1}},
    "loss": {"name": "cross-entropy-dice", "options": {}},
    "sampling": {"patch": [32, 32], "batch": 2, "foreground_share": 0.5},
    "augmentation": {
        "rotation": 180.0, "scaling": 0.25, "shear": 0.1, "elastic": 1.0, "mirror_axes": [0, 1],
        "intensity": 1.0, "colour": 0.0,
    },
    "optimizer": {
        "learning_rate": 0.003, "weight_decay": 0.01, "warmup_share": 0.05, "final_share": 0.01,
        "averaging": 0.9, "gradient_clip": 5.0,
    },
    "training": {
        "steps": None, "budget_seconds": 60.0, "seed": 0, "precision": "float32",
        "memory_format": "contiguous", "threads": 1,
    },
    "inference": {"tile": [64, 64], "halo": [8, 8], "batch": 1},
    "reasons": [
        {"field": "sampling.batch", "value": "2", "fact": "small images", "reason": "They fit."},
    ],
}  # fmt: skip
"""The JSON of a plan; copy it (copy.deepcopy) before changing it."""


def make_plan() -> Plan:
    """The plan of STORED."""
    return Plan.model_validate(STORED)


def make_facts(
    shape: tuple[int, ...] = (100, 100), *, n_cases: int = 4, means: tuple[float, ...] = ()
) -> Facts:
    """Facts about cases of one shape, one channel, two classes; `means` of their intensities."""
    given = means or (100.0,) * n_cases
    cases = tuple(
        CaseFacts(
            id=f"case-{i}",
            split="train",
            shape=shape,
            n_channels=1,
            dtype="uint8",
            class_pixels=(90, 10),
            n_ignored=0,
            means=(mean,),
            stds=(10.0,),
        )
        for i, mean in enumerate(given)
    )
    return Facts(
        n_dims=len(shape),
        n_cases={"train": len(cases)},
        cases=cases,
        classes=(
            ClassFacts(id=0, name="background", n_pixels=360, share=0.9, n_cases=4),
            ClassFacts(id=1, name="cell", n_pixels=40, share=0.1, n_cases=4),
        ),
        channels=(
            ChannelFacts(
                minimum=0, maximum=255, mean=100, std=20, percentile_005=60, percentile_995=140
            ),
        ),
        median_shape=shape,
        spacing=None,
        is_colour=False,
        has_fov=False,
    )


def make_dataset(n_cases: int = 4) -> DataSet:
    """The data set that belongs to `make_facts`."""
    cases = tuple(
        Case(f"case-{i}", Path(f"/data/{i}.png"), Path(f"/data/m{i}.png"), split="train")
        for i in range(n_cases)
    )
    classes = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "cell", "#3cb44b"))
    meaning = LabelMeaning("values", {"0": 0, "255": 1}, "0 is background, 255 is cell")
    return DataSet(Path("/data"), "cells", cases, classes, meaning)
