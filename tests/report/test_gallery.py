"""Pictures inside the page: small, exact in colour, thin lines kept."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pixelwise.core.case import ClassInfo
from pixelwise.report.case_views import layer_url, thin_out
from pixelwise.report.content import GalleryItem
from pixelwise.report.gallery import gallery

CLASSES = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "cell", "#e69f00"))


def decoded(url: str) -> np.ndarray:
    data = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


@pytest.mark.parametrize("n_colours", [1, 2, 7, 300])
def test_layer_survives_its_packing(n_colours: int) -> None:
    generator = np.random.default_rng(0)
    colours = generator.integers(0, 256, (n_colours, 4), dtype=np.uint8)
    layer = colours[generator.integers(0, n_colours, (40, 50))]
    assert np.array_equal(decoded(layer_url(layer)), layer)


def test_thin_lines_stay() -> None:
    layer = np.zeros((10, 11, 4), dtype=np.uint8)
    layer[:, 4] = (1, 2, 3, 200)
    thin = thin_out(layer, 4)
    assert thin.shape == (3, 3, 4)
    assert thin[:, 1].tolist() == [[1, 2, 3, 200]] * 3
    assert not thin[:, 0].any() and not thin[:, 2].any()


def test_large_pictures_are_made_smaller() -> None:
    shape = (2000, 1000)
    labels = np.zeros(shape, dtype=np.uint8)
    item = GalleryItem("a", "worst", 0.5, np.zeros((*shape, 3), np.uint8), labels, labels)
    page = gallery([item], CLASSES, "Dice")
    assert 'width="500" height="1000"' in page
    assert "Dice 0.500" in page


def test_case_without_score_says_so() -> None:
    labels = np.zeros((8, 8), dtype=np.uint8)
    item = GalleryItem("a", "", None, np.zeros((8, 8, 3), np.uint8), labels, labels)
    page = gallery([item], CLASSES, "Dice")
    assert "Dice undefined" in page
    assert "background only" in page
    assert "0 pixels wrong" in page


def test_legend_names_only_what_occurs() -> None:
    labels = np.zeros((4, 4), dtype=np.uint8)
    item = GalleryItem("a", "", None, np.zeros((4, 4, 3), np.uint8), labels, labels)
    text = gallery([item], CLASSES, "Dice").partition("<figure")[0]
    assert "cell" in text and "background" not in text
    assert "void" not in text and "wrong class" not in text
    void = GalleryItem("a", "", None, item.image, labels + 255, labels)
    assert "not scored" in gallery([void], CLASSES, "Dice")
