"""DICOM series written slice by slice with pydicom, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

PIXEL, STEP = (0.5, 0.75), 2.5
"""Distance of rows and of columns, and of slices, in mm."""


def save_slice(path: Path, plane: np.ndarray, **fields: Any) -> Path:
    """One CT slice of int16 numbers with the given fields."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientName = "CT", "Nobody^Real"
    data.Rows, data.Columns = plane.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PixelSpacing = list(PIXEL)
    for name, value in fields.items():
        setattr(data, name, value)
    data.PixelData = plane.astype("<i2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def save_series(
    folder: Path, volume: np.ndarray, direction: np.ndarray | None = None, **fields: Any
) -> list[Path]:
    """(k, j, i) as one file per slice, names in no order, returned in the order of their places.

    direction: 3 x 3 with the axes i, j, k as columns.
    """
    direction = np.eye(3) if direction is None else direction
    series = {"SeriesInstanceUID": generate_uid(), "SeriesNumber": 4} | fields
    names = np.random.default_rng(1).permutation(len(volume))
    paths = []
    for k, plane in enumerate(volume):
        position = np.array([-20.0, 5.0, 100.0]) + direction[:, 2] * STEP * k
        orientation = [*direction[:, 0], *direction[:, 1]]
        paths.append(
            save_slice(
                folder / f"IM{names[k]:04d}",
                plane,
                ImagePositionPatient=[f"{n:.6f}" for n in position],
                ImageOrientationPatient=[f"{n:.8f}" for n in orientation],
                **series,
            )
        )
    return paths
