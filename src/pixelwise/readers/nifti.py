"""NIfTI-1 and NIfTI-2 volumes, plain or gzipped: voxels by region, header written back."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from pixelwise.core.contents import damaged
from pixelwise.core.errors import UserError
from pixelwise.core.image import Array, Header, LabelStyle, Sink
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.nifti_header import read_layout
from pixelwise.readers.nifti_labels import label_header
from pixelwise.readers.volume_source import VolumeSource, check_labels
from pixelwise.readers.voxel_block import Part, VoxelBlock, write_voxels

_GZIP = b"\x1f\x8b"
_LONGEST_HEADER = 540
_SIZES = (348, 540)
_SUFFIXES = (".nii", ".nii.gz")
_GZIP_LEVEL = 4
"""Labels pack well at any level; this one takes half the time of the usual 6."""


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file, unpacked if need be, are those of a NIfTI header."""
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(31).decompress(head, _LONGEST_HEADER)
        except zlib.error:
            return False
    if len(head) < _SIZES[0]:
        return False
    size = {struct.unpack(order + "i", head[:4])[0] for order in "<>"} & set(_SIZES)
    magic = head[344:348] if _SIZES[0] in size else head[4:8]
    return bool(size) and magic in (b"n+1\0", b"n+2\0", b"ni1\0", b"ni2\0")


def create_nifti(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A NIfTI file that is being filled with labels, in the stored order of the image."""
    dtype = style.dtype
    check_labels(header, dtype, "NIfTI")
    head, to_stored = label_header(header, dtype)

    def finish(temporary: Path, labels: Array) -> None:
        stored = to_stored(labels)
        with temporary.open("wb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
                    stream.write(head)
                    write_voxels(stream, stored)
            else:
                file.write(head)
                write_voxels(file, stored)

    return RegionSink(path, lambda temporary: blank_labels(temporary, header.shape, dtype), finish)


@READERS.register(
    "nifti",
    recognises=recognises,
    suffixes=_SUFFIXES,
    purposes=("image", "labels"),
    sinks=dict.fromkeys(_SUFFIXES, create_nifti),
)
def open_nifti(path: Path, purpose: Purpose) -> VolumeSource:
    """Open a NIfTI file."""
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == _GZIP
            stream.seek(0)
            file = gzip.GzipFile(fileobj=stream) if is_packed else stream
            head = file.read(_LONGEST_HEADER)
        layout = read_layout(path, head)
        block = VoxelBlock(
            [Part(path, layout.offset)],
            layout.stored_dtype,
            layout.stored_shape,
            "gzip" if is_packed else "raw",
            whole_file=is_packed,
        )
    except UserError:
        raise
    except Exception as error:  # the packages raise many kinds on damaged headers
        raise damaged(path, error) from error
    return VolumeSource(layout.header, block, layout.as_channels, layout.slope, layout.intercept)
