"""Generated brains: nested truth, four contrasts, the same again for the same seed."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.errors import BadOutput, BadPlan
from pixelwise.data.synthetic_volume_files import write_brains
from pixelwise.data.synthetic_volumes import CHANNELS, LABEL_NAMES, REGIONS, make_brain
from pixelwise.readers import open_image, open_labels

SMALL = (24, 32, 28)


@pytest.mark.parametrize("seed", range(4))
def test_regions_nest_and_none_is_empty(seed: int) -> None:
    made = make_brain(seed)
    assert set(np.unique(made.labels)) == set(LABEL_NAMES)
    masks = [np.isin(made.labels, values) for values in REGIONS.values()]
    for outer, inner in itertools.pairwise(masks):
        assert not (inner & ~outer).any()
        assert 0 < inner.sum() < outer.sum()


def test_each_region_shows_in_its_contrast() -> None:
    made = make_brain(1)
    t1, t1ce, t2, flair = (channel.astype(float) for channel in made.image)
    enhancing, oedema = made.labels == 4, made.labels == 2
    tissue = (made.labels == 0) & (t1 > 0.3 * np.percentile(t1, 99))
    assert t1ce[enhancing].mean() > 1.3 * t1ce[oedema].mean()
    assert flair[oedema].mean() > 1.4 * flair[tissue].mean()
    assert t2[made.labels > 0].mean() > t2[tissue].mean()


def test_the_same_seed_gives_the_same_scan() -> None:
    one, same, other = (make_brain(seed, SMALL) for seed in ((3, 1), (3, 1), (3, 2)))
    assert np.array_equal(one.image, same.image) and np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.labels, other.labels)


def test_anisotropic_voxels_show_the_same_volume() -> None:
    fine = make_brain(0, (48, 48, 48))
    coarse = make_brain(0, (16, 48, 48), spacing=(3.0, 1.0, 1.0))
    sizes = [(volume.labels > 0).sum() * np.prod(volume.spacing) for volume in (fine, coarse)]
    assert coarse.image.shape == (4, 16, 48, 48)
    assert sizes[0] == pytest.approx(sizes[1], rel=0.6)  # other noise, the same size of ball


@pytest.mark.parametrize("shape", [(8, 32, 32), (32, 32)])
def test_bad_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadPlan, match="cannot have the shape"):
        make_brain(0, shape)


def test_a_set_with_a_label_map(tmp_path: Path) -> None:
    root = write_brains(tmp_path / "set", {"train": 1, "val": 1}, shape=SMALL, seed=5)
    made = make_brain((5, 1), SMALL)
    for name, channel in zip(CHANNELS, made.image, strict=True):
        with open_image(root / "images" / f"brain-001_{name}.nii.gz") as source:
            assert np.array_equal(source.read()[0], channel)
            assert source.header.spacing == (1.0, 1.0, 1.0) and source.header.unit == "mm"
    with open_labels(root / "masks" / "brain-001.nii.gz") as source:
        assert np.array_equal(source.read()[0], made.labels)
    assert json.loads((root / "dataset.json").read_text())["regions"]["tumour core"] == [1, 4]
    assert json.loads((root / "splits.json").read_text()) == {
        "train": ["brain-000"], "val": ["brain-001"],
    }  # fmt: skip


def test_a_set_with_a_mask_per_region(tmp_path: Path) -> None:
    root = write_brains(tmp_path, {"train": 1}, shape=SMALL, truth="masks")
    labels = make_brain((0, 0), SMALL).labels
    with open_labels(root / "masks" / "tumour_core" / "brain-000.nii.gz") as source:
        assert np.array_equal(source.read()[0], np.isin(labels, (1, 4)))
    with pytest.raises(BadOutput, match="exists already"):
        write_brains(root, {"train": 1})
