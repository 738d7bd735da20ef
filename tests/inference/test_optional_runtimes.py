"""What optional runtimes do to the process that loads them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pixelwise.core.errors import MissingExtra
from pixelwise.inference.optional_runtimes import require

SIGNAL_AFTER_ENGINE = """
import gc, os, signal, threading
from pixelwise.inference.onnx_network import export_onnx
from pixelwise.inference.openvino_engine import OpenVINOEngine
from pixelwise.networks import NetworkIO, build_network

signal.signal(signal.SIGINT, lambda *_: print("handled"))
network = build_network("unet", NetworkIO(2, 1, 2), {"width": 2, "depth": 1}).eval()
model = export_onnx(network, n_channels=1, tile=(16, 16))
held = [OpenVINOEngine(model.model, model.field, fixed=model.fixed)]
ending = threading.Thread(target=lambda: (held.clear(), gc.collect()))
ending.start()
ending.join()
os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""


def test_ctrl_c_after_an_engine_ended_in_another_thread() -> None:
    """OpenVINO's plug-in frees the stack that signals run on; with it went the process."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_AFTER_ENGINE], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.split()) == (0, ["handled", "alive"]), done.stderr


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match=r"pixelwise\[openvino\]"):
        require("openvino", "the engine openvino")
