"""Writing pictures for the eye (overlays): 8-bit RGB as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from pixelwise.core.files import replacing


def write_picture(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write (y, x, 3) uint8 as PNG, whole or not at all. Raises BadOutput."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")
