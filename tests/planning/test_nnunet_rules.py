"""nnU-Net's rules against published plans, rows worked out elsewhere, and its own planner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pixelwise.planning.nnunet_rules import (
    PICTURE_SPACING,
    Configuration,
    Fingerprint,
    count_elements,
    plan_configurations,
    target_spacing,
)

RECORDED = Path(__file__).parents[2] / "benchmarks" / "peers" / "nnunet_plans.json"


def pictures(height: int, width: int, n_cases: int, n_labels: int) -> Fingerprint:
    return Fingerprint(((1, height, width),) * n_cases, (PICTURE_SPACING,) * n_cases, n_labels)


def volumes(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], n_cases: int, n_labels: int
) -> Fingerprint:
    return Fingerprint((shape,) * n_cases, (spacing,) * n_cases, n_labels)


@pytest.mark.parametrize(
    ("fingerprint", "patch", "stages", "elements", "batch"),
    [
        (pictures(584, 565, 20, 2), (640, 640), 8, 129_373_800, 2),
        (pictures(960, 999, 20, 2), (1024, 1024), 9, 331_311_744, 2),
        (pictures(512, 512, 30, 2), (512, 512), 8, 82_799_232, 2),
        (pictures(360, 480, 367, 12), (384, 512), 7, 64_634_112, 16),
        (pictures(256, 256, 670, 2), (256, 256), 7, 20_671_104, 34),
    ],
)
def test_pictures(
    fingerprint: Fingerprint, patch: tuple[int, int], stages: int, elements: int, batch: int
) -> None:
    """Rows that were worked out apart; they count the scores of every scale, nnU-Net of one."""
    found = plan_configurations(fingerprint)
    assert found.three is None and found.low is None
    assert (found.two.patch, found.two.stages, found.two.batch) == (patch, stages, batch)
    lower = sum(patch[0] * patch[1] // 4**level for level in range(1, stages - 1))
    assert found.two.estimate + fingerprint.n_labels * lower == elements


@pytest.mark.parametrize(
    ("fingerprint", "patch", "batch", "pools"),
    [
        (volumes((36, 50, 35), (1.0, 1.0, 1.0), 260, 3), (40, 56, 40), 9, (3, 3, 3)),
        (volumes((138, 170, 138), (1.0, 1.0, 1.0), 484, 4), (128, 128, 128), 2, (5, 5, 5)),
        (volumes((20, 320, 319), (3.6, 0.625, 0.625), 32, 3), (20, 320, 256), 2, (2, 6, 6)),
    ],
)
def test_volumes(
    fingerprint: Fingerprint, patch: tuple[int, ...], batch: int, pools: tuple[int, ...]
) -> None:
    """Plans that are published: Hippocampus, brain tumours, prostate of the decathlon."""
    found = plan_configurations(fingerprint).three
    assert found is not None
    assert (found.patch, found.batch) == (patch, batch)
    halved = tuple(sum(stride[axis] == 2 for stride in found.strides) for axis in range(3))
    assert halved == pools


def test_the_coarsest_axis_comes_first() -> None:
    """Slices across x, 3.6 apart: planned as those across z, and told which axis they are."""
    along_z = plan_configurations(volumes((20, 320, 319), (3.6, 0.625, 0.625), 32, 3))
    along_x = plan_configurations(volumes((320, 319, 20), (0.625, 0.625, 3.6), 32, 3))
    assert (along_z.axes, along_x.axes) == ((0, 1, 2), (2, 0, 1))
    assert along_x.three == along_z.three
    assert along_x.two == along_z.two


def test_thick_slices_are_resampled_to_the_finest_tenth() -> None:
    """Median 5, but at most a tenth are 4 apart or less: 4.1 between the first two of eleven."""
    steps = [4.0, 4.1, *[5.0] * 9]
    spacings = tuple((step, 0.5, 0.5) for step in steps)
    found = target_spacing(Fingerprint(((20, 300, 300),) * 11, spacings, 2))
    assert list(found) == pytest.approx([4.1, 0.5, 0.5])
    many_slices = Fingerprint(((150, 300, 300),) * 11, spacings, 2)
    assert list(target_spacing(many_slices)) == pytest.approx([5.0, 0.5, 0.5])


def test_a_patch_that_shows_little_calls_for_a_coarser_grid() -> None:
    """512 x 512 x 300 of 0.8 mm: one patch of 128^3 shows 3 %; the coarser one a quarter."""
    found = plan_configurations(volumes((300, 512, 512), (0.8, 0.8, 0.8), 100, 3))
    assert found.three is not None and found.low is not None
    shown = _shown(found.three), _shown(found.low)
    assert shown[0] < 0.05 and 0.25 <= shown[1] < 0.3
    assert all(b > a for a, b in zip(found.three.spacing, found.low.spacing, strict=True))
    assert plan_configurations(volumes((36, 50, 35), (1.0, 1.0, 1.0), 260, 3)).low is None


def _shown(configuration: Configuration) -> float:
    share = 1.0
    for edge, length in zip(configuration.patch, configuration.median_shape, strict=True):
        share *= edge / length
    return share


def test_more_memory_gives_larger_batches() -> None:
    found = [plan_configurations(pictures(512, 512, 3000, 2), gb).two.batch for gb in (8, 16)]
    assert found == [12, 25]


def test_elements_by_hand() -> None:
    """8 x 8, halved once, 2 classes: 32 maps of 64 pixels five times, 64 of 16 twice, scores."""
    assert count_elements((8, 8), ((1, 1), (2, 2)), 2) == 5 * 32 * 64 + 2 * 64 * 16 + 2 * 64


@pytest.mark.parametrize("name", sorted(json.loads(RECORDED.read_text())["sets"]))
def test_equal_to_its_own_planner(name: str) -> None:
    """What nnunetv2 itself answered on real sets: fingerprint in, every configuration out."""
    entry = json.loads(RECORDED.read_text())["sets"][name]
    fingerprint = Fingerprint(
        tuple(tuple(shape) for shape in entry["shapes"]),
        tuple(tuple(spacing) for spacing in entry["spacings"]),
        entry["n_labels"],
    )
    found = plan_configurations(fingerprint)
    assert list(found.axes) == entry["axes"]
    for key, configuration in (
        ("2d", found.two),
        ("3d_fullres", found.three),
        ("3d_lowres", found.low),
    ):
        wanted = entry["configurations"].get(key)
        assert (configuration is None) == (wanted is None), key
        if configuration is not None:
            _compare(configuration, wanted)


def _compare(found: Configuration, wanted: dict[str, Any]) -> None:
    assert list(found.patch) == wanted["patch"]
    assert found.batch == wanted["batch"]
    assert [list(stride) for stride in found.strides] == wanted["strides"]
    assert [list(kernel) for kernel in found.kernels] == wanted["kernels"]
    assert list(found.spacing) == pytest.approx(wanted["spacing"], rel=1e-9)
    assert list(found.median_shape) == pytest.approx(wanted["median_shape"])
    assert found.estimate == wanted["estimate"]
