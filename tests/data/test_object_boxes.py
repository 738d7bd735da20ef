"""Boxes around what is not 0, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.core.case import Case
from pixelwise.data.object_boxes import measure_boxes


def test_zeros_around_an_object_are_cut_off(tmp_path: Path) -> None:
    """Rows 2 to 7 and columns 5 to 8 of 10 x 20: 6 x 4 of 200. None at all: everything."""
    image = np.zeros((10, 20), np.uint8)
    image[2, 6] = image[7, 5] = image[4, 8] = 1
    for name, pixels in (("some", image), ("none", image * 0), ("all", image + 1)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    cases = [Case(name, tmp_path / f"{name}.png", None) for name in ("some", "none", "all")]
    assert measure_boxes(cases) == [((6, 4), 0.12), ((10, 20), 1.0), ((10, 20), 1.0)]
