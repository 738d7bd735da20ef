"""Compiled loops equal their slow twins on random small arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from pixelwise.arrays.centre_lines import skeleton
from pixelwise.arrays.column_sweep import sweep_columns
from pixelwise.arrays.counting import count_pairs
from pixelwise.arrays.distances import percentile_of, weighted_percentile
from pixelwise.arrays.nearest import PointSet
from pixelwise.arrays.run_topology import betti_of_runs
from pixelwise.arrays.scanning import scan_points, scan_runs
from tests.twins import slow_metrics as slow

ALL = np.ones(256, dtype=bool)


@st.composite
def label_arrays(draw: st.DrawFn, max_size: int = 9, widest: int = 21) -> np.ndarray:
    n_dims = draw(st.sampled_from([2, 3]))
    shape = tuple(draw(st.integers(1, max_size)) for _ in range(n_dims - 1))
    shape = (*shape, draw(st.integers(1, widest)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.1, 0.4, 0.6, 0.9]))
    labels = generator.integers(1, 4, shape) * (generator.random(shape) < density)
    return labels.astype(np.uint8)


@given(label_arrays(), st.integers(0, 1000), st.integers(1, 4))
@settings(deadline=None)
def test_counts_equal_one_pixel_after_the_other(
    truth: np.ndarray, seed: int, n_classes: int
) -> None:
    predicted = np.random.default_rng(seed).permutation(truth.ravel()).reshape(truth.shape)
    expected = slow.confusion(truth, predicted, n_classes)
    np.testing.assert_array_equal(count_pairs(truth, predicted, n_classes), expected)


def test_counts_beyond_24_bits_are_exact() -> None:
    truth = np.zeros((4200, 4200), np.uint8)
    truth.ravel()[-21:] = 1
    counts = count_pairs(truth, np.zeros_like(truth), 2)
    assert counts[1, 0] == 21
    assert counts[0, 0] == 4200 * 4200 - 21


@given(label_arrays())
@settings(deadline=None)
def test_rims_and_betti_numbers_of_every_class(labels: np.ndarray) -> None:
    points, runs = scan_points(labels, ALL), scan_runs(labels, ALL)
    grid = (1, *labels.shape)[-3:]
    for class_id in range(4):
        mask = labels == class_id
        rows, columns = points.of_class(class_id)
        found = [
            (r // grid[1], r % grid[1], x)[-labels.ndim :]
            for r, x in zip(rows, columns, strict=True)
        ]
        assert found == slow.rim_points(mask)
        betti = betti_of_runs(*runs.of_class(class_id), grid, labels.ndim == 3)
        assert (betti.components, betti.loops, betti.cavities) == slow.betti(mask)
        assert betti.euler == slow.euler_by_cells(mask)


@pytest.mark.parametrize("shape", [(1, 300, 7), (1, 90, 400), (60, 70, 9)])
@pytest.mark.parametrize("n_targets", [1, 3, 40])
def test_far_and_near_points_find_their_nearest(
    shape: tuple[int, int, int], n_targets: int
) -> None:
    generator = np.random.default_rng(n_targets)
    spacing = (2.5, 1.0, 0.4)
    n_pixels = int(np.prod(shape))
    sets = [
        np.stack(np.unravel_index(np.sort(generator.choice(n_pixels, n, replace=False)), shape), 1)
        for n in (60, n_targets)
    ]
    rows, columns = (
        [(p[:, 0] * shape[1] + p[:, 1]).astype(np.int32) for p in sets],
        [p[:, 2].astype(np.int32) for p in sets],
    )
    found = PointSet(shape, spacing).distances(rows[0], columns[0], rows[1], columns[1])
    expected = cKDTree(sets[1] * spacing).query(sets[0] * spacing)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1, 50), (1, 70, 60), (24, 20, 22), (30, 1, 9)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 1.0, 0.4)])
def test_many_far_points_find_their_nearest(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    """Half of all pixels against a corner and one pixel far from it: too many for a search."""
    points = np.argwhere(np.random.default_rng(0).random(shape) < 0.5)
    others = np.argwhere(np.ones(tuple(max(1, n // 8) for n in shape)))
    others = np.vstack([others, np.array(shape) - 1])
    (rows, columns), (to_rows, to_columns) = (
        ((p[:, 0] * shape[1] + p[:, 1]).astype(np.int32), p[:, 2].astype(np.int32))
        for p in (points, others)
    )
    expected = cKDTree(others * spacing).query(points * spacing)[0]
    swept = sweep_columns(rows, columns, to_rows, to_columns, shape, np.array(spacing))
    np.testing.assert_allclose(np.sqrt(swept), expected, rtol=1e-12)
    found = PointSet(shape, spacing).distances(rows, columns, to_rows, to_columns)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_skeleton_equals_scikit_image(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 60, 2)) if seed % 5 else (12, 15, 11)
    mask = generator.random(shape) < generator.uniform(0.3, 0.99)
    np.testing.assert_array_equal(skeleton(mask), skeletonize(mask))


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30), st.floats(0, 100))
@settings(deadline=None)
def test_percentile_is_numpys(values: list[float], percentile: float) -> None:
    array = np.array(values)
    expected = float(np.percentile(array, percentile))
    assert percentile_of(array, percentile) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_weighted_percentile_by_hand() -> None:
    distances, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    assert weighted_percentile(distances, weights, 50) == 1.0
    assert weighted_percentile(distances, weights, 51) == 2.0
    assert weighted_percentile(distances, weights, 100) == 3.0
