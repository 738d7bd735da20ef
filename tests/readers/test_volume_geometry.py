"""Volumes of every file format against SimpleITK and nibabel: place, spacing, voxel for voxel."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from pixelwise.core.image import Header, whole_region
from pixelwise.readers import create_labels, open_image, open_labels

VALUES = np.random.default_rng(0).integers(0, 1000, (6, 5, 4)).astype(np.int16)
SPACING, ORIGIN = (0.7, 1.3, 3.0), (-10.5, 20.25, 33.125)
READ = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]
WRITTEN = [".nii", ".nii.gz", ".nrrd", ".mha"]
ALL_AXES = [
    (order, signs)
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
    if np.linalg.det(np.eye(3)[:, order] * signs) > 0
]
SOME_AXES = [((0, 1, 2), (1, 1, 1)), ((2, 0, 1), (-1, 1, -1)), ((1, 0, 2), (1, -1, 1))]


def oblique(a: float = 0.1, b: float = 0.2, c: float = -0.15) -> np.ndarray:
    """Three turns, none of them along an axis."""
    turn_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    turn_y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    turn_x = [[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]]
    return np.array(turn_z) @ np.array(turn_y) @ np.array(turn_x)


def make_image(direction: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(VALUES)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(direction.ravel().tolist())
    return image


def read(path: Path) -> tuple[Header, np.ndarray]:
    with open_image(path) as source:
        values = source.read()
        inner = tuple(slice(1, n) for n in source.header.shape)
        assert np.array_equal(source.read(inner), values[(slice(None), *inner)])
        return source.header, values


def check_place(header: Header, values: np.ndarray, image: sitk.Image) -> None:
    """Every voxel holds what ITK finds at its place, and axes run to superior, posterior, left."""
    assert header.placement is not None
    affine = header.placement.array_affine
    steps = np.abs(affine[:3, :3])
    assert [int(np.argmax(column)) for column in steps.T] == [2, 1, 0]
    assert affine[2, 0] > 0
    assert affine[1, 1] > 0
    assert affine[0, 2] > 0
    for index in np.ndindex(header.shape):
        point = (affine @ [*index, 1])[:3]
        i, j, k = image.TransformPhysicalPointToIndex(point.tolist())
        assert values[(0, *index)] == VALUES[k, j, i]
    assert sorted(header.spacing or ()) == pytest.approx(sorted(SPACING), abs=1e-5)


def check_labels(path: Path, image: sitk.Image, precision: float = 1e-9) -> None:
    """A label file has the grid of the image as ITK reads both, and labels at equal indices."""
    found = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(found), VALUES % 7)
    assert found.GetSpacing() == pytest.approx(image.GetSpacing(), abs=precision)
    assert found.GetOrigin() == pytest.approx(image.GetOrigin(), abs=precision)
    assert found.GetDirection() == pytest.approx(image.GetDirection(), abs=precision)


def write_labels(path: Path, header: Header, labels: np.ndarray) -> None:
    with create_labels(path, header) as sink:
        middle = header.shape[0] // 2
        for part in (slice(0, middle), slice(middle, header.shape[0])):
            sink.write((part, *whole_region(header.shape[1:])), labels[part])


@pytest.mark.parametrize(("order", "signs"), ALL_AXES)
def test_every_order_and_direction_of_axes(
    tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    image = make_image(oblique() @ (np.eye(3)[:, order] * signs))
    path = tmp_path / "image.nrrd"
    sitk.WriteImage(image, str(path))
    header, values = read(path)
    check_place(header, values, image)
    write_labels(tmp_path / "labels.nrrd", header, (values[0] % 7).astype(np.uint8))
    check_labels(tmp_path / "labels.nrrd", image)


@pytest.mark.parametrize("is_oblique", [False, True])
@pytest.mark.parametrize("axes", SOME_AXES)
@pytest.mark.parametrize("suffix", READ)
def test_labels_of_every_format_on_the_grid_of_every_other(
    tmp_path: Path, suffix: str, axes: tuple[tuple[int, ...], tuple[int, ...]], *, is_oblique: bool
) -> None:
    turn = oblique() if is_oblique else np.eye(3)
    image = make_image(turn @ (np.eye(3)[:, axes[0]] * axes[1]))
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(image, str(path), suffix in (".nii.gz", ".nrrd", ".mha"))
    header, values = read(path)
    check_place(header, values, image)
    labels = (values[0] % 7).astype(np.uint8)
    for number, target in enumerate(WRITTEN):
        # names of their own: ITK prefers a.nii where a.nii.gz is asked for
        place = tmp_path / f"labels{number}{target}"
        write_labels(place, header, labels)
        is_coarse = ".nii" in suffix + target  # float32 in the headers of NIfTI
        check_labels(place, image, 1e-4 if is_coarse else 1e-9)
        with open_labels(place) as source:
            assert np.array_equal(source.read()[0], labels)


def test_matrices_of_nifti_come_back_bit_by_bit(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, np.eye(4))
    image.set_sform(np.array([[0.1, -2, 0, 3], [1, 0.2, 0, 4], [0, 0, -3, 5], [0, 0, 0, 1]]), 4)
    image.set_qform(np.diag([2.0, 1.0, 3.0, 1.0]), 1)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "image.nii.gz")
    header, values = read(tmp_path / "image.nii.gz")
    assert [note.code for note in header.notes] == ["two-forms"]
    write_labels(tmp_path / "labels.nii.gz", header, (values[0] % 7).astype(np.uint8))
    found = nib.load(tmp_path / "labels.nii.gz")
    for name in ("sform", "qform"):
        own, code = getattr(found, f"get_{name}")(coded=True)
        other, other_code = getattr(nib.load(tmp_path / "image.nii.gz"), f"get_{name}")(coded=True)
        assert np.array_equal(own, other)
        assert code == other_code
    assert np.array_equal(np.asarray(found.dataobj), VALUES % 7)
    assert found.get_data_dtype() == np.uint8


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_versions_and_byte_orders_of_nifti(tmp_path: Path, kind: type, endian: str) -> None:
    header = kind.header_class(endianness=endian)
    header.set_data_dtype(np.int16)
    image = kind(VALUES, np.diag([-2.0, -2.0, 3.0, 1.0]), header)
    nib.save(image, tmp_path / "image.nii")
    found, values = read(tmp_path / "image.nii")
    assert (found.spacing, found.dtype) == ((3.0, 2.0, 2.0), np.int16)
    assert np.array_equal(values[0], VALUES.T)
    write_labels(tmp_path / "labels.nii", found, (values[0] % 7).astype(np.uint8))
    again = nib.load(tmp_path / "labels.nii")
    assert type(again) is kind
    assert np.array_equal(np.asarray(again.dataobj), VALUES % 7)


def test_scaled_numbers_of_nifti_are_what_they_mean(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, np.eye(4))
    image.header.set_slope_inter(0.5, -3.0)
    nib.save(image, tmp_path / "image.nii.gz")
    raw = nib.Nifti1Image.from_filename(tmp_path / "image.nii.gz")
    expected = np.asarray(raw.dataobj, np.float64)
    header, values = read(tmp_path / "image.nii.gz")
    assert header.dtype == np.float32
    assert header.placement is not None
    assert np.allclose(header.placement.to_stored(values[0]).T, expected, atol=1e-4)


def test_colours_and_channels_of_metaimage(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 255, (3, 4, 5, 2)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=True), str(tmp_path / "a.mha"))
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=True), str(tmp_path / "a.nrrd"))
    for name in ("a.mha", "a.nrrd"):
        header, found = read(tmp_path / name)
        assert header.n_channels == 2
        assert not header.notes
        assert np.array_equal(found, values.transpose(3, 0, 1, 2))


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_pictures_of_volume_formats(tmp_path: Path, suffix: str) -> None:
    image = sitk.GetImageFromArray(VALUES[0])
    image.SetSpacing((0.5, 2.0))
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    header, values = read(tmp_path / f"a{suffix}")
    assert (header.shape, header.spacing) == ((5, 4), (2.0, 0.5))
    write_labels(tmp_path / f"b{suffix}", header, (values[0] % 7).astype(np.uint8))
    found = sitk.ReadImage(str(tmp_path / f"b{suffix}"))
    assert found.GetDimension() == 2
    assert found.GetSpacing() == (0.5, 2.0)
    assert np.array_equal(sitk.GetArrayFromImage(found), VALUES[0] % 7)


def test_a_volume_of_one_plane_is_a_picture(tmp_path: Path) -> None:
    affine = np.diag([1.0, 2.0, 5.0, 1.0])
    nib.save(nib.Nifti1Image(VALUES[:, :, :1], affine), tmp_path / "a.nii.gz")
    header, values = read(tmp_path / "a.nii.gz")
    assert (header.shape, header.spacing) == ((5, 6), (2.0, 1.0))
    assert np.array_equal(values[0], VALUES[::-1, ::-1, 0].T)
    write_labels(tmp_path / "b.nii.gz", header, (values[0] % 7).astype(np.uint8))
    found = nib.load(tmp_path / "b.nii.gz")
    assert np.array_equal(np.asarray(found.dataobj), VALUES[:, :, :1] % 7)
    assert np.array_equal(found.affine, affine)
