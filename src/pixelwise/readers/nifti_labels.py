"""The header of a NIfTI label file: the image's own, or one made from its placement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pixelwise.core.grids import lengths_in_mm
from pixelwise.core.image import Array, Header
from pixelwise.readers.nifti_header import NIFTI, RAS_TO_LPS, parse_header
from pixelwise.readers.stored_values import import_extra
from pixelwise.readers.volume_source import stored_order

_OFFSETS = {348: 352, 540: 544}
"""Length of the header of NIfTI-1 and NIfTI-2 -> where voxels begin."""


def label_header(header: Header, dtype: str) -> tuple[bytes, Callable[[Array], Array]]:
    """Header bytes of a label file on the grid of an image, and how its array is stored.

    A NIfTI image's own header is kept but for type, scaling and channels, so that its
    matrices come back bit by bit; for other images it is made from their placement.
    """
    nifti1 = import_extra("nibabel.nifti1", "NIfTI")
    kept = header.geometry.get(NIFTI)
    if kept is None:
        raw, to_stored = _new_header(header, nifti1.Nifti1Header())
    else:
        raw, to_stored = parse_header(header.path, kept), stored_order(header)
    n_i, n_j, n_k = to_stored(np.empty(header.shape, bool)).shape[::-1]
    raw.set_data_dtype(np.dtype(dtype))
    raw["dim"] = [3, n_i, n_j, n_k, 1, 1, 1, 1]
    raw["pixdim"][4:] = 0
    raw["scl_slope"], raw["scl_inter"] = 1, 0
    raw["cal_max"] = raw["cal_min"] = 0
    raw["intent_code"] = 0
    raw["descrip"] = b""
    offset = _OFFSETS[int(raw["sizeof_hdr"])]
    raw["magic"] = raw.single_magic
    raw["vox_offset"] = offset
    native = raw.as_byteswapped("<") if raw.endianness != "<" else raw
    return native.binaryblock.ljust(offset, b"\0"), to_stored


def _new_header(header: Header, raw: Any) -> tuple[Any, Callable[[Array], Array]]:
    """A header for an image of another format: its matrix, or its spacing alone."""
    placement = header.placement
    raw.set_xyzt_units("mm")
    if placement is not None and placement.is_anatomical:
        matrix = RAS_TO_LPS @ np.asarray(placement.affine)
        raw["dim"][:4] = [3, *placement.shape]
        raw.set_qform(matrix, code=1)
        raw.set_sform(matrix, code=1)
        return raw, stored_order(header)
    is_small = header.unit in ("µm", "um", "nm")
    raw.set_xyzt_units("micron" if is_small else "mm")
    lengths = lengths_in_mm(header.spacing, header.unit) or (1.0,) * len(header.shape)
    steps = [1000 * step if is_small else step for step in reversed(lengths)]
    raw["pixdim"][: 1 + len(steps)] = [1.0, *steps]
    return raw, stored_order(header)
