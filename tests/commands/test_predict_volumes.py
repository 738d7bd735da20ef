"""Volumes from end to end: trained on channel files, labelled in any format, on their own grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

import pixelwise.commands.plan as plan_module
from pixelwise.commands.predict import predict
from pixelwise.commands.train import train
from pixelwise.core.errors import BadOutput
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.runs.folder import open_run

SHAPE = (18, 16, 12)
"""Lengths along i, j, k."""

DARK, BRIGHT = 40, 220
AFFINE = np.array([[0, -1.5, 0, 7.0], [1.0, 0, 0, -3.0], [0, 0, 2.0, 11.0], [0, 0, 0, 1]])
SETTINGS = (
    "network.name=bright",
    "intensity.scheme=data set",
    "intensity.centre=[130, 130]",
    "intensity.scale=[45, 45]",
    "sampling.patch=[8, 8, 8]",
    "sampling.batch=2",
    "training.steps=2",
    "training.threads=1",
    "training.validation_cases=1",
)


class Unmeasured:
    """Measures nothing, so that planning takes no time."""

    def __init__(self, threads: int, limit_seconds: float) -> None:
        self.threads, self.spent_seconds = threads, 0.0

    def __call__(self, candidate: Candidate) -> Measurement:
        return Measurement(0.01, 1e7, 10_000_000, 1000, "float32", "contiguous", "pretended")


def draw(seed: int) -> np.ndarray:
    """A bright box somewhere in the dark (i, j, k), another one for each seed."""
    random = np.random.default_rng(seed)
    values = np.full(SHAPE, DARK, np.uint8)
    start = [int(random.integers(2, n // 2)) for n in SHAPE]
    values[tuple(slice(a, a + n // 3) for a, n in zip(start, SHAPE, strict=True))] = BRIGHT
    return values


def save(path: Path, values: np.ndarray) -> None:
    image = nib.Nifti1Image(values, AFFINE)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, use: Path) -> Path:
    """A run on two channels: "bright" comes before "noise" in the order of the run."""
    root = tmp_path_factory.mktemp("volumes")
    for seed in range(6):
        values = draw(seed)
        noise = np.random.default_rng(seed).integers(0, 255, SHAPE).astype(np.uint8)
        save(root / "data" / "images" / f"c{seed}_bright.nii.gz", values)
        save(root / "data" / "images" / f"c{seed}_noise.nii.gz", noise)
        save(root / "data" / "masks" / f"c{seed}.nii.gz", (values > 130).astype(np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "Probe", Unmeasured)
        train(root / "data", run=root / "run", settings=SETTINGS, use=use)
    return root / "run"


def test_the_plan_keeps_the_order_of_channels(run: Path) -> None:
    folder = open_run(run)
    assert folder.read_plan().intensity.channels == ("bright", "noise")
    cases = folder.read_cases()
    assert all([path.name for path in case.channels] == [f"{case.id}_bright.nii.gz",
               f"{case.id}_noise.nii.gz"] for case in cases)  # fmt: skip


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """New cases: by ending, and by number in the order of the run."""
    noise = np.random.default_rng(9).integers(0, 255, SHAPE).astype(np.uint8)
    save(tmp_path / "new" / "a_noise.nii.gz", noise)
    save(tmp_path / "new" / "a_BRIGHT.nii.gz", draw(20))
    save(tmp_path / "new" / "b_0000.nii.gz", draw(21))
    save(tmp_path / "new" / "b_0001.nii.gz", noise)
    return tmp_path / "new"


@pytest.mark.parametrize("ending", ["", ".nii", ".nrrd", "mha"])
def test_labels_lie_on_the_grid_of_their_images(
    run: Path, use: Path, images: Path, tmp_path: Path, ending: str
) -> None:
    result = predict(run, images, out=tmp_path / "out", use=use, ending=ending)
    assert not result.problems
    assert [p.labels.name for p in result.predictions] == [
        f"a.{ending.strip('.') or 'nii.gz'}",
        f"b.{ending.strip('.') or 'nii.gz'}",
    ]
    for prediction, name, seed in zip(
        result.predictions, ("a_BRIGHT", "b_0000"), (20, 21), strict=True
    ):
        found = sitk.ReadImage(str(prediction.labels))
        image = sitk.ReadImage(str(images / f"{name}.nii.gz"))
        assert np.array_equal(sitk.GetArrayFromImage(found), (draw(seed) > 130).T)
        assert found.GetSpacing() == pytest.approx(image.GetSpacing(), abs=1e-5)
        assert found.GetOrigin() == pytest.approx(image.GetOrigin(), abs=1e-5)
        assert found.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-5)


def test_a_missing_channel_does_not_stop_the_others(
    run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    (images / "a_noise.nii.gz").unlink()
    result = predict(run, images, out=tmp_path / "out", use=use)
    assert [p.labels.name for p in result.predictions] == ["b.nii.gz"]
    assert [p.code for p in result.problems] == ["missing-channel"]
    assert "'a' lacks the channel noise" in result.problems[0].what


def test_segments_carry_the_names_of_classes(
    run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    result = predict(run, images, out=tmp_path / "out", use=use, ending=".dcm")
    data = pydicom.dcmread(result.predictions[0].labels)
    names = [c.name for c in open_run(run).read_plan().data.classes]
    assert [item.SegmentLabel for item in data.SegmentSequence] == names[1:]
    assert data.PatientName == ""
    assert int(data.pixel_array.sum()) == int((draw(20) > 130).sum())


def test_an_ending_without_a_format_is_refused_before_any_work(
    run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadOutput, match=r"'\.jpg'.*\.nii\.gz"):
        predict(run, images, out=tmp_path / "out", use=use, ending=".jpg")
    assert not list((tmp_path / "out").glob("*.jpg"))
