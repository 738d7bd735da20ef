"""Arrays in, labels out: the same as from files, from any thread, with nothing set up again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelwise
from pixelwise.commands.export import export
from pixelwise.commands.tiling import Tiling
from pixelwise.core.errors import BadData, InputWarning

from .conftest import draw_squares


@pytest.fixture(scope="module")
def model(unet_run: Path) -> pixelwise.Model:
    return pixelwise.load(unet_run, ignore_contract=True)


def test_labels_are_those_of_predict(unet_run: Path, tmp_path: Path) -> None:
    """An image larger than its tiles, by both ways."""
    image = draw_squares(5, (150, 131))
    Image.fromarray(image).save(tmp_path / "a.png")
    tiling = Tiling(tile="32")
    pixelwise.predict(
        unet_run, tmp_path / "a.png", out=tmp_path / "out", tiling=tiling,
        ignore_contract=True, probabilities=True,
    )  # fmt: skip
    model = pixelwise.load(unet_run, tiling=tiling, ignore_contract=True)
    labels = model.predict(image)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.asarray(Image.open(tmp_path / "out" / "a.png")))
    stored = np.load(tmp_path / "out" / "probabilities" / "a.npy")
    found = model.predict_probabilities(image)
    np.testing.assert_allclose(found, stored, atol=2e-3)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_threads_agree(model: pixelwise.Model) -> None:
    images = [draw_squares(i, (40 + i, 60)) for i in range(8)]
    wanted = [model.predict(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for labels, other in zip(pool.map(model.predict, images * 2), wanted * 2, strict=True):
            np.testing.assert_array_equal(labels, other)


def test_nothing_is_read_again(unet_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(unet_run, tmp_path / "run"))
    model = pixelwise.load(run)
    before = model.predict(draw_squares(1))
    shutil.rmtree(run)
    np.testing.assert_array_equal(model.predict(draw_squares(1)), before)


def test_axes_in_any_order(model: pixelwise.Model) -> None:
    image = draw_squares(3, (40, 56))
    labels = model.predict(image)
    assert model.classes[0] == "background"
    np.testing.assert_array_equal(model.predict(image[..., None]), labels)
    np.testing.assert_array_equal(model.predict(np.stack([image] * 3, -1)), labels)
    np.testing.assert_array_equal(model.predict(np.stack([image] * 3), axes="cyx"), labels)
    np.testing.assert_array_equal(model.predict(image.T, axes="xy"), labels.T)
    assert model.predict_probabilities(image.T, axes="xy").shape == (2, 56, 40)


def test_what_is_no_image_is_refused(model: pixelwise.Model) -> None:
    for wrong in (np.zeros((3, 40, 50)), np.zeros((40, 50, 4)), np.zeros(40), "picture.png"):
        with pytest.raises(BadData):
            model.predict(wrong)
    with pytest.raises(BadData, match="2 positive numbers"):
        model.predict(draw_squares(0), spacing=(1, 1, 1))


def test_the_contract_warns_and_refuses(unet_run: Path) -> None:
    model = pixelwise.load(unet_run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(draw_squares(7))
    with pytest.warns(InputWarning, match="NaN"):
        image = draw_squares(7).astype(np.float32)
        image[0, 0] = np.nan
        model.predict(image)
    noise = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)
    with pytest.raises(BadData, match=r"drift score \d"):
        model.predict(noise)
    (problem,) = [p for p in model.check(noise) if p.code == "drift"]
    assert problem.severity == "error"
    assert model(noise).shape == (40, 48), "blocks are not judged"
    assert pixelwise.load(unet_run, ignore_contract=True).check(noise) == ()


def test_blocks_with_context_are_the_whole_image(unet_run: Path) -> None:
    """As map_overlap of Dask does it: chunks with `depth` around them, cut off again."""
    model = pixelwise.load(unet_run, tiling=Tiling(tile="512", exact=True), engine="torch")
    image = np.random.default_rng(1).integers(0, 256, (64, 80), np.uint8)
    model = model.for_blocks_of(image)
    depth, step = model.depth, 32
    assert depth == (10, 10)
    assert step % model.grid == 0
    found = np.zeros(image.shape, np.uint8)
    for y in range(0, 64, step):
        for x in range(0, 80, step):
            top, left = max(0, y - depth[0]), max(0, x - depth[1])
            block = image[top : y + step + depth[0], left : x + step + depth[1]]
            labels = model(block)[y - top : y - top + step, x - left : x - left + step]
            found[y : y + step, x : x + step] = labels
    np.testing.assert_array_equal(found, model(image))


def test_a_bundle_gives_the_labels_of_its_run(unet_run: Path, tmp_path: Path) -> None:
    export(unet_run, out=tmp_path / "model.zip")
    bundle = pixelwise.load(tmp_path / "model.zip")
    plain = pixelwise.load(unet_run, engine="onnx")
    image = draw_squares(4, (61, 83))
    np.testing.assert_array_equal(bundle.predict(image), plain.predict(image))
    assert bundle.contract is not None, "the contract travels with the bundle"
    out = tmp_path / "out"
    Image.fromarray(image).save(tmp_path / "a.png")
    result = pixelwise.predict(tmp_path / "model.zip", tmp_path / "a.png", out=out)
    assert len(result.predictions) == 1
    np.testing.assert_array_equal(np.asarray(Image.open(out / "a.png")), plain.predict(image))


def test_import_loads_no_torch() -> None:
    code = "import sys, pixelwise; sys.exit('torch' in sys.modules or 'load' not in dir(pixelwise))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
