"""Grids, slices, patches and poolings of volumes, by hand and against published plans."""

from __future__ import annotations

import pytest

from pixelwise.core.records import Facts
from pixelwise.planning.choices import choose_augmentation
from pixelwise.planning.volumes import choose_grid, topology, volume_patch
from tests.plans import make_facts


def facts_of(shape: tuple[int, ...], *spacings: tuple[float, ...]) -> Facts:
    """One case for each spacing, all of one shape."""
    facts = make_facts(shape, n_cases=len(spacings))
    cases = [
        case.model_copy(update={"spacing": spacing})
        for case, spacing in zip(facts.cases, spacings, strict=True)
    ]
    return facts.model_copy(update={"cases": tuple(cases), "unit": "mm"})


def test_equal_spacings_need_no_resampling() -> None:
    """4 % apart is the same; and so is a set that says nothing about spacing."""
    for facts in (facts_of((60, 60, 60), (1.0,) * 3, (1.04, 1.0, 1.0)), make_facts((60, 60, 60))):
        grid = choose_grid(facts)
        assert grid.geometry.spacing == ()
        assert grid.shape == (60, 60, 60)
        assert (grid.still_axis, grid.reasons) == (None, ())


def test_the_median_spacing_is_taken() -> None:
    """60 voxels of 1, 2 and 3 mm become 30, 60 and 90 of 2 mm: the median is 60."""
    grid = choose_grid(facts_of((60, 60, 60), (1.0,) * 3, (2.0,) * 3, (3.0,) * 3))
    assert grid.geometry.spacing == (2.0, 2.0, 2.0)
    assert grid.geometry.nearest_axes == ()
    assert grid.shape == (60, 60, 60)
    assert "factor of up to 3" in grid.reasons[0].fact


def test_thick_slices_take_the_tenth_percentile_and_nothing_between() -> None:
    """Of 4, 5, 6 mm the 10th percentile is 4.2; 30 slices are less than a third of 200."""
    facts = facts_of((30, 200, 200), (4.0, 1.0, 1.0), (5.0, 1.0, 1.0), (6.0, 1.0, 1.0))
    grid = choose_grid(facts)
    assert grid.geometry.spacing == (pytest.approx(4.2), 1.0, 1.0)
    assert grid.geometry.nearest_axes == (0,)
    assert grid.still_axis == 0
    assert grid.geometry.slice_axis is None
    assert grid.steps == (pytest.approx(4.2), 1.0, 1.0)
    section, _ = choose_augmentation(facts, (8, 96, 96), grid)
    assert section.still_axis == 0


def test_pictures_of_mixed_magnification() -> None:
    facts = facts_of((400, 400), (0.5, 0.5), (1.0, 1.0), (1.0, 1.0))
    assert choose_grid(facts).geometry.spacing == (1.0, 1.0)
    assert choose_grid(facts, is_spacing_given=True).geometry.spacing == ()


@pytest.mark.parametrize(
    ("shape", "spacing", "axis", "neighbours"),
    [
        ((5, 200, 200), (1.0, 1.0, 1.0), 0, 1),
        ((200, 2, 200), (1.0, 1.0, 1.0), 1, 0),
        ((40, 300, 300), (6.0, 1.0, 1.0), 0, 1),
    ],
)
def test_few_or_distant_slices_are_seen_one_by_one(
    shape: tuple[int, ...], spacing: tuple[float, ...], axis: int, neighbours: int
) -> None:
    grid = choose_grid(facts_of(shape, spacing))
    assert (grid.geometry.slice_axis, grid.geometry.neighbours) == (axis, neighbours)
    assert grid.n_slices == 1 + 2 * neighbours
    assert grid.shape == tuple(n for i, n in enumerate(shape) if i != axis)
    assert grid.steps == (1.0, 1.0)
    assert grid.still_axis == axis


def test_slices_are_never_resampled_across() -> None:
    grid = choose_grid(facts_of((40, 300, 300), (6.0, 1.0, 1.0), (8.0, 2.0, 2.0), (9.0, 2.0, 2.0)))
    assert grid.geometry.slice_axis is None  # 8 mm against 2 mm
    grid = choose_grid(facts_of((5, 300, 300), (6.0, 1.0, 1.0), (8.0, 2.0, 2.0), (9.0, 2.0, 2.0)))
    assert grid.geometry.slice_axis == 0
    assert grid.geometry.spacing == (None, 2.0, 2.0)
    assert grid.shape == (300, 300)


def test_what_was_asked_for_stays() -> None:
    facts = facts_of((5, 200, 200), (1.0,) * 3)
    grid = choose_grid(facts, asked={"slice_axis": None})
    assert grid.geometry.slice_axis is None
    assert grid.shape == (5, 200, 200)
    grid = choose_grid(facts, asked={"neighbours": 2, "spacing": [1, 2, 2]})
    assert (grid.geometry.neighbours, grid.geometry.spacing) == (2, (1, 2, 2))
    assert grid.shape == (100, 100)
    assert choose_grid(facts, asked={"slice_axis": "x"}).geometry.slice_axis is None


@pytest.mark.parametrize(
    ("shape", "steps", "n_voxels", "patch"),
    [
        ((300, 300, 300), (1.0, 1.0, 1.0), 48**3, (48, 48, 48)),
        ((36, 50, 35), (1.0, 1.0, 1.0), 10**6, (40, 56, 40)),  # hippocampus: nnU-Net's own patch
        ((20, 320, 256), (5.8, 1.0, 1.0), 64**3, (20, 128, 128)),
        ((1000, 1000, 1000), (2.0, 1.0, 1.0), 32 * 64 * 64, (32, 64, 64)),
    ],
)
def test_patches_are_as_long_along_every_axis_in_space(
    shape: tuple[int, ...], steps: tuple[float, ...], n_voxels: int, patch: tuple[int, ...]
) -> None:
    assert volume_patch(shape, steps, n_voxels) == patch


def test_poolings_of_published_plans() -> None:
    """Numbers of poolings that nnU-Net published for its patches, given enough of them."""
    for patch, steps, pools in (
        ((40, 56, 40), (1.0, 1.0, 1.0), (3, 3, 3)),
        ((128, 128, 128), (1.0, 1.0, 1.0), (5, 5, 5)),
        ((20, 320, 256), (5.8, 1.0, 1.0), (2, 6, 6)),
        ((80, 192, 160), (1.0, 1.0, 1.0), (4, 5, 5)),
    ):
        strides, kernels = topology(patch, steps, most=9)
        assert tuple(sum(s == 2 for s in axis) for axis in zip(*strides, strict=True)) == pools
        assert len(kernels) == len(strides)


def test_kernels_grow_where_voxels_have_become_cubes() -> None:
    """z is 5 times as long; when the plane has come to 4, that is less than twice the finest."""
    strides, kernels = topology((16, 64, 64), (5.0, 1.0, 1.0), most=3)
    assert strides == ((1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2))
    assert kernels == ((1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3))
