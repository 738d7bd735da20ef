"""Tiles cover every image once, and see around its borders as in a mirror."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.image import Array, Region, whole_region
from pixelwise.inference.tiles import TileGrid, lay_tiles, mirror_indices, read_mirrored

LENGTHS = st.integers(1, 26)


class Held:
    """An image in memory that only hands out what lies inside it."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def read(self, region: Region | None = None) -> Array:
        region = region or whole_region(self.values.shape[1:])
        for part, length in zip(region, self.values.shape[1:], strict=True):
            assert 0 <= part.start < part.stop <= length
        return self.values[(slice(None), *region)]


@st.composite
def grids(draw: st.DrawFn) -> tuple[TileGrid, int]:
    """A grid over an image, and the step of its sizes."""
    n_dims = draw(st.sampled_from([2, 3]))
    shape = tuple(draw(LENGTHS) for _ in range(n_dims))
    core = tuple(draw(st.integers(5, 24)) for _ in range(n_dims))
    halo = tuple(draw(st.integers(0, 9)) for _ in range(n_dims))
    step = draw(st.sampled_from([1, 2, 4, 16]))
    remainder = draw(st.integers(0, step - 1))
    smallest = draw(st.integers(1, 20))
    grid = lay_tiles(shape, core, halo, alignment=step, remainder=remainder, smallest=smallest)
    for read in grid.read_shape:
        assert read % step == remainder
        assert read >= smallest
    assert all(edge % step == 0 for edge in grid.core)
    return grid, step


@given(grids())
@settings(max_examples=120, deadline=None)
def test_cores_cover_the_image_once(drawn: tuple[TileGrid, int]) -> None:
    grid, step = drawn
    count = np.zeros(grid.shape, int)
    for corner in grid.corners():
        assert all(start % step == 0 for start in corner)
        region = grid.core_region(corner)
        assert all(part.stop > part.start for part in region)
        count[region] += 1
    assert count.min() == count.max() == 1


@given(grids(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_tile_is_a_window_of_the_mirrored_image(drawn: tuple[TileGrid, int], margin: int) -> None:
    """A network that only cuts off its margin gives back the image."""
    grid, _ = drawn
    margin = min(margin, *grid.before)
    image = np.arange(2 * np.prod(grid.shape)).reshape(2, *grid.shape)
    widths = [(0, 0)] + [
        (b, n + c + a)
        for b, n, c, a in zip(grid.before, grid.shape, grid.core, grid.after, strict=True)
    ]
    mirrored = np.pad(image, widths, mode="reflect")
    for corner in grid.corners():
        found = read_mirrored(Held(image), grid, corner)  # type: ignore[arg-type]  # reads alone
        window = tuple(
            slice(start, start + size) for start, size in zip(corner, grid.read_shape, strict=True)
        )
        np.testing.assert_array_equal(found, mirrored[(slice(None), *window)])
        inner = tuple(slice(margin, size - margin) for size in grid.read_shape)
        answer = found[(slice(None), *inner)][(slice(None), *grid.answer_region(corner, margin))]
        np.testing.assert_array_equal(answer, image[(slice(None), *grid.core_region(corner))])


@given(length=st.integers(1, 8), start=st.integers(-30, 30), size=st.integers(1, 30))
def test_mirrored_positions(length: int, start: int, size: int) -> None:
    line = np.pad(np.arange(length), 70, mode="reflect")
    expected = line[start + 70 : start + 70 + size]
    np.testing.assert_array_equal(mirror_indices(start, start + size, length), expected)


def test_equal_tiles_by_hand() -> None:
    """500 pixels, tiles of at most 448 in steps of 16: two cores of 256, read with 32 around."""
    grid = lay_tiles((500,), (448,), (32,), alignment=16)
    assert (grid.core, grid.read_shape) == ((256,), (320,))
    assert list(grid.corners()) == [(0,), (256,)]
    assert grid.core_region((256,)) == (slice(256, 500),)


def test_sizes_of_the_paper() -> None:
    """388 x 388 answers from 572 x 572 with 92 pixels lost on each side (figure 1)."""
    grid = lay_tiles(
        (388, 388), (388, 388), (92, 92), alignment=16, remainder=572 % 16, smallest=188
    )
    assert grid.core == (400, 400), "the next multiple of 16"
    assert grid.read_shape == (588, 588)
    assert grid.answer_region((0, 0), 92) == (slice(0, 388), slice(0, 388))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_thin_images_are_one_tile(shape: tuple[int, int]) -> None:
    grid = lay_tiles(shape, (64, 64), (8, 8), alignment=16)
    assert list(grid.corners()) == [(0, 0)]
    assert grid.core_region((0, 0)) == whole_region(shape)
