"""Writing a part of an image with its geometry: PNG, TIFF, NumPy, and NIfTI for other volumes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from pixelwise.core.files import replacing
from pixelwise.core.image import Array, Header, Region
from pixelwise.readers.stored_values import import_extra
from pixelwise.readers.tiff_layout import GEO_TAGS

_TIEPOINT, _TRANSFORMATION = 33922, 34264
_GZIP_LEVEL = 6
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_PICTURE_BITS = (np.uint8, np.uint16)


def part_affine(header: Header, region: Region) -> npt.NDArray[np.float64] | None:
    """4 x 4 from indices (z, y, x, 1) of a part to space (x, y, z, 1), None if nobody says where.

    region: the part, integer slices over ([z,] y, x) of the whole.
    """
    if header.placement is None or len(region) != 3:
        return None
    whole = header.placement.array_affine
    moved = whole.copy()
    moved[:, 3] = whole @ [*(part.start for part in region), 1.0]
    return moved


def write_part(
    folder: Path, stem: str, header: Header, values: Array, region: Region
) -> list[Path]:
    """Write `values` (c, [z,] y, x), cut out of the image of `header` at `region`; the files made.

    Pictures become PNG where that holds their numbers, else TIFF; TIFF and NumPy stay what
    they are; other volumes become NIfTI, a file per channel (STEM_NAME or STEM_0000 …) where
    there are several. Spacing, place and orientation are those of the part, exactly; place on
    the map (GeoTIFF) too. Raises BadOutput, MissingExtra for NIfTI without nibabel.
    """
    if header.format_name == "NumPy":
        return [_write_npy(folder / f"{stem}.npy", values)]
    if "TIFF" in header.format_name.upper():
        return [_write_tiff(folder / f"{stem}.tif", header, values, region)]
    if values.ndim == 3:
        if _fits_png(values):
            return [_write_png(folder / f"{stem}.png", values)]
        return [_write_tiff(folder / f"{stem}.tif", header, values, region)]
    if len(values) == 1:
        return [_write_nifti(folder / f"{stem}.nii.gz", header, values[0], region)]
    named = len(header.channel_names) == len(values)
    names = header.channel_names if named else [f"{i:04d}" for i in range(len(values))]
    return [
        _write_nifti(folder / f"{stem}_{name}.nii.gz", header, channel, region)
        for name, channel in zip(names, values, strict=True)
    ]


def _fits_png(values: Array) -> bool:
    is_deep = values.dtype == np.uint16 and len(values) == 1
    return (values.dtype == np.uint8 and len(values) in (1, 3)) or is_deep


def _write_png(path: Path, values: Array) -> Path:
    pixels = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(pixels)).save(temporary, format="PNG")
    return path


def _write_npy(path: Path, values: Array) -> Path:
    """As the reader takes them: (y, x), bytes (y, x, 3), (z, y, x), else (c, z, y, x)."""
    if values.ndim == 3 and len(values) == 3:
        stored = np.moveaxis(values, 0, -1)
    elif len(values) == 1 and not (values.ndim == 4 and values.shape[1] in (2, 3, 4)):
        stored = values[0]
    else:
        stored = values
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(stored), allow_pickle=False)
    return path


def _write_tiff(path: Path, header: Header, values: Array, region: Region) -> Path:
    is_colour = values.ndim == 3 and len(values) == 3 and values.dtype in _PICTURE_BITS
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    pixels = values
    if is_colour:
        pixels = np.moveaxis(values, 0, -1)
        options["photometric"] = "rgb"
    geo_tags = header.geometry.get(GEO_TAGS, ())
    if geo_tags:
        options["extratags"] = [_moved_tag(tag, region) for tag in geo_tags]
        pixels = pixels[0] if len(pixels) == 1 else pixels
        if not is_colour and pixels.ndim == 3:
            options["planarconfig"] = "separate"
    else:
        axes = "YXS" if is_colour else "CZYX" if values.ndim == 4 else "CYX"
        options |= {"ome": True, "metadata": _ome_metadata(header, axes)}
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            np.ascontiguousarray(pixels),
            compression="zlib",
            bigtiff=pixels.nbytes > 1 << 31,
            software=False,
            **options,
        )
    return path


def _moved_tag(tag: tuple[int, int, int, Any, bool], region: Region) -> tuple[Any, ...]:
    """A GeoTIFF tag for a part: the point on the map that a pixel is tied to keeps its place."""
    code, dtype, count, value, once = tag
    top, left = region[-2].start, region[-1].start
    if code == _TIEPOINT:
        points = np.reshape(value, (-1, 6)).astype(float)
        points[:, 0] -= left
        points[:, 1] -= top
        return code, dtype, count, tuple(points.ravel().tolist()), once
    if code == _TRANSFORMATION:
        matrix = np.reshape(value, (4, 4)).astype(float)
        matrix[:, 3] = matrix @ [left, top, 0.0, 1.0]
        return code, dtype, count, tuple(matrix.ravel().tolist()), once
    return tag


def _ome_metadata(header: Header, axes: str) -> dict[str, Any]:
    content: dict[str, Any] = {"axes": axes}
    if header.spacing is None or header.unit == "px":
        return content
    for axis, step in zip("ZYX"[-len(header.spacing) :], header.spacing, strict=True):
        content |= {f"PhysicalSize{axis}": step, f"PhysicalSize{axis}Unit": header.unit}
    return content


def _write_nifti(path: Path, header: Header, volume: Array, region: Region) -> Path:
    """A volume (z, y, x) stored as (x, y, z); its matrix says where and how it lies."""
    nifti1 = import_extra("nibabel.nifti1", "Writing NIfTI")
    affine = part_affine(header, region)
    spacing = header.spacing or (1.0,) * 3
    is_placed = affine is not None and header.placement is not None
    if affine is None:
        affine = np.eye(4)[:, [2, 1, 0, 3]] @ np.diag([*spacing, 1.0])
    to_ras = _TO_RAS @ affine[:, [2, 1, 0, 3]]
    stored = np.ascontiguousarray(volume.transpose())
    if stored.dtype == np.int64 or stored.dtype == np.uint64 or stored.dtype == np.float16:
        stored = stored.astype(np.float64)
    image = nifti1.Nifti1Image(stored, to_ras)
    image.header.set_xyzt_units("mm" if header.unit == "mm" else "unknown")
    is_anatomical = is_placed and header.placement is not None and header.placement.is_anatomical
    if not is_anatomical:
        image.set_sform(None, 0)
        image.set_qform(None, 0)
        image.header.set_zooms([float(step) for step in spacing[::-1]])
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream,
    ):
        stream.write(image.to_bytes())
    return path
