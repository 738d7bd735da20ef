"""The chain of pages in a TIFF: followed to its end before anything else is believed."""

from __future__ import annotations

import struct
from pathlib import Path

_BIG_TIFF = 43


def check_chain(path: Path) -> None:
    """Follow the offset from page to page: a file that was cut breaks off in between.

    Raises EOFError if the chain leaves the file, ValueError if it runs in a circle.
    """
    n_bytes = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:2] == b"II" else ">"
        is_big = struct.unpack(order + "H", head[2:4])[0] == _BIG_TIFF
        if is_big:
            count_format, entry_bytes, link_format, start = "Q", 20, "Q", head[8:16]
        else:
            count_format, entry_bytes, link_format, start = "H", 12, "I", head[4:8]
        offset = struct.unpack(order + link_format, start)[0]
        seen = set()
        while offset:
            if offset in seen:
                raise ValueError(f"its pages run in a circle at byte {offset}")
            seen.add(offset)
            stream.seek(offset)
            count_bytes = stream.read(struct.calcsize(count_format))
            if len(count_bytes) < struct.calcsize(count_format):
                raise EOFError(f"truncated: a page should begin at byte {offset} of {n_bytes}")
            (n_entries,) = struct.unpack(order + count_format, count_bytes)
            stream.seek(offset + len(count_bytes) + n_entries * entry_bytes)
            link = stream.read(struct.calcsize(link_format))
            if len(link) < struct.calcsize(link_format):
                raise EOFError(f"truncated: the page at byte {offset} does not end in the file")
            (offset,) = struct.unpack(order + link_format, link)
