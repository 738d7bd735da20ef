"""NRRD volumes (.nrrd, .nhdr): read by region, written with the geometry as it was given."""

from __future__ import annotations

import gzip
from pathlib import Path

from pixelwise.core.contents import damaged
from pixelwise.core.errors import UserError
from pixelwise.core.image import Array, Header, LabelStyle, Sink
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.nrrd_header import label_header, read_layout
from pixelwise.readers.volume_source import VolumeSource, check_labels, stored_order
from pixelwise.readers.voxel_block import write_voxels

_GZIP_LEVEL = 6


def create_nrrd(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A gzipped NRRD file that is being filled with labels, in the stored order of the image."""
    dtype = style.dtype
    check_labels(header, dtype, "NRRD")
    head = label_header(header, dtype)
    to_stored = stored_order(header)

    def finish(temporary: Path, labels: Array) -> None:
        with temporary.open("wb") as file:
            file.write(head)
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
                write_voxels(stream, to_stored(labels))

    return RegionSink(path, lambda temporary: blank_labels(temporary, header.shape, dtype), finish)


@READERS.register(
    "nrrd",
    recognises=lambda head: head.startswith(b"NRRD000"),
    suffixes=(".nrrd", ".nhdr"),
    purposes=("image", "labels"),
    sinks={".nrrd": create_nrrd, ".seg.nrrd": create_nrrd},
)
def open_nrrd(path: Path, purpose: Purpose) -> VolumeSource:
    """Open an NRRD file."""
    try:
        layout = read_layout(path)
    except UserError:
        raise
    except Exception as error:  # numbers that are none, files that end too soon
        raise damaged(path, error) from error
    return VolumeSource(layout.header, layout.block, layout.as_channels)
