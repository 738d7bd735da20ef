"""Reading DICOM segmentations: binary segments become one label image, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelwise.core.contents import damaged, shown
from pixelwise.core.errors import UnreadableFile, UserError
from pixelwise.core.image import Array, Closing, Header, Region, whole_region
from pixelwise.readers.dicom_files import Slice
from pixelwise.readers.dicom_slices import place_slices, sort_slices
from pixelwise.readers.stored_values import import_extra

_DIGITS = 3
"""Frames whose positions agree to a thousandth of a mm lie on one plane."""


class SegmentationSource(Closing):
    """An opened segmentation: the number of each pixel's segment, 0 where there is none.

    Raises UnreadableFile when read where segments overlap: one label image cannot hold that.
    """

    def __init__(self, path: Path, meta: Any, frames: Sequence[Slice]) -> None:
        if meta.get("SegmentationType") != "BINARY":
            raise UnreadableFile(
                f"it is a segmentation of the type {meta.get('SegmentationType')}",
                "binary segments",
                "Export it with binary segments.",
                path=shown(path),
                code="segmentation-type",
            )
        self._path = path
        self._packed: npt.NDArray[np.uint8] | None = None
        by_place: dict[tuple[float, ...], list[Slice]] = {}
        for frame in frames:
            place = () if frame.position is None else tuple(np.round(frame.position, _DIGITS))
            by_place.setdefault(place, []).append(frame)
        ordered, step = sort_slices(path, [alike[0] for alike in by_place.values()])
        of_frame = {alike[0].frame: alike for alike in by_place.values()}
        self._planes = [of_frame[part.frame] for part in ordered]
        self._segments = [
            int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            for group in meta.PerFrameFunctionalGroupsSequence
        ]
        placement = place_slices(ordered, step)
        if placement is None:
            raise ValueError("its frames do not say where they lie")
        self._placement = placement
        self._header = Header(
            path=path,
            shape=placement.array_shape,
            n_channels=1,
            dtype=np.dtype("uint8" if max(self._segments) < 256 else "uint16"),
            format_name="DICOM",
            spacing=placement.spacing,
            unit="mm",
            placement=placement,
        )

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        k, j, i = self._placement.stored_region(region or whole_region(self._header.shape))
        try:
            planes = [self._decode(alike)[j, i] for alike in self._planes[k]]
        except UserError:
            raise
        except Exception as error:  # pydicom raises many kinds on damaged bytes
            raise damaged(self._path, error) from error
        return np.ascontiguousarray(self._placement.to_array(np.stack(planes)[None]))

    def _decode(self, frames: Sequence[Slice]) -> Array:
        """The labels (j, i) of the frames on one plane."""
        meta = frames[0].meta
        labels = np.zeros((int(meta.Rows), int(meta.Columns)), self._header.dtype)
        for frame in frames:
            mask = self._mask(frame.frame, labels.shape)
            if labels[mask].any():
                raise UnreadableFile(
                    "its segments overlap, so that a pixel has several labels",
                    "segments that do not overlap",
                    "Export each segment as a file of its own.",
                    path=shown(self._path),
                    code="overlapping-segments",
                )
            labels[mask] = self._segments[frame.frame]
        return labels

    def _mask(self, index: int, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """One frame of bits, which begins in the middle of a byte where frames are odd.

        The packed bits of all frames are kept, an eighth of their pixels.
        """
        if self._packed is None:
            data = import_extra("pydicom", "DICOM").dcmread(self._path)
            if data.file_meta.TransferSyntaxUID.is_encapsulated or data.BitsAllocated != 1:
                whole = data.pixel_array.reshape(-1, *shape)
                self._packed = np.packbits(whole.astype(bool), bitorder="little")
            else:
                self._packed = np.frombuffer(data.PixelData, np.uint8)
        start, n_bits = index * math.prod(shape), math.prod(shape)
        needed = self._packed[start // 8 : (start + n_bits + 7) // 8]
        bits = np.unpackbits(needed, bitorder="little")[start % 8 :][:n_bits]
        if len(bits) < n_bits:
            raise EOFError(f"truncated: frame {index + 1} is not whole")
        return bits.reshape(shape).astype(bool)
