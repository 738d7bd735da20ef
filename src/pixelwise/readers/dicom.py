"""DICOM: a folder is one series, a file a picture or its frames; slices decoded on demand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from pixelwise.core.contents import damaged, shown
from pixelwise.core.errors import Problem, UnreadableFile, UserError
from pixelwise.core.image import Array, Closing, Header, Region, whole_region
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.channel_axes import tilt_note
from pixelwise.readers.dicom_files import (
    DICOM_MARK,
    MARK_AT,
    Slice,
    is_dicom,
    read_folder,
    read_slices,
)
from pixelwise.readers.dicom_labels import DICOM, create_segmentation
from pixelwise.readers.dicom_segments import SegmentationSource
from pixelwise.readers.dicom_slices import place_slices, sort_slices
from pixelwise.readers.stored_values import import_extra, rescale, rescaled_dtype

_CACHE_BYTES = 64 << 20
_PROBED_FILES = 5
_CODECS: dict[str, Callable[[bytes], Array]] = {
    "1.2.840.10008.1.2.4.50": imagecodecs.jpeg_decode,
    "1.2.840.10008.1.2.4.51": imagecodecs.jpeg_decode,
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.91": imagecodecs.jpeg2k_decode,
}
"""Transfer syntaxes of packed pixels that pydicom decodes only with further packages."""


class DicomSource(Closing):
    """Sorted slices on one grid; decoded ones are kept up to 64 MB."""

    def __init__(self, path: Path, slices: Sequence[Slice], notes: Sequence[Problem]) -> None:
        ordered, step = sort_slices(path, slices)
        self._slices = ordered
        self._lock = threading.Lock()
        self._cache: OrderedDict[int, Array] = OrderedDict()
        meta = ordered[0].meta
        _refuse_unusual(path, meta)
        self._placement = place_slices(ordered, step)
        self._stored_dtype = _stored_dtype(meta)
        self._is_inverted = meta.get("PhotometricInterpretation") == "MONOCHROME1"
        scalings = {(part.slope, part.intercept) for part in ordered}
        slope, intercept = next(iter(scalings))
        dtype = rescaled_dtype(self._stored_dtype, slope, intercept)
        pixel = ordered[0].pixel
        shape = (int(meta.Rows), int(meta.Columns))
        placement = self._placement
        self._header = Header(
            path=path,
            shape=shape if placement is None else placement.array_shape,
            n_channels=int(meta.get("SamplesPerPixel") or 1),
            dtype=dtype if len(scalings) == 1 else np.dtype(np.float32),
            format_name="DICOM",
            spacing=pixel if placement is None else placement.spacing,
            unit="px" if pixel is None and placement is None else "mm",
            geometry={DICOM: tuple(ordered)},
            notes=(*notes, *self._notes(path)),
            placement=placement,
        )

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        region = region or whole_region(self._header.shape)
        placement = self._placement
        if placement is None:
            values = self._decoded(0)[(slice(None), *region)]
            return np.ascontiguousarray(values)
        k, j, i = placement.stored_region(region)
        planes = [self._decoded(index)[:, j, i] for index in range(k.start, k.stop)]
        return np.ascontiguousarray(placement.to_array(np.stack(planes, axis=1)))

    def close(self) -> None:
        self._cache.clear()

    def _decoded(self, index: int) -> Array:
        """One slice (c, j, i), rescaled."""
        with self._lock:
            if index in self._cache:
                self._cache.move_to_end(index)
                return self._cache[index]
        part = self._slices[index]
        try:
            plane = _decode(part, self._stored_dtype)
        except Exception as error:  # decoders raise many kinds on damaged bytes
            raise damaged(part.path, error) from error
        if self._is_inverted:
            plane = (1 << int(part.meta.BitsStored)) - 1 - plane
        plane = rescale(plane, self._header.dtype, part.slope, part.intercept)
        with self._lock:
            self._cache[index] = plane
            while sum(kept.nbytes for kept in self._cache.values()) > _CACHE_BYTES:
                self._cache.popitem(last=False)
        return plane

    def _notes(self, path: Path) -> list[Problem]:
        notes = [] if self._placement is None else tilt_note(path, self._placement)
        if self._is_inverted:
            text = "it stores white as 0 (MONOCHROME1); the numbers were inverted"
            notes.append(Problem(text, path=shown(path), severity="note", code="monochrome1"))
        return notes


def holds_series(folder: Path) -> bool:
    """Whether the first files of a folder are DICOM."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return False
    return any(is_dicom(path) for path in files[:_PROBED_FILES])


@READERS.register(
    "dicom",
    recognises=lambda head: head[MARK_AT : MARK_AT + len(DICOM_MARK)] == DICOM_MARK,
    recognises_folder=holds_series,
    suffixes=(".dcm", ".dicom"),
    purposes=("image", "labels"),
    sinks={".dcm": create_segmentation},
)
def open_dicom(path: Path, purpose: Purpose) -> DicomSource | SegmentationSource:
    """Open a DICOM file, or the series in a folder; a segmentation as the labels that it holds.

    Labels for DICOM images are NIfTI unless .dcm is asked for: programs that work with
    labels read it everywhere, and it has no place for a patient's name.
    """
    dcmread = import_extra("pydicom", "DICOM").dcmread
    try:
        if path.is_dir():
            slices, notes = read_folder(path)
        else:
            meta = dcmread(path, stop_before_pixels=True)
            slices, notes = read_slices(path, meta), []
            if meta.get("Modality") == "SEG":
                return SegmentationSource(path, meta, slices)
        return DicomSource(path, slices, notes)
    except UserError:
        raise
    except Exception as error:  # pydicom raises many kinds on damaged headers
        raise damaged(path, error) from error


def _stored_dtype(meta: Any) -> np.dtype[Any]:
    n_bytes = int(meta.BitsAllocated) // 8 or 1
    return np.dtype(f"{'i' if int(meta.get('PixelRepresentation') or 0) else 'u'}{n_bytes}")


def _refuse_unusual(path: Path, meta: Any) -> None:
    colours = str(meta.get("PhotometricInterpretation", "MONOCHROME2"))
    is_known = colours.startswith(("MONOCHROME", "RGB", "YBR"))
    if is_known and int(meta.BitsAllocated) in (1, 8, 16, 32) and "ModalityLUTSequence" not in meta:
        return
    raise UnreadableFile(
        f"its pixels are stored as {colours} of {meta.BitsAllocated} bits"
        + (", with a table of values" if "ModalityLUTSequence" in meta else ""),
        "grey or RGB of 8, 16 or 32 bits",
        "Convert it with a DICOM toolkit.",
        path=shown(path),
        code="colour-model",
    )


def _decode(part: Slice, dtype: np.dtype[Any]) -> Array:
    """The stored numbers (c, j, i) of one frame."""
    pydicom = import_extra("pydicom", "DICOM")
    pixels = import_extra("pydicom.pixels", "DICOM")
    meta = part.meta
    shape = (int(meta.Rows), int(meta.Columns))
    n_frames = int(meta.get("NumberOfFrames") or 1)
    codec = _CODECS.get(str(meta.file_meta.TransferSyntaxUID))
    if codec is None:
        frame: Array = pixels.pixel_array(part.path, index=part.frame if n_frames > 1 else None)
    else:
        data = pydicom.dcmread(part.path).PixelData
        frame = codec(pydicom.encaps.get_frame(data, part.frame, number_of_frames=n_frames))
    if frame.shape[:2] != shape:
        raise ValueError(f"a frame of {frame.shape} pixels was decoded, {shape} were declared")
    if frame.dtype.kind != dtype.kind and frame.dtype.itemsize == dtype.itemsize:
        frame = frame.view(dtype) if frame.flags.c_contiguous else frame.copy().view(dtype)
    if dtype.kind == "i" and codec is not None and int(meta.BitsStored) < 8 * dtype.itemsize:
        shift = 8 * dtype.itemsize - int(meta.BitsStored)
        frame = (frame << shift) >> shift
    frame = frame.astype(dtype, copy=False)
    return frame[None] if frame.ndim == 2 else np.moveaxis(frame, -1, 0)
