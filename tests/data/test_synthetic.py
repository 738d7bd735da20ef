"""The built-in data: repeatable, exact, hard for a threshold, any size, 2D and 3D."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pixelwise.core.errors import BadOutput, BadPlan
from pixelwise.data.synthetic import Scene, SyntheticCase, make_case
from pixelwise.data.synthetic_files import write_dataset
from pixelwise.data.synthetic_shapes import DIM, ORDINARY, THIN, TOUCHING

SHAPES = [(160, 176), (33, 301), (7, 9), (1, 1), (24, 40, 44), (3, 20, 65)]


@pytest.fixture(scope="module")
def cases() -> list[SyntheticCase]:
    return [make_case((5, index), (256, 256)) for index in range(6)]


def otsu_threshold(image: np.ndarray) -> int:
    """Otsu 1979, the slow way: the grey value that leaves the least variance inside both sides."""
    values = image.ravel().astype(float)
    within = {}
    for threshold in range(int(values.min()), int(values.max())):
        low, high = values[values <= threshold], values[values > threshold]
        within[threshold] = low.size * low.var() + high.size * high.var()
    return min(within, key=within.__getitem__)


def bright_components(image: np.ndarray, smallest: int) -> np.ndarray:
    parts, n_parts = ndimage.label(image > otsu_threshold(image))
    sizes = np.bincount(parts.ravel(), minlength=n_parts + 1)
    sizes[0] = 0
    return np.isin(parts, np.flatnonzero(sizes >= smallest))


@pytest.mark.parametrize("shape", SHAPES)
def test_same_seed_gives_same_case_and_another_seed_another(shape: tuple[int, ...]) -> None:
    first, again, other = make_case(3, shape), make_case(3, shape), make_case(4, shape)
    for name in ("image", "labels", "instances", "kinds"):
        array = getattr(first, name)
        assert array.shape == shape
        assert np.array_equal(array, getattr(again, name))
    if min(shape) > 10:
        assert not np.array_equal(first.instances, other.instances)


@pytest.mark.parametrize("shape", SHAPES)
def test_labels_instances_and_kinds_agree(shape: tuple[int, ...]) -> None:
    case = make_case((1, 2), shape)
    assert np.array_equal(case.labels, case.instances > 0)
    assert np.array_equal(case.kinds > 0, case.instances > 0)
    ids = np.unique(case.instances[case.instances > 0])
    assert np.array_equal(ids, np.arange(1, len(ids) + 1))
    neighbours = np.ones((3,) * len(shape))
    for number in ids:
        mask = case.instances == number
        assert ndimage.label(mask, neighbours)[1] == 1
        assert len(np.unique(case.kinds[mask])) == 1


def test_only_touching_cells_touch(cases: list[SyntheticCase]) -> None:
    for case in cases:
        for number in range(1, int(case.instances.max()) + 1):
            mask = case.instances == number
            rim = ndimage.binary_dilation(mask, np.ones((3, 3))) & ~mask
            is_touching = bool((case.instances[rim] > 0).any())
            assert is_touching == (case.kinds[mask][0] == TOUCHING)


def test_every_kind_occurs_and_foreground_is_the_minority(cases: list[SyntheticCase]) -> None:
    kinds = np.concatenate([case.kinds.ravel() for case in cases])
    shares = np.bincount(kinds, minlength=5) / kinds.size
    assert 0.08 < shares[1:].sum() < 0.25
    assert all(shares[kind] > 0.005 for kind in (TOUCHING, DIM, THIN, ORDINARY))


def test_small_images_hold_something() -> None:
    assert all(make_case((0, index), (48, 48)).labels.any() for index in range(20))


def test_filaments_are_thin(cases: list[SyntheticCase]) -> None:
    for case in cases:
        depth = ndimage.distance_transform_edt(case.kinds == THIN)
        assert depth.max() <= 3


def test_otsu_with_components_stays_poor(cases: list[SyntheticCase]) -> None:
    overlap = total = 0
    for case in cases:
        predicted = bright_components(case.image, smallest=30)
        overlap += 2 * int((predicted & (case.labels > 0)).sum())
        total += int(predicted.sum()) + int(case.labels.sum())
    assert overlap / total <= 0.60


def test_objects_are_brighter_than_their_surroundings_at_every_border() -> None:
    """The truth is exact: the picture of a noiseless scene rises where the truth begins."""
    quiet = Scene(noise=0.0, unevenness=0.0, blur=(0.01, 0.01), dim_contrast=(0.2, 0.3))
    case = make_case(8, (200, 200), quiet)
    assert case.image[case.labels > 0].min() > case.image[case.labels == 0].max()


def test_shape_that_cannot_be() -> None:
    for shape in ((5,), (0, 4), (2, 3, 4, 5)):
        with pytest.raises(BadPlan, match="two or three whole numbers"):
            make_case(0, shape)


def test_data_set_is_the_same_bytes_twice(tmp_path: Path) -> None:
    roots = [
        write_dataset(tmp_path / name, n_train=2, n_val=1, n_test=1, shape=(64, 48), seed=9)
        for name in ("first", "second")
    ]
    files = sorted(path.relative_to(roots[0]) for path in roots[0].rglob("*.*"))
    assert len(files) == 4 * 4 + 2
    for path in files:
        assert (roots[0] / path).read_bytes() == (roots[1] / path).read_bytes()
    assert not list(tmp_path.glob(".writing-*"))


def test_data_set_holds_what_was_generated(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set", n_train=1, n_val=1, n_test=1, shape=(80, 90), seed=2)
    splits = json.loads((root / "splits.json").read_text())
    assert splits == {"train": ["case-0000"], "val": ["case-0001"], "test": ["case-0002"]}
    assert json.loads((root / "dataset.json").read_text())["classes"][1]["id"] == 1
    case = make_case((2, 1), (80, 90))
    for folder, array in (
        ("images", case.image),
        ("masks", case.labels),
        ("instances", case.instances),
        ("kinds", case.kinds),
    ):
        with Image.open(root / folder / "case-0001.png") as picture:
            assert np.array_equal(np.asarray(picture), array)


def test_volumes_are_written_as_arrays(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set", n_train=1, n_val=0, n_test=0, shape=(8, 40, 40))
    volume = np.load(root / "masks" / "case-0000.npy", allow_pickle=False)
    assert volume.shape == (8, 40, 40)
    assert json.loads((root / "dataset.json").read_text())["dims"] == 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(BadOutput, match="exists already"):
        write_dataset(tmp_path, n_train=1, n_val=0, n_test=0, shape=(8, 8))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
