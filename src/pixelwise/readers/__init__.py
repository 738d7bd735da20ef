"""One file format per file: images and label masks by region, chosen by content, never by name."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pixelwise.core.contents import foreign, read_head, shown
from pixelwise.core.errors import BadOutput, Problem, UnreadableFile
from pixelwise.core.image import Header, LabelStyle, Sink, Source
from pixelwise.core.registry import Entry, Registry

Purpose = Literal["image", "labels", "probabilities"]
OpenFunction = Callable[[Path, Purpose], Source]
"""(path, purpose) -> Source. Reads no more than the header.

"image" gives channels as a viewer shows them (palettes expanded); "labels" gives the
stored numbers (palette indices, 0/1 for one bit). Facts given at registration:
`recognises` (first bytes -> bool), `recognises_folder` (folder -> bool) where a folder can
be an image, `suffixes`, `purposes`, and for what the format can write `sinks`: suffix ->
function (path, header, style) -> Sink, and `probability_sinks`: suffix -> function
(path, shape, n_classes) -> Sink.
"""

READERS: Registry[OpenFunction] = Registry("reader", "pixelwise.readers")

MAX_PIXELS = 500_000_000
"""Largest accepted picture: 22 360 x 22 360, 1.5 GB as 8-bit RGB."""

_VALUES_PER_PIXEL = 4
"""More channels than this count against the pixel limit, for it protects the memory."""

_HOPELESS_BYTES = 10**13

_LABEL_SUFFIXES = {
    "TIFF": ".tif",
    "NIfTI": ".nii.gz",
    "NRRD": ".nrrd",
    "MetaImage": ".mha",
    "DICOM": ".nii.gz",
    "OME-Zarr": ".ome.zarr",
    "NumPy": ".npy",
}
"""Format of an image -> ending of its labels. DICOM becomes NIfTI: see readers/dicom.py."""

_DOUBLE_ENDINGS = (".nii.gz", ".ome.tif", ".ome.tiff", ".ome.zarr", ".seg.nrrd")


def open_image(path: Path | str, *, max_pixels: int | None = None) -> Source:
    """Open an image by its content; only its header is read.

    `read(region)` gives (c, [z,] y, x) of the stored dtype: palettes as colours, alpha
    dropped, EXIF orientation applied, all of it said in `header.notes` (complete after
    the first read). Raises UnreadableFile naming the cause; also if the header claims
    more than `max_pixels` (default: MAX_PIXELS).
    """
    return _open(Path(path), "image", max_pixels)


def open_labels(path: Path | str, *, max_pixels: int | None = None) -> Source:
    """Open a label mask: stored numbers, palette indices, 0/1 for one bit, colours as 3 channels.

    Raises as open_image.
    """
    return _open(Path(path), "labels", max_pixels)


def open_probabilities(path: Path | str, *, max_pixels: int | None = None) -> Source:
    """Open class probabilities written by create_probabilities: `read` gives (k, [z,] y, x).

    Raises UnreadableFile.
    """
    return _open(Path(path), "probabilities", max_pixels)


def create_labels(
    path: Path | str,
    header: Header,
    *,
    dtype: str = "uint8",
    palette: tuple[tuple[int, int, int], ...] | None = None,
    class_names: tuple[str, ...] = (),
    keeps_patient: bool = False,
) -> Sink:
    """A label image on the grid of `header`; the suffix of `path` chooses the format.

    write(region, values) takes ([z,] y, x). Place, spacing and stored order of the header
    are written back. What is never written stays 0. class_names by value, and keeps_patient
    (the fields of the patient), are for DICOM segmentations. Raises BadOutput.
    """
    path = Path(path)
    creators = _creators("labels")
    suffix = path.name[len(image_stem(path)) :].lower()
    create = creators.get(suffix, creators.get(path.suffix.lower()))
    if create is None:
        raise _unknown_ending(suffix, shown(path))
    sink: Sink = create(path, header, LabelStyle(dtype, palette, class_names, keeps_patient))
    return sink


def create_probabilities(path: Path | str, shape: tuple[int, ...], n_classes: int) -> Sink:
    """Class probabilities (k, [z,] y, x) as float16 .npy, written by region to disk.

    write(region, values) takes spatial slices and values (k, [z,] y, x). Raises BadOutput.
    """
    creators = _creators("probabilities", "probability_sinks")
    sink: Sink = creators[".npy"](Path(path), shape, n_classes)
    return sink


def image_suffixes() -> tuple[str, ...]:
    """Lower-case endings that image files usually have (for finding, not for reading)."""
    found = [s for e in _entries() if "image" in e.facts["purposes"] for s in e.facts["suffixes"]]
    return tuple(sorted(found))


def image_stem(path: Path) -> str:
    """The name of an image without its ending; endings of two parts (.nii.gz) count as one."""
    lower = path.name.lower()
    for ending in _DOUBLE_ENDINGS:
        if lower.endswith(ending) and len(lower) > len(ending):
            return path.name[: -len(ending)]
    if path.is_dir() and not has_image_suffix(path):
        return path.name  # a DICOM series: what follows a point is no ending
    return path.stem


def is_image_folder(folder: Path) -> bool:
    """Whether a folder is one image: a DICOM series, or an OME-Zarr image."""
    return any(_is_own(entry.facts, folder) for entry in _entries())


def label_suffix(header: Header) -> str:
    """The ending for labels of an image, so that they are stored as the image is."""
    return _LABEL_SUFFIXES.get(header.format_name, ".png")


def label_ending(text: str) -> str:
    """An ending that labels can be written with, in lower case; "" stays "".

    Raises BadOutput naming those that there are.
    """
    ending = text.strip().lower()
    ending = f".{ending}" if ending and not ending.startswith(".") else ending
    if ending and ending not in _creators("labels"):
        raise _unknown_ending(ending, "")
    return ending


def has_image_suffix(path: Path) -> bool:
    """Whether the ending of a name is that of an image."""
    return path.name.lower().endswith(image_suffixes())


def max_pixels_allowed() -> int:
    """The pixel limit in force: PIXELWISE_MAX_PIXELS if it is a number, else MAX_PIXELS."""
    text = os.environ.get("PIXELWISE_MAX_PIXELS", "").replace("_", "")
    return int(text) if text.isdecimal() and int(text) > 0 else MAX_PIXELS


def _open(path: Path, purpose: Purpose, max_pixels: int | None) -> Source:
    is_folder = path.is_dir()
    head = b"" if is_folder and is_image_folder(path) else read_head(path)
    for entry in _entries():
        facts = entry.facts
        is_own = _is_own(facts, path) if is_folder else facts["recognises"](head)
        if purpose in facts["purposes"] and is_own:
            source = entry.part(path, purpose)
            try:
                _check_size(source.header, max_pixels or max_pixels_allowed())
            except UnreadableFile:
                source.close()
                raise
            return source
    expected = (
        "a .npy file of probabilities"
        if purpose == "probabilities"
        else (
            "a picture (PNG, TIFF, JPEG, BMP, GIF, WebP) or a volume (NIfTI, NRRD, MetaImage, "
            "DICOM, OME-TIFF, OME-Zarr, NumPy)"
        )
    )
    raise foreign(path, head, expected)


def _is_own(facts: Mapping[str, Any], folder: Path) -> bool:
    recognises = facts.get("recognises_folder")
    return recognises is not None and bool(recognises(folder))


def _unknown_ending(ending: str, path: str) -> BadOutput:
    return BadOutput(
        f"labels cannot be written as {ending!r}",
        f"one of {', '.join(sorted(_creators('labels')))}",
        "Give the file one of these endings.",
        path=path,
        code="unknown-format",
    )


def _check_size(header: Header, limit: int) -> None:
    n_pixels = math.prod(header.shape)
    n_values = n_pixels * max(1, math.ceil(header.n_channels / _VALUES_PER_PIXEL))
    if n_values <= limit:
        return
    size = " x ".join(str(length) for length in reversed(header.shape))
    n_bytes = n_pixels * header.n_channels * header.dtype.itemsize
    raise UnreadableFile(
        Problem(
            f"its header claims {size} pixels (width x height) with {header.n_channels} "
            f"channel{'s' if header.n_channels > 1 else ''}, {n_bytes / 1e9:.1f} GB once decoded",
            f"at most {limit} pixels",
            _size_remedy(n_values, n_bytes),
            shown(header.path),
            code="too-large",
        )
    )


def _size_remedy(n_values: int, n_bytes: int) -> str:
    if n_bytes > _HOPELESS_BYTES:
        return "Such a header is damaged or made to do harm: remove the file."
    return (
        "If the picture is genuine and there is memory for it, set the environment variable "
        f"PIXELWISE_MAX_PIXELS={n_values}; otherwise remove it."
    )


def _entries() -> list[Entry[OpenFunction]]:
    return [READERS.find(name) for name in READERS.names()]


def _creators(purpose: Purpose, sinks: str = "sinks") -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for entry in _entries():
        if purpose in entry.facts["purposes"]:
            found.update(entry.facts.get(sinks, {}))
    return found
