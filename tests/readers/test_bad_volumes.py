"""Volumes that lie about themselves: said, located, refused, or read by a stated rule."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from pixelwise.core.errors import UnreadableFile
from pixelwise.readers import open_image

VALUES = np.random.default_rng(0).integers(0, 1000, (6, 5, 4)).astype(np.int16)


def save(path: Path, affine: np.ndarray | None = None, **fields: Any) -> Path:
    """A volume in mm, its header changed afterwards: nibabel would mend it."""
    image = nib.Nifti1Image(VALUES, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    if fields:
        data = path.read_bytes()
        header = nib.Nifti1Header(data[:348], check=False)
        for name, value in fields.items():
            header[name] = value
        path.write_bytes(header.binaryblock + data[348:])
    return path


def save_4d(path: Path, n: int, step: float, unit: str | None) -> Path:
    image = nib.Nifti1Image(np.zeros((6, 5, 4, n), np.int16), np.eye(4))
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = step
    nib.save(image, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught, open_image(path) as source:
        source.read()
    assert str(path) in caught.value.problems[0].path
    assert caught.value.problems[0].remedy
    return str(caught.value)


def codes(path: Path) -> list[str]:
    with open_image(path) as source:
        source.read()
        return [note.code for note in source.header.notes]


def test_metres_become_millimetres(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.diag([0.001, 0.001, 0.002, 1]), xyzt_units=1)
    with open_image(path) as source:
        assert source.header.spacing == pytest.approx((2.0, 1.0, 1.0))
        assert source.header.unit == "mm"
    assert codes(path) == ["length-unit"]


def test_millimetres_called_metres_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.diag([1, 1, 2, 1]), xyzt_units=1)
    assert "a voxel is 2000 mm long (unit: meter)" in refusal(path)


def test_micrometres_become_millimetres(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.diag([25, 25, 50, 1]), xyzt_units=3)
    with open_image(path) as source:
        assert source.header.spacing == pytest.approx((0.05, 0.025, 0.025))


def test_a_fourth_axis_is_channels_and_said(tmp_path: Path) -> None:
    path = save_4d(tmp_path / "a.nii.gz", 4, 1.0, "sec")
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == ((4, 5, 6), 4)
    assert codes(path) == ["volumes-as-channels"]


@pytest.mark.parametrize(("n", "step", "unit"), [(4, 2.5, "sec"), (30, 1.0, None)])
def test_a_fourth_axis_of_time_is_refused(
    tmp_path: Path, n: int, step: float, unit: str | None
) -> None:
    text = refusal(save_4d(tmp_path / "a.nii.gz", n, step, unit))
    assert f"{n} volumes along its further axis, which are time points" in text


def test_vectors_on_the_fifth_axis_are_channels_without_a_word(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((6, 5, 4, 1, 3), np.float32), np.eye(4))
    image.header.set_intent("vector")
    nib.save(image, tmp_path / "a.nii")
    with open_image(tmp_path / "a.nii") as source:
        assert source.header.n_channels == 3
    assert codes(tmp_path / "a.nii") == []


def test_a_volume_without_orientation_is_kept_as_stored(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", sform_code=0, qform_code=0, pixdim=[1, 2, 3, 4, 0, 0, 0, 0])
    with open_image(path) as source:
        assert source.header.spacing == (4.0, 3.0, 2.0)
        assert source.header.placement is not None
        assert source.header.placement.code == ""
        assert np.array_equal(source.read()[0], VALUES.T)
    assert codes(path) == ["no-orientation"]


def test_sheared_axes_are_said(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 2] = np.tan(np.radians(10))
    path = tmp_path / "a.nii"
    image = nib.Nifti1Image(VALUES, None)
    image.set_sform(affine, 1)
    nib.save(image, path)
    with open_image(path) as source:
        assert source.header.placement is not None
        assert source.header.placement.tilt == pytest.approx(10.0, abs=1e-3)
    assert "sheared" in codes(path)


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_axes_that_span_nothing_are_refused(tmp_path: Path, bad: float) -> None:
    row = np.array([bad, 0, 0, 0], np.float32)
    path = save(tmp_path / "a.nii", srow_x=row, qform_code=0, sform_code=1)
    assert "Expected three axes that span a volume" in refusal(path)


def test_a_quaternion_that_is_no_rotation_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", sform_code=0, qform_code=1, quatern_b=3.0)
    assert "its rotation is no rotation" in refusal(path)


def test_gzipped_garbage_is_described(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"\x1f\x8b\x08" + bytes(range(200)))
    assert "a gzip file whose data do not unpack" in refusal(path)
    path.write_bytes(gzip.compress(b"no volume but a letter, and quite a long one at that" * 20))
    assert "a gzip file that holds a text file" in refusal(path)
    path.write_bytes(gzip.compress(gzip.compress(b"packed twice")))
    assert "a gzip file that holds another gzip file" in refusal(path)


def test_damage_behind_the_header_is_found_when_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz")
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # the checksum
    path.write_bytes(data)
    assert "damaged" in refusal(path)


def test_a_header_that_claims_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(data)
    refusal(path)  # the file ends too soon
    packed = tmp_path / "a.nii.gz"
    packed.write_bytes(gzip.compress(bytes(data)))
    assert "30000 x 30000 x 30000 pixels" in refusal(packed)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.complex64), np.eye(4)), tmp_path / "a.nii")
    assert "its numbers are of type complex64" in refusal(tmp_path / "a.nii")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("encoding: raw", "encoding: hex", "encoded as 'hex'"),
        ("sizes: 4 5 6", "sizes: 4 5 -6", "its axes have the sizes"),
        ("sizes: 4 5 6", "sizes: 4 5 600", "truncated"),
        ("type: short", "type: block", "of the type 'block'"),
        ("dimension: 3\n", "dimension: 3\nkinds: domain domain time\n", "time points"),
        ("endian: little\n", "", "order bytes are stored"),
    ],
)
def test_headers_of_nrrd_that_cannot_be_followed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 5 6\nendian: little\nencoding: raw\n\n"
    assert old in header
    path = tmp_path / "a.nrrd"
    path.write_bytes(header.replace(old, new).encode() + VALUES.tobytes())
    assert said in refusal(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("DimSize = 4 5 6", "DimSize = 4 5", "3 axes of the sizes [4, 5]"),
        ("DimSize = 4 5 6", "DimSize = 4 5 60", "truncated"),
        ("MET_SHORT", "MET_STRING", "of the type 'MET_STRING'"),
        ("ElementDataFile = LOCAL", "ElementDataFile = gone.raw", "gone.raw: it does not exist"),
        ("Offset = 0 0 0", "Offset = 0 0", "2 numbers where 3 belong"),
    ],
)
def test_headers_of_metaimage_that_cannot_be_followed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    header = (
        "ObjectType = Image\nNDims = 3\nDimSize = 4 5 6\nOffset = 0 0 0\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    assert old in header
    path = tmp_path / "a.mha"
    path.write_bytes(header.replace(old, new).encode() + VALUES.tobytes())
    with pytest.raises(UnreadableFile) as caught, open_image(path) as source:
        source.read()
    assert said in str(caught.value)


@pytest.mark.parametrize("spacings", ["", "spacings: nan 0.5 0.75 2\n"])
def test_a_fourth_axis_of_length_one_in_front_is_one_channel(tmp_path: Path, spacings: str) -> None:
    path = tmp_path / "a.nrrd"
    header = f"NRRD0004\ntype: short\ndimension: 4\nsizes: 1 4 5 6\n{spacings}endian: little\n"
    path.write_bytes(f"{header}encoding: raw\n\n".encode() + VALUES.tobytes())
    with open_image(path) as source:
        assert (source.header.shape, source.header.n_channels) == ((6, 5, 4), 1)
        assert source.header.spacing == ((2.0, 0.75, 0.5) if spacings else None)
        assert np.array_equal(source.read()[0], VALUES.reshape(6, 5, 4))


def test_python_objects_are_never_unpacked(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    assert "it holds Python objects" in refusal(tmp_path / "a.npy")


def test_voxels_in_files_of_their_own(tmp_path: Path) -> None:
    """One file for each slice, as SimpleITK reads it too."""
    for k in range(6):
        (tmp_path / f"slice{k}.raw").write_bytes(VALUES.reshape(6, 5, 4)[k].tobytes())
    path = tmp_path / "a.mhd"
    path.write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 4 5 6\nElementType = MET_SHORT\n"
        "ElementSpacing = 1 1 2\nElementDataFile = slice%d.raw 0 5 1\n"
    )
    with open_image(path) as source:
        values = source.read()[0]
    assert np.array_equal(values, VALUES.reshape(6, 5, 4))
    assert np.array_equal(values, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
