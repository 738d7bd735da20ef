"""The planner's single choices, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pixelwise.core.records import Facts
from pixelwise.planning.choices import (
    choose_augmentation,
    choose_intensity,
    choose_patch,
    choose_tile,
)
from pixelwise.planning.volumes import choose_grid
from tests.plans import make_facts


@pytest.mark.parametrize(
    ("shape", "patch", "batch"),
    [
        ((1000, 2000), (256, 256), 4),  # 4 x 256 x 256 pixels a batch
        ((100, 300), (112, 256), 9),  # the next multiple of 16; 262144 / 28672 = 9.14
        ((20, 20), (32, 32), 32),  # 256 would fit, 32 is the most
        ((1, 1), (16, 16), 32),
        ((300, 300, 300), (48, 48, 48), 2),
        ((36, 50, 35), (40, 56, 40), 2),  # 221184 / 89600 = 2.5
        ((20, 22, 18), (20, 24, 20), 23),  # two halvings of each axis: multiples of 4
    ],
)
def test_patches(shape: tuple[int, ...], patch: tuple[int, ...], batch: int) -> None:
    facts = make_facts(shape)
    found, n_patches, reasons = choose_patch(facts, choose_grid(facts), 600.0)
    assert (found, n_patches) == (patch, batch)
    assert " x ".join(map(str, shape)) in reasons[0].fact


def test_intensities_that_mean_the_same_everywhere() -> None:
    """Means 98 and 102 spread by 2, a fifth of the deviation 10 within the images."""
    section, reason = choose_intensity(make_facts(means=(98.0, 102.0)))
    assert section.scheme == "data set"
    assert (section.centre, section.scale) == ((100.0,), (20.0,))
    # three times the range from 60 to 140 beyond it is outside of 0 to 255: nothing is cut
    assert (section.low, section.high) == ((0.0,), (255.0,))
    assert "0.20" in reason.fact


def test_intensities_that_differ_from_image_to_image() -> None:
    section, reason = choose_intensity(make_facts(means=(60.0, 140.0)))
    assert section.scheme == "image"
    assert "4.00" in reason.fact


def test_outliers_are_cut_off() -> None:
    facts = make_facts()
    channel = facts.channels[0].model_copy(
        update={"minimum": -5000.0, "maximum": 60000.0, "percentile_005": 0.0,
                "percentile_995": 100.0}
    )  # fmt: skip
    section, _ = choose_intensity(facts.model_copy(update={"channels": (channel,)}))
    assert (section.low, section.high) == ((-300.0,), (400.0,))


def volume_facts(foreground: tuple[float, ...], zero_share: float = 0.0, **more: Any) -> Facts:
    facts = make_facts((60, 60, 60), **more)
    channel = facts.channels[0].model_copy(
        update={"minimum": -1024.0, "maximum": 3000.0, "percentile_005": -1000.0,
                "percentile_995": 400.0, "foreground": foreground}
    )  # fmt: skip
    cases = tuple(c.model_copy(update={"zero_share": zero_share}) for c in facts.cases)
    return facts.model_copy(update={"channels": (channel,), "cases": cases})


def test_objects_in_a_narrow_part_of_the_intensities_get_a_window() -> None:
    """A liver: 1400 units from air to bone, of which it takes 300; one scale for all scans."""
    section, reason = choose_intensity(volume_facts((90.0, 40.0, -60.0, 240.0)))
    assert section.scheme == "data set"
    assert (section.centre, section.scale) == ((90.0,), (40.0,))
    assert (section.low, section.high) == ((-60.0,), (240.0,))
    assert "-60 to 240" in reason.reason


@pytest.mark.parametrize("foreground", [(), (90.0, 300.0, -600.0, 390.0)])
def test_objects_of_all_intensities_get_none(foreground: tuple[float, ...]) -> None:
    section, _ = choose_intensity(volume_facts(foreground))
    assert (section.centre, section.scale) == ((100.0,), (20.0,))
    assert section.high == (3000.0,)


@pytest.mark.parametrize(("share", "means", "expected"), [
    (0.4, (60.0, 140.0), True), (0.2, (60.0, 140.0), False), (0.4, (98.0, 102.0), False),
])  # fmt: skip
def test_what_was_cut_away_does_not_count(
    share: float, means: tuple[float, ...], expected: bool
) -> None:
    section, reason = choose_intensity(volume_facts((), share, means=means))
    assert section.without_zeros is expected
    assert ("do not count" in reason.reason) is expected


def test_constant_images_have_a_scale() -> None:
    facts = make_facts()
    channel = facts.channels[0].model_copy(update={"std": 0.0})
    section, _ = choose_intensity(facts.model_copy(update={"channels": (channel,)}))
    assert section.scale[0] > 0


def test_cells_have_no_direction() -> None:
    facts = make_facts().model_copy(update={"asymmetry": (0.02, 0.05)})
    section, _ = choose_augmentation(facts, (64, 64), choose_grid(facts))
    assert section.mirror_axes == (0, 1)
    assert (section.rotation, section.elastic) == (180.0, 2.0)
    assert section.colour == 0


def test_streets_have_an_up_and_a_down() -> None:
    facts = make_facts().model_copy(update={"asymmetry": (0.6, 0.05), "is_colour": True})
    section, reasons = choose_augmentation(facts, (64, 64), choose_grid(facts))
    assert section.mirror_axes == (1,)
    assert (section.rotation, section.elastic) == (10.0, 0.0)
    assert section.colour == 1
    assert reasons[0].value == "x"


@pytest.mark.parametrize("n_dims", [2, 3])
def test_tiles_have_an_edge_for_each_axis(n_dims: int) -> None:
    tile, halo = choose_tile(choose_grid(make_facts((50,) * n_dims)))
    assert len(tile) == len(halo) == n_dims
