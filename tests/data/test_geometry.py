"""Other grids: nothing moves, ramps stay ramps, and parts are made as the whole is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pixelwise.core.image import Array, Header, Region, whole_region
from pixelwise.core.plan import GeometrySection
from pixelwise.data.geometry import (
    Regrid,
    ResampledSource,
    grid_spacing,
    regrid_for,
    resample_labels,
    target_shape,
)


class Held:
    """An image in memory that notes what is read of it."""

    def __init__(self, values: Array, spacing: tuple[float, ...] | None = None, unit: str = "mm"):
        self.values = values
        self.header = Header(
            Path("held.nii"), values.shape[1:], len(values), values.dtype, "NIfTI", spacing, unit
        )
        self.n_read = 0

    def read(self, region: Region | None = None) -> Array:
        part = self.values[(slice(None), *(region or whole_region(self.values.shape[1:])))]
        self.n_read += part.size
        return part

    def close(self) -> None:
        pass


def whole(regrid: Regrid) -> tuple[Region, Region]:
    return whole_region(regrid.shape), whole_region(regrid.goal)


def test_shapes_follow_the_spacing() -> None:
    """round(n x old / new): 50 x 1.5 / 1 = 75, 21 x 1 / 2 = 10.5 (to even), None is left alone."""
    assert target_shape((50, 21, 9), (1.5, 1.0, 5.0), (1.0, 2.0, None)) == (75, 10, 9)
    assert target_shape((3, 100), (0.1, 1.04), (1.0, 1.0)) == (1, 100)


@pytest.mark.parametrize("method", ["linear", "cubic"])
@pytest.mark.parametrize(("old", "new"), [(10, 15), (10, 23), (23, 10), (20, 7), (12, 4), (30, 29)])
def test_a_ramp_in_space_stays_the_ramp(method: str, old: int, new: int) -> None:
    """The value is the place of the pixel's centre; away from the ends it stays exactly that."""
    length = 60.0
    regrid = Regrid((old,), (new,), (method,))  # type: ignore[arg-type]
    ramp = (np.arange(old) + 0.5) * length / old
    found = regrid.apply(ramp[None], *whole(regrid))[0]
    expected = (np.arange(new) + 0.5) * length / new
    reach = 2.5 * length / min(old, new)
    inside = (expected > reach) & (expected < length - reach)
    assert inside.sum() >= 1 or new < 6
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-5)


@pytest.mark.parametrize(("old", "new"), [(40, 60), (40, 100), (60, 40), (100, 25), (41, 57)])
def test_nothing_moves_by_half_a_pixel(old: int, new: int) -> None:
    """The centre of mass of a blob stays where it is in space, there and back, on both sides."""
    places = (np.arange(old) + 0.5) / old
    fine = (np.arange(new) + 0.5) / new
    for centre in (0.3, 0.5, 0.71):
        blob = np.exp(-0.5 * ((places - centre) / 0.07) ** 2)
        regrid = Regrid((old,), (new,), ("linear",))
        there = regrid.apply(blob[None], *whole(regrid))
        back = regrid.back().apply(there, *whole(regrid.back()))
        assert (there[0] @ fine) / there.sum() == pytest.approx(centre, abs=0.05 / max(old, new))
        assert (back[0] @ places) / back.sum() == pytest.approx(centre, abs=0.05 / max(old, new))


def test_halving_takes_means_and_doubling_quarters() -> None:
    """By hand: means of pairs; and 3/4 of the nearer and 1/4 of the farther neighbour."""
    halve = Regrid((6,), (3,), ("linear",))
    values = np.array([[1.0, 3, 5, 9, 2, 4]])
    np.testing.assert_allclose(halve.apply(values, *whole(halve)), [[2, 7, 3]], rtol=1e-6)
    double = Regrid((3,), (6,), ("linear",))
    found = double.apply(np.array([[0.0, 4, 8]]), *whole(double))
    np.testing.assert_allclose(found, [[0, 1, 3, 5, 7, 8]], rtol=1e-6)


def test_the_cubic_kernel_keeps_parabolas() -> None:
    regrid = Regrid((20,), (33,), ("cubic",))
    places = (np.arange(33) + 0.5) * 20 / 33 - 0.5
    found = regrid.apply((np.arange(20.0) ** 2)[None], *whole(regrid))[0]
    np.testing.assert_allclose(found[4:-4], places[4:-4] ** 2, rtol=1e-4)


def test_thick_slices_are_not_mixed() -> None:
    """Nearest along z: every new slice is a stored one; along the others it is linear."""
    random = np.random.default_rng(0)
    volume = random.normal(size=(1, 4, 6, 6)).astype(np.float32)
    regrid = Regrid((4, 6, 6), (10, 6, 6), ("nearest", "linear", "linear"))
    found = regrid.apply(volume, *whole(regrid))[0]
    expected = volume[0, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("goal", [(13, 9, 20), (5, 16, 7), (9, 11, 13)])
def test_a_region_is_made_as_the_whole_is(method: str, goal: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    volume = random.normal(size=(2, 9, 11, 13)).astype(np.float32)
    source = Held(volume)
    regrid = Regrid((9, 11, 13), goal, (method,) * 3)  # type: ignore[arg-type]
    with ResampledSource(source, regrid) as grid:  # type: ignore[arg-type]  # enough of a source
        everything = grid.read()
        assert grid.header.shape == everything.shape[1:] == goal
        source.n_read = 0
        region = tuple(slice(n // 4, n // 4 + 3) for n in goal)
        part = grid.read(region)
    np.testing.assert_allclose(part, everything[(slice(None), *region)], atol=1e-6)
    assert source.n_read < volume.size


def test_labels_there_and_back() -> None:
    """Smooth objects lose next to nothing; void is a value like any other; none is invented."""
    random = np.random.default_rng(2)
    fields = gaussian_filter(random.normal(size=(3, 30, 36, 33)), (0, 4, 4, 4))
    labels = np.array([0, 7, 255], np.uint8)[fields.argmax(axis=0)]
    regrid = Regrid((30, 36, 33), (45, 54, 50), ("linear",) * 3)
    there = resample_labels(labels, regrid, *whole(regrid))
    back = resample_labels(there, regrid.back(), *whole(regrid.back()))
    assert set(np.unique(there)) == {0, 7, 255}
    assert (back == labels).mean() > 0.985
    for value in (0, 7, 255):
        share = (there == value).mean() / (labels == value).mean()
        assert share == pytest.approx(1, abs=0.02)


def test_of_equal_shares_the_lower_label_wins() -> None:
    regrid = Regrid((4,), (2,), ("linear",))
    found = resample_labels(np.array([3, 1, 2, 2], np.uint8), regrid, *whole(regrid))
    assert found.tolist() == [1, 2]


def test_the_spacing_of_the_file_decides_else_that_of_the_set() -> None:
    geometry = GeometrySection(spacing=(None, 2.0, 2.0), nearest_axes=(1,), interpolation="cubic")
    volume = np.zeros((1, 4, 10, 10), np.uint8)
    own = regrid_for(geometry, Held(volume, (9.0, 1.0, 0.5)).header, (1.0,) * 3, "mm")
    assert own is not None
    assert own.goal == (4, 5, 2)
    assert own.methods == ("cubic", "nearest", "cubic")
    microns = regrid_for(geometry, Held(volume, (9e3, 1e3, 4e3), "um").header, None, "mm")
    assert microns is not None
    assert microns.goal == (4, 5, 20)
    of_set = regrid_for(geometry, Held(volume).header, (9.0, 4.0, 2.0), "mm")
    assert of_set is not None
    assert of_set.goal == (4, 20, 10)
    assert regrid_for(geometry, Held(volume).header, None, "mm") is None
    assert regrid_for(geometry, Held(volume, (9.0, 2.0, 2.0)).header, None, "mm") is None
    assert regrid_for(GeometrySection(), Held(volume, (9.0, 1.0, 1.0)).header, None, "mm") is None


def test_the_spacing_of_the_grid() -> None:
    geometry = GeometrySection(spacing=(None, 2.0))
    assert grid_spacing(geometry, (3.0, 1.0)) == (3.0, 2.0)
    assert grid_spacing(geometry, None) is None
    assert grid_spacing(GeometrySection(), (3.0, 1.0)) == (3.0, 1.0)
    assert grid_spacing(GeometrySection(), None) is None
