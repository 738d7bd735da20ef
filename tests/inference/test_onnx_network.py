"""How a network as an ONNX model is compared with the network itself."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from pixelwise.inference import onnx_network
from pixelwise.inference.onnx_network import DRAWS, export_onnx

_Source = onnx_network._Source


@pytest.mark.parametrize(("n_wrong", "is_free"), [(DRAWS - 1, True), (DRAWS, False)])
def test_one_of_several_images_must_agree_for_sizes_to_be_free(
    monkeypatch: pytest.MonkeyPatch, n_wrong: int, is_free: bool
) -> None:
    """A maximum that rounding moved in one image is no other model; one wrong in all is."""
    true, tries = _Source._equals_on, dict.fromkeys([(16, 16)], 0)

    def pretend(self: onnx_network._Source, engine: object, images: Tensor) -> bool:
        shape = tuple(images.shape[2:])
        if shape == (16, 16) and getattr(engine, "_fixed", None) is None:
            tries[shape] += 1
            if (tries[shape] - 1) % DRAWS < n_wrong:
                return False
        return true(self, engine, images)  # type: ignore[arg-type]  # an engine

    monkeypatch.setattr(_Source, "_equals_on", pretend)
    found = export_onnx(nn.Conv2d(1, 2, 3, padding=1), n_channels=1, tile=(16, 16))
    assert (found.fixed is None) == is_free
    assert tries[16, 16] > 0
