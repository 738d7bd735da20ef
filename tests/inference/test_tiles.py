"""Tiles cover every image once, and see around its borders as in a mirror."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.core.image import Array, Region, whole_region
from pixelwise.inference.tiles import TileGrid, lay_tiles, mirror_indices, read_tile

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
def grids(draw: st.DrawFn) -> tuple[TileGrid, int, tuple[int, ...]]:
    """A grid over an image, the step of its sizes, and its halo."""
    n_dims = draw(st.sampled_from([2, 3]))
    shape = tuple(draw(LENGTHS) for _ in range(n_dims))
    core = tuple(draw(st.integers(1, 24)) for _ in range(n_dims))
    halo = tuple(draw(st.integers(0, 9)) for _ in range(n_dims))
    step = draw(st.sampled_from([1, 2, 4, 16]))
    margin = draw(st.integers(0, 5))
    remainder = draw(st.integers(0, step - 1)) if margin else 0
    smallest = draw(st.integers(2 * margin + 1, 20))
    grid = lay_tiles(
        shape, core, halo, margin=margin, alignment=step, remainder=remainder, smallest=smallest
    )
    for read in grid.read_shape:
        assert read % step == remainder
        assert read >= smallest
    return grid, step, halo


@given(grids())
@settings(max_examples=60, deadline=None)
def test_regions_cover_the_image_once(drawn: tuple[TileGrid, int, tuple[int, ...]]) -> None:
    grid, step, _ = drawn
    count = np.zeros(grid.shape, int)
    for tile in grid.tiles():
        assert all((start + grid.margin) % step == 0 for start in tile.start)
        assert all(part.stop > part.start for part in tile.region)
        count[tile.region] += 1
    assert count.min() == count.max() == 1
    assert len(grid) == sum(1 for _ in grid.tiles())


@given(grids())
@settings(max_examples=60, deadline=None)
def test_context_inside_the_image(drawn: tuple[TileGrid, int, tuple[int, ...]]) -> None:
    """Each region sees its halo on all sides, or up to the end of the whole answer."""
    grid, _, halo = drawn
    wholes = [
        starts[-1] + read - grid.margin
        for starts, read in zip(grid.starts, grid.read_shape, strict=True)
    ]
    for tile in grid.tiles():
        for axis, part in enumerate(tile.region):
            first = tile.start[axis] + grid.margin
            last = tile.start[axis] + grid.read_shape[axis] - grid.margin
            assert 0 <= first <= max(part.start - halo[axis], 0)
            assert min(part.stop + halo[axis], wholes[axis]) <= last <= wholes[axis]


@given(grids())
@settings(max_examples=40, deadline=None)
def test_a_tile_is_a_window_of_the_mirrored_image(
    drawn: tuple[TileGrid, int, tuple[int, ...]],
) -> None:
    """A network that only cuts off its margin gives back the image."""
    grid, _, _ = drawn
    image = np.arange(2 * np.prod(grid.shape)).reshape(2, *grid.shape)
    before = grid.margin
    widths = [(0, 0), *((before, 2 * read) for read in grid.read_shape)]
    mirrored = np.pad(image, widths, mode="reflect")
    for tile in grid.tiles():
        found = read_tile(Held(image), grid, tile)  # type: ignore[arg-type]  # reads alone
        window = tuple(
            slice(start + before, start + before + size)
            for start, size in zip(tile.start, grid.read_shape, strict=True)
        )
        np.testing.assert_array_equal(found, mirrored[(slice(None), *window)])
        inner = tuple(slice(grid.margin, size - grid.margin) for size in grid.read_shape)
        answer = found[(slice(None), *inner)][(slice(None), *tile.inside)]
        np.testing.assert_array_equal(answer, image[(slice(None), *tile.region)])


@given(length=st.integers(1, 8), start=st.integers(-30, 30), size=st.integers(1, 30))
def test_mirrored_positions(length: int, start: int, size: int) -> None:
    line = np.pad(np.arange(length), 70, mode="reflect")
    expected = line[start + 70 : start + 70 + size]
    np.testing.assert_array_equal(mirror_indices(start, start + size, length), expected)


def test_equal_tiles_by_hand() -> None:
    """500 pixels are 512 to a network that halves four times. Two windows of 288 with 32 pixels
    of context where they meet: 2 x 288 - 2 x 32 = 512, and they start at 0 and 512 - 288."""
    grid = lay_tiles((500,), (448 - 64,), (32,), alignment=16)
    assert (grid.starts, grid.read_shape) == (((0, 224),), (288,))
    assert grid.cuts == ((0, 256, 500),)
    assert [tile.inside for tile in grid.tiles()] == [(slice(0, 256),), (slice(32, 276),)]


def test_an_image_of_one_window_is_not_extended() -> None:
    grid = lay_tiles((256, 500), (448, 448), (32, 32), alignment=16)
    assert grid.read_shape == (256, 512)
    assert grid.read_pixels == 256 * 512


def test_sizes_of_the_paper() -> None:
    """388 x 388 answers from 572 x 572 with 92 pixels lost on each side (figure 1)."""
    sizes = {"margin": 92, "alignment": 16, "remainder": 572 % 16, "smallest": 188}
    one = lay_tiles((388, 388), (388, 388), (0, 0), **sizes)
    assert one.read_shape == (572, 572)
    assert [tile.start for tile in one.tiles()] == [(-92, -92)]
    four = lay_tiles((700, 700), (388, 388), (0, 0), **sizes)
    assert four.starts == ((-92, 260), (-92, 260)), "352 = 22 x 16 pixels each"
    assert four.read_shape == (540, 540), "352 answers and 4 more to reach the form 16 i + 12"


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_thin_images_are_one_tile(shape: tuple[int, int]) -> None:
    grid = lay_tiles(shape, (64, 64), (8, 8), alignment=16)
    assert [tile.region for tile in grid.tiles()] == [whole_region(shape)]


def test_a_single_coarsest_pixel_is_doubled() -> None:
    """As the networks do themselves: a norm cannot learn from a single value."""
    assert lay_tiles((9, 16), (64, 64), (0, 0), alignment=16).read_shape == (16, 32)
