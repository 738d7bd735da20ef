"""Draw the README's picture from a finished demo: images, hits and errors, side by side.

python docs/make_picture.py pixelwise-demo
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.core.case import ClassInfo
from pixelwise.readers import open_image, open_labels
from pixelwise.report.pictures import render_errors

OUT = Path(__file__).resolve().parent / "result.jpg"
N_CASES, GAP = 3, 6
CLASSES = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "foreground", "#3cb44b"))


def main(demo: Path) -> None:
    """One column per held-out case: the image above, hits and errors below."""
    splits = json.loads((demo / "data" / "splits.json").read_text(encoding="utf-8"))
    columns = []
    for case in splits["test"][:N_CASES]:
        with open_image(demo / "data" / "images" / f"{case}.png") as source:
            image = source.read()
        with open_labels(demo / "data" / "masks" / f"{case}.png") as source:
            truth = source.read()[0]
        with open_labels(demo / "run" / "predictions" / "test" / f"{case}.png") as source:
            predicted = source.read()[0]
        plain = np.repeat(image[0][..., None], 3, axis=-1)
        errors = render_errors(image, truth, predicted, CLASSES)
        space = np.full((GAP, *plain.shape[1:]), 255, np.uint8)
        columns.append(np.concatenate([plain, space, errors]))
    bar = np.full((len(columns[0]), GAP, 3), 255, np.uint8)
    row = [part for column in columns for part in (column, bar)][:-1]
    Image.fromarray(np.concatenate(row, axis=1)).save(OUT, quality=88)
    print(OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pixelwise-demo"))
