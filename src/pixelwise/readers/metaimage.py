"""MetaImage volumes (.mha, .mhd): read by region, written with the geometry as it was given."""

from __future__ import annotations

import re
import shutil
import tempfile
import zlib
from pathlib import Path

from pixelwise.core.contents import damaged
from pixelwise.core.errors import UserError
from pixelwise.core.image import Array, Header, LabelStyle, Sink
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.metaimage_header import label_header, read_layout
from pixelwise.readers.volume_source import VolumeSource, check_labels, stored_order

_FIRST_LINE = re.compile(rb"\s*(ObjectType|ObjectSubType|NDims|Comment)\s*=")
_ZLIB_LEVEL = 6


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a MetaImage header."""
    return _FIRST_LINE.match(head) is not None and b"NDims" in head


def create_metaimage(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A packed .mha file that is being filled with labels, in the stored order of the image."""
    dtype = style.dtype
    check_labels(header, dtype, "MetaImage")
    to_stored = stored_order(header)

    def finish(temporary: Path, labels: Array) -> None:
        with tempfile.TemporaryFile(dir=temporary.parent) as packed:
            packer = zlib.compressobj(_ZLIB_LEVEL)
            for slab in to_stored(labels):
                packed.write(packer.compress(slab.tobytes()))
            packed.write(packer.flush())
            n_bytes = packed.tell()
            packed.seek(0)
            with temporary.open("wb") as file:
                file.write(label_header(header, dtype, n_bytes))
                shutil.copyfileobj(packed, file)

    return RegionSink(path, lambda temporary: blank_labels(temporary, header.shape, dtype), finish)


@READERS.register(
    "metaimage",
    recognises=recognises,
    suffixes=(".mha", ".mhd"),
    purposes=("image", "labels"),
    sinks={".mha": create_metaimage},
)
def open_metaimage(path: Path, purpose: Purpose) -> VolumeSource:
    """Open a MetaImage file."""
    try:
        layout = read_layout(path)
    except UserError:
        raise
    except Exception as error:  # numbers that are none, files that end too soon
        raise damaged(path, error) from error
    return VolumeSource(layout.header, layout.block, layout.as_channels)
