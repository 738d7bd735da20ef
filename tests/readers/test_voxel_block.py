"""Blocks of voxels: mapped if open, unpacked once if packed, on disk if large, never cut short."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pytest

from pixelwise.readers import voxel_block
from pixelwise.readers.voxel_block import Packing, Part, VoxelBlock, write_voxels

VALUES = np.random.default_rng(0).integers(0, 3000, (6, 5, 4)).astype(">i2")
HEAD = b"a header of some length"
PACK = {"raw": bytes, "gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress}


def block(path: Path, packing: Packing) -> VoxelBlock:
    path.write_bytes(HEAD + PACK[packing](VALUES.tobytes()))
    return VoxelBlock([Part(path, len(HEAD))], VALUES.dtype, VALUES.shape, packing)


@pytest.mark.parametrize("packing", PACK)
def test_every_packing_gives_the_voxels(tmp_path: Path, packing: Packing) -> None:
    found = block(tmp_path / "a", packing)
    assert np.array_equal(found.values(), VALUES)
    assert found.values() is found.values()


def test_open_voxels_are_mapped(tmp_path: Path) -> None:
    assert isinstance(block(tmp_path / "a", "raw").values(), np.memmap)


@pytest.mark.parametrize("packing", ["gzip", "zlib", "bzip2"])
def test_large_packed_voxels_lie_on_disk(
    tmp_path: Path, packing: Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voxel_block, "_IN_MEMORY", VALUES.nbytes - 1)
    found = block(tmp_path / "a", packing)
    assert isinstance(found.values(), np.memmap)
    assert np.array_equal(found.values(), VALUES)


@pytest.mark.parametrize("packing", PACK)
def test_voxels_that_break_off_are_refused(tmp_path: Path, packing: Packing) -> None:
    path = tmp_path / "a"
    block(path, packing)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises((EOFError, ValueError, OSError)):
        VoxelBlock([Part(path, len(HEAD))], VALUES.dtype, VALUES.shape, packing).values()


def test_a_stream_that_unpacks_to_less_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(VALUES.tobytes()[:-2]))
    found = VoxelBlock([Part(path)], VALUES.dtype, VALUES.shape, "gzip", whole_file=True)
    with pytest.raises(EOFError, match="238 bytes of 240"):
        found.values()


def test_slabs_are_written_in_the_order_of_the_view() -> None:
    stream = io.BytesIO()
    turned = VALUES.transpose(2, 0, 1)[::-1]
    write_voxels(stream, turned)
    assert stream.getvalue() == np.ascontiguousarray(turned).tobytes()
