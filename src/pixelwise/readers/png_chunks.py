"""The chunks of a PNG file: complete, and with the checksums that they claim."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def check_chunks(path: Path) -> None:
    """Check every chunk of a PNG, for Pillow does not look at the checksums of pixel data."""
    with path.open("rb") as stream:
        position = stream.seek(len(PNG_MAGIC))
        while True:
            head = stream.read(8)
            if len(head) < 8:
                raise EOFError(f"truncated at byte {position}, no end mark")
            length, name = struct.unpack(">I4s", head)
            body = stream.read(length + 4)
            if len(body) < length + 4:
                end = position + 8 + len(body)
                raise EOFError(f"truncated at byte {end} inside chunk {name.decode('latin1')}")
            if zlib.crc32(body[:-4], zlib.crc32(name)) != int.from_bytes(body[-4:], "big"):
                text = name.decode("latin1")
                raise ValueError(f"wrong checksum of chunk {text} at byte {position}")
            if name == b"IEND":
                return
            position += length + 12
