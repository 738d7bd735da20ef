"""PNG, JPEG, BMP, GIF and WebP: decoded whole at the first read, then served by region."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import imagecodecs
import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from pixelwise.core.contents import alpha_note, damaged, misnamed, shown
from pixelwise.core.errors import BadOutput, Problem, UnreadableFile, UserError
from pixelwise.core.image import Array, Closing, Header, LabelStyle, Region, Sink
from pixelwise.core.sinks import RegionSink, blank_labels
from pixelwise.readers import READERS, Purpose
from pixelwise.readers.png_chunks import PNG_MAGIC, check_chunks

# What Pillow has to say about odd files comes to the user as our own notes and errors.
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")

_JPEG = b"\xff\xd8\xff"
_BMP, _GIF = b"BM", b"GIF8"
_ORIENTATION = 0x0112
_PALETTE_COLOUR, _GREY = 3, 0

# The classes are called directly, not through Image.open: its limit on pixels is a setting
# of the whole process, and ours is checked from the header anyway.
_FORMATS: tuple[tuple[bytes, str, Callable[[IO[bytes]], Any]], ...] = (
    (PNG_MAGIC, "PNG", PngImagePlugin.PngImageFile),
    (_JPEG, "JPEG", JpegImagePlugin.JpegImageFile),
    (_GIF, "GIF", GifImagePlugin.GifImageFile),
    (b"RIFF", "WebP", WebPImagePlugin.WebPImageFile),
    (_BMP, "BMP", BmpImagePlugin.BmpImageFile),
)
_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "GIF": (".gif",),
    "WebP": (".webp",),
    "BMP": (".bmp",),
}
_DTYPES = {"I": "int32", "F": "float32", "I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16"}
_UPRIGHT: dict[int, Callable[[Array], Array]] = {
    2: lambda a: a[:, :, ::-1],
    3: lambda a: a[:, ::-1, ::-1],
    4: lambda a: a[:, ::-1],
    5: lambda a: a.transpose(0, 2, 1),
    6: lambda a: a.transpose(0, 2, 1)[:, :, ::-1],
    7: lambda a: a.transpose(0, 2, 1)[:, ::-1, ::-1],
    8: lambda a: a.transpose(0, 2, 1)[:, ::-1],
}
"""Orientation value of EXIF -> how (c, y, x) as stored is turned upright."""


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file are those of one of these formats."""
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    # Two letters are a weak mark: a BMP also has four bytes that are always 0.
    if head[:2] == _BMP:
        return len(head) >= 26 and head[6:10] == bytes(4)
    return head.startswith((PNG_MAGIC, _JPEG, _GIF))


class RasterSource(Closing):
    """A picture that can only be decoded whole; the decoded array is kept until `close`."""

    def __init__(self, path: Path, purpose: Purpose) -> None:
        self._path = path
        self._is_labels = purpose == "labels"
        self._pixels: Array | None = None
        self._lock = threading.Lock()
        try:
            with path.open("rb") as stream:
                self._header = self._describe(_open_picture(stream))
        except UserError:
            raise
        except Exception as error:  # decoders raise anything on damaged bytes
            raise damaged(path, error) from error

    @property
    def header(self) -> Header:
        return self._header

    def read(self, region: Region | None = None) -> Array:
        with self._lock:
            if self._pixels is None:
                self._pixels = self._decode()
            pixels = self._pixels
        return pixels if region is None else pixels[(slice(None), *region)]

    def close(self) -> None:
        self._pixels = None

    def _describe(self, picture: Any) -> Header:
        _refuse_animation(self._path, picture)
        width, height = picture.size
        orientation = picture.getexif().get(_ORIENTATION, 1) if "exif" in picture.info else 1
        self._orientation = orientation if orientation in _UPRIGHT else 1
        self._depth, self._colour_type = _png_depth(self._path, picture)
        self._mode = _target_mode(picture, self._is_labels)
        is_deep = self._depth == 16
        dtype = np.dtype("uint16" if is_deep else _DTYPES.get(self._mode, "uint8"))
        n_channels = {"L": 1, "P": 1, "LA": 1}.get(self._mode, 3 if "RGB" in self._mode else 1)
        shape = (width, height) if self._orientation >= 5 else (height, width)
        return Header(
            path=self._path,
            shape=shape,
            n_channels=n_channels,
            dtype=dtype,
            format_name=_format_name(picture),
            palette=_palette(picture) if picture.mode == "P" else None,
            notes=self._notes(picture),
        )

    def _notes(self, picture: Any) -> tuple[Problem, ...]:
        where = shown(self._path)
        notes = misnamed(self._path, _format_name(picture), _SUFFIXES[_format_name(picture)])
        if self._orientation != 1:
            notes.append(
                Problem(
                    f"the camera stored it turned (EXIF orientation {self._orientation}); it "
                    "is read upright, as a viewer shows it",
                    path=where,
                    severity="note",
                    code="exif",
                )
            )
        if picture.mode == "CMYK":
            notes.append(
                Problem(
                    "it has the print colours CMYK and was converted to RGB",
                    path=where,
                    severity="note",
                    code="cmyk",
                )
            )
        if picture.mode == "P" and not self._is_labels:
            notes.append(
                Problem(
                    "it stores palette indices; the colours that they stand for are read",
                    path=where,
                    severity="note",
                    code="palette",
                )
            )
        return tuple(notes)

    def _decode(self) -> Array:
        try:
            if self._header.format_name == "PNG":
                check_chunks(self._path)
            pixels = self._decode_deep() if self._depth == 16 else self._decode_common()
        except UserError:
            raise
        except Exception as error:  # decoders raise anything on damaged bytes
            raise damaged(self._path, error) from error
        n_channels = self._header.n_channels
        if pixels.shape[0] > n_channels:
            note = alpha_note(self._path, pixels[n_channels].min(), pixels[n_channels].max())
            self._header = replace(self._header, notes=(*self._header.notes, note))
            pixels = pixels[:n_channels]
        if self._orientation in _UPRIGHT:
            pixels = _UPRIGHT[self._orientation](pixels)
        return np.ascontiguousarray(pixels)

    def _decode_common(self) -> Array:
        with self._path.open("rb") as stream:
            picture = _open_picture(stream)
            picture.load()
            if picture.mode != self._mode:
                picture = picture.convert(self._mode)
            pixels = np.asarray(picture)
        if pixels.dtype == bool:
            pixels = pixels.astype(np.uint8) * (1 if self._is_labels else 255)
        elif self._is_labels and self._colour_type == _GREY and self._depth in (2, 4):
            # Pillow stretches few-bit greys to 0..255; a label is the stored number.
            pixels = pixels // (85 if self._depth == 2 else 17)
        if pixels.dtype.byteorder == ">":
            pixels = pixels.astype(pixels.dtype.newbyteorder("="))
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)

    def _decode_deep(self) -> Array:
        # Pillow squeezes 16-bit colour to 8 bits.
        pixels: Array = imagecodecs.png_decode(self._path.read_bytes())
        if pixels.dtype != np.uint16:
            raise ValueError(f"16 bits were declared, {pixels.dtype} was decoded")
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)


def create_png(path: Path, header: Header, style: LabelStyle) -> Sink:
    """A PNG that is being filled with labels (y, x)."""
    dtype = style.dtype
    palette = style.palette
    if dtype not in ("uint8", "uint16") or len(header.shape) != 2:
        raise BadOutput(
            f"PNG cannot hold labels of type {dtype} and shape {header.shape}",
            "2D labels of 8 or 16 bits",
            "Write .tif instead.",
            path=shown(path),
            code="unknown-format",
        )

    def finish(temporary: Path, labels: Array) -> None:
        picture = Image.fromarray(labels)
        if palette and dtype == "uint8":
            picture.putpalette([level for colour in palette for level in colour])
        picture.save(temporary, format="PNG")

    return RegionSink(path, lambda temporary: blank_labels(temporary, header.shape, dtype), finish)


@READERS.register(
    "raster",
    recognises=recognises,
    suffixes=tuple(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes),
    purposes=("image", "labels"),
    sinks={".png": create_png},
)
def open_raster(path: Path, purpose: Purpose) -> RasterSource:
    """Open a PNG, JPEG, BMP, GIF or WebP file."""
    return RasterSource(path, purpose)


def _open_picture(stream: IO[bytes]) -> Any:
    head = stream.read(4)
    stream.seek(0)
    opener = next(opener for magic, _, opener in _FORMATS if magic.startswith(head[: len(magic)]))
    return opener(stream)


def _format_name(picture: Any) -> str:
    return next(name for _, name, opener in _FORMATS if isinstance(picture, opener))  # type: ignore[arg-type]  # they are classes


def _refuse_animation(path: Path, picture: Any) -> None:
    n_frames = getattr(picture, "n_frames", 1)
    if n_frames > 1:
        raise UnreadableFile(
            f"it is an animation of {n_frames} frames",
            "a single picture",
            "Save the frames as files of their own.",
            path=shown(path),
            code="many-frames",
        )


def _png_depth(path: Path, picture: Any) -> tuple[int, int]:
    """Bits per sample and colour type of a PNG; (0, -1) for the other formats."""
    if not isinstance(picture, PngImagePlugin.PngImageFile):
        return 0, -1
    with path.open("rb") as stream:
        head = stream.read(26)
    return head[24], head[25]


def _target_mode(picture: Any, is_labels: bool) -> str:
    """The mode of Pillow that the pixels are wanted in."""
    mode = str(picture.mode)
    has_alpha = mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    if mode in ("P", "PA"):
        if is_labels:
            return "P"
        is_grey = all(red == green == blue for red, green, blue in _palette(picture) or ())
        return ("LA" if is_grey else "RGBA") if has_alpha else ("L" if is_grey else "RGB")
    if mode in _DTYPES or mode == "1":
        return mode
    if mode in ("L", "LA", "La"):
        return "LA" if mode != "L" else "L"
    return "RGBA" if mode in ("RGBA", "RGBa") else "RGB"


def _palette(picture: Any) -> tuple[tuple[int, int, int], ...] | None:
    levels = picture.getpalette("RGB")
    if not levels:
        return None
    return tuple(zip(levels[0::3], levels[1::3], levels[2::3], strict=False))
