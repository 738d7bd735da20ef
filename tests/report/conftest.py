"""A report's content as a real run would give it, made from built-in pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from pixelwise.core.errors import Problem
from pixelwise.core.plan import Plan
from pixelwise.core.records import Facts, IntervalRecord, Summary
from pixelwise.data.synthetic import make_case
from pixelwise.evaluation import score_case, summarise
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.pictures import viewable_rgb

HOSTILE = '<img src=x onerror="document.title=1">&"\'</script><b>bold</b>'

Labels = npt.NDArray[np.uint8]
MakeContent = Callable[..., ReportContent]

COLOURS = ("#000000", "#e69f00", "#56b4e9", "#cc79a7")
NAMES = ("background", "cell", "filament", "debris")


def make_plan(n_classes: int, ids: dict[str, tuple[str, ...]]) -> Plan:
    classes = [{"id": k, "name": NAMES[k], "colour": COLOURS[k]} for k in range(n_classes)]
    to_class = {str(k): k for k in range(n_classes)} | {"255": 255}
    return Plan.model_validate(
        {
            "package_version": "0.1.0",
            "task": {"name": "semantic"},
            "data": {
                "n_dims": 2,
                "n_channels": 1,
                "classes": classes,
                "labels": {"kind": "values", "to_class": to_class},
                "splits": ids,
            },
            "intensity": {
                "scheme": "image", "centre": [80.2], "scale": [31.5], "low": [0], "high": [255],
            },
            "network": {"name": "unet", "options": {"width": 32, "depth": 4}},
            "loss": {"name": "cross-entropy and dice"},
            "sampling": {"patch": [256, 256], "batch": 8, "foreground_share": 0.33},
            "augmentation": {
                "rotation": 180, "scaling": 0.25, "shear": 0.1, "elastic": 8,
                "mirror_axes": [0, 1], "intensity": 1, "colour": 0,
            },
            "optimizer": {
                "learning_rate": 0.0003, "weight_decay": 0.01, "warmup_share": 0.05,
                "final_share": 0.01, "averaging": 0.99, "gradient_clip": 1.0,
            },
            "training": {
                "steps": 640, "budget_seconds": 300, "seed": 0, "precision": "bfloat16",
                "memory_format": "channels_last", "threads": 2, "pace": [[0, 640]],
            },
            "inference": {"tile": [448, 448], "halo": [32, 32], "batch": 2},
            "reasons": [
                {
                    "field": "sampling.patch", "value": "256 x 256, 8 at a time",
                    "fact": "the median image is 160 x 200",
                    "reason": "Patches give many different examples per image.",
                },
                {
                    "field": "network.options.width", "value": "32",
                    "fact": "given with --set", "reason": "You asked for it.",
                },
                {
                    "field": "intensity.scheme", "value": "image",
                    "fact": "image means spread by 0.61 of the spread within images",
                    "reason": "Images differ in exposure, so each is normalised by itself.",
                },
            ],
        }
    )  # fmt: skip


def make_facts(truths: dict[str, Labels], splits: dict[str, str], n_classes: int) -> Facts:
    pixels = {
        name: [int((truth == k).sum()) for k in range(n_classes)] for name, truth in truths.items()
    }
    cases = [
        {
            "id": name, "split": splits[name], "shape": truth.shape, "n_channels": 1,
            "dtype": "uint8", "class_pixels": pixels[name],
            "n_ignored": int((truth == 255).sum()),
        }
        for name, truth in truths.items()
    ]  # fmt: skip
    total = sum(sum(counts) for counts in pixels.values())
    classes = []
    for k in range(n_classes):
        n_pixels = sum(counts[k] for counts in pixels.values())
        n_cases = sum(counts[k] > 0 for counts in pixels.values())
        entry = {"id": k, "name": NAMES[k], "n_pixels": n_pixels, "n_cases": n_cases}
        classes.append(entry | {"share": n_pixels / total})
    channel = {
        "minimum": 3, "maximum": 255, "mean": 80.2, "std": 31.5,
        "percentile_005": 12, "percentile_995": 214,
    }  # fmt: skip
    counts = {s: list(splits.values()).count(s) for s in ("train", "val", "test")}
    return Facts.model_validate(
        {
            "n_dims": 2, "n_cases": counts, "cases": cases, "classes": classes,
            "channels": [channel], "median_shape": [160, 200], "spacing": None,
            "is_colour": False, "has_fov": True,
        }
    )  # fmt: skip


def make_history(n_records: int = 40) -> tuple[IntervalRecord, ...]:
    return tuple(
        IntervalRecord(
            step=16 * i,
            n_steps=16 * n_records,
            seconds=7.4 * i,
            loss=0.15 + 1.4 * 0.9**i + 0.02 * np.sin(i),
            learning_rate=3e-4 * min(1, i / 3) * (1 - i / n_records * 0.99),
            images_per_second=17.3,
            validation_score=0.85 - 0.8 * 0.85**i if i % 4 == 0 else None,
        )
        for i in range(1, n_records + 1)
    )


@pytest.fixture(scope="session")
def make_content() -> MakeContent:
    """Build content: make_content(n_classes=2, n_cases=9, hostile=False)."""

    def build(n_classes: int = 2, n_cases: int = 9, *, hostile: bool = False) -> ReportContent:
        generator = np.random.default_rng(3)
        truths: dict[str, Labels] = {}
        scores, items = [], []
        for i in range(n_cases):
            name = HOSTILE if hostile and i == 0 else f"cell-{i:02d}"
            made = make_case(i, (160, 200))
            truth = made.labels.astype(np.uint8)
            if n_classes > 2:
                truth[made.kinds == 3] = 2
            truth[:8] = 255
            truth[:, -6 - i :] = 255
            wobble = ndimage.gaussian_filter(generator.normal(size=truth.shape), 2) * (i + 1)
            predicted = np.where(wobble > 0.35, 1 - (truth > 0), truth).astype(np.uint8)
            predicted[truth == 255] = 0
            truths[name] = truth
            scores.append(score_case(name, truth, predicted, n_classes=n_classes))
            image = viewable_rgb(made.image[None])
            items.append(
                GalleryItem(name, "", scores[-1].classes[1].values["dice"], image, truth, predicted)
            )
        summary = summarise(scores, NAMES[:n_classes], n_draws=200)
        order = ("test", "val", "train")
        splits = {name: order[i % 3] for i, name in enumerate(truths)}
        ids = {s: tuple(n for n, at in splits.items() if at == s) for s in order}
        items.sort(key=lambda item: item.score or 0)
        chosen = [items[0], items[len(items) // 2], items[-1]]
        captions = ("worst", "median", "best")
        return ReportContent(
            title=f"Cells {HOSTILE}" if hostile else "Cells, five minutes",
            plan=make_plan(n_classes, ids),
            facts=make_facts(truths, splits, n_classes),
            problems=_problems(hostile),
            history=make_history(),
            summaries={"test": summary},
            gallery=[
                GalleryItem(c.case_id, text, c.score, c.image, c.truth, c.predicted)
                for c, text in zip(chosen, captions, strict=True)
            ],
            environment={"python": "3.12.1", "processor": HOSTILE if hostile else "x86-64, AVX2"},
            notes=["Validation cases share a microscope slide with training cases."],
            created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            gallery_split="test",
            run_name=f"runs/{HOSTILE}" if hostile else "runs/cells",
            data_name="cells",
        )

    return build


def _problems(hostile: bool) -> list[Problem]:
    path = f"images/{HOSTILE}.png" if hostile else "images/cell-99.png"
    unpaired = [
        Problem("there is no mask for it", "a mask with the same stem", "It is left out.",
                path.replace("99", str(90 + i)), "warning", "unpaired")
        for i in range(8)
    ]  # fmt: skip
    return [
        Problem("the colour table was read as grey values", severity="note", code="palette"),
        *unpaired,
    ]


@pytest.fixture(scope="session")
def summary(make_content: MakeContent) -> Summary:
    """The scores of nine cases of two classes."""
    return make_content().summaries["test"]
