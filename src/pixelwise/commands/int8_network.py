"""A float32 ONNX model in 8-bit integers, its ranges measured on tiles of training images."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pixelwise.core.errors import ProgramError
from pixelwise.inference.engines import Tiles
from pixelwise.inference.onnx_network import INPUT
from pixelwise.inference.optional_runtimes import require

_PURPOSE = "the conversion to int8"


def to_int8(model: bytes, tiles: Sequence[Tiles]) -> bytes:
    """The model with convolutions and what lies between them in 8-bit integers.

    tiles: (n, c, [z,] y, x) normalised, of sizes that the model takes: what the network sees
    in training images. Each tensor gets the range that it had on them (unsigned, with a zero
    point), each output channel of a convolution a scale of its own (signed). Both runtimes
    read the result: quantise and dequantise nodes around float operations (QDQ), which they
    fuse. Raises: MissingExtra without onnx and onnxruntime.
    """
    quantization = require("onnxruntime.quantization", _PURPOSE)
    onnx = require("onnx", _PURPOSE)
    with tempfile.TemporaryDirectory(prefix="pixelwise-") as folder, _silence():
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        result = Path(folder) / "int8.onnx"
        plain.write_bytes(model)
        try:
            quantization.quant_pre_process(plain, prepared, skip_symbolic_shape=True)
            quantization.quantize_static(
                onnx.load(prepared),
                result,
                _Reader(tiles),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                reduce_range=not _has_wide_sums(),
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                calibrate_method=quantization.CalibrationMethod.MinMax,
                extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
            )
        except Exception as error:  # its exceptions have no common class of their own
            raise ProgramError(f"the model cannot be converted to int8: {error}") from error
        return result.read_bytes()


class _Reader:
    """Hands calibration tiles out one by one, as the converter asks for them."""

    def __init__(self, tiles: Sequence[Tiles]) -> None:
        self._tiles = iter(tiles)

    def get_next(self) -> dict[str, Any] | None:
        tile = next(self._tiles, None)
        return None if tile is None else {INPUT: tile}


def _has_wide_sums() -> bool:
    """Whether products of 8-bit numbers are summed without overflow (VNNI, or ARM's dot).

    Elsewhere 7 bits are used for weights, as ONNX Runtime advises for AVX2.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return re.search(r"\b(avx512_?vnni|avx_vnni)\b", flags) is not None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the converter's advice, which is for its developers, out of the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            yield
    finally:
        logging.disable(before)
