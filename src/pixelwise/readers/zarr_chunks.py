"""Chunks of a Zarr array: checked before they are decoded, and packed with a checksum."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pixelwise.readers.stored_values import import_extra

_BLOSC_HEADER = 16
_PACKED_LENGTH_AT = 12
_LEVEL = 3


def check_chunks(folder: Path, array: Any, index: Sequence[slice | int]) -> None:
    """Compare the files of the chunks that an index touches with the length that they state.

    Blosc decodes what is behind the end of a chunk that was cut, in silence. Raises EOFError
    naming the first such chunk. Chunks inside shards, and chunks left out, are not looked at.
    """
    packers = [type(packer).__name__ for packer in array.compressors]
    if not packers or not packers[-1].startswith("Blosc") or array.shards is not None:
        return
    ranges = []
    for part, length, chunk in zip(index, array.shape, array.chunks, strict=True):
        start, stop, _ = (slice(part, part + 1) if isinstance(part, int) else part).indices(length)
        ranges.append(range(start // chunk, math.ceil(stop / chunk)))
    for place in product(*ranges):
        path = folder / array.metadata.encode_chunk_key(place)
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            head = stream.read(_BLOSC_HEADER)
        n_bytes = path.stat().st_size
        needed = struct.unpack_from("<I", head, _PACKED_LENGTH_AT)[0] if n_bytes >= 16 else 16
        if n_bytes < needed:
            raise EOFError(f"truncated: chunk {path.name} has {n_bytes} bytes of {needed}")


def packing_options(zarr_format: int) -> dict[str, Any]:
    """How chunks of labels are packed and named: Zstandard with a checksum, folders by axis."""
    if zarr_format == 3:
        codecs = import_extra("zarr.codecs", "OME-Zarr")
        return {"compressors": (codecs.ZstdCodec(level=_LEVEL, checksum=True),)}
    numcodecs = import_extra("numcodecs", "OME-Zarr")
    return {
        "compressors": numcodecs.Zstd(level=_LEVEL, checksum=True),
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
    }
