"""An ONNX model in OpenVINO's own form: an XML file and its weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pixelwise.inference.optional_runtimes import openvino_core, require


def to_openvino(model: bytes) -> tuple[bytes, bytes]:
    """(XML, weights) of an ONNX model, its numbers unchanged (not shortened to 16 bits).

    Raises: MissingExtra without openvino.
    """
    runtime = require("openvino", "the form openvino")
    read = openvino_core().read_model(model)
    with tempfile.TemporaryDirectory(prefix="pixelwise-") as folder:
        path = Path(folder) / "network.xml"
        runtime.save_model(read, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()
