"""The ways of cutting, blending and averaging that a user can ask for, and going on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pixelwise.commands.tile_choice as module_of_tiles
from pixelwise.commands.choose_averaging import _that_pays, choose_averaging
from pixelwise.commands.open_model import open_model
from pixelwise.commands.peak_memory import image_bytes, require_memory
from pixelwise.commands.predict import PredictResult, predict
from pixelwise.commands.settled_tiling import settle_tiling
from pixelwise.commands.tiling import Tiling, apply_tiling
from pixelwise.core.errors import BadData, BadOutput, BadPlan
from pixelwise.core.image import Header
from pixelwise.inference.engines import TorchEngine
from pixelwise.runs.folder import open_run

from .conftest import Notes

RANDOM = np.random.default_rng(0)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "big.png"
    Image.fromarray(RANDOM.integers(0, 256, (150, 131), np.uint8)).save(path)
    return path


def label(run: Path, what: Any, out: Path, **options: Any) -> PredictResult:
    return predict(run, what, out=out, ignore_contract=True, **options)  # noise, not squares


def load(path: Path) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(path))


def test_exact_tiles_are_the_whole_image(unet_run: Path, image: Path, tmp_path: Path) -> None:
    label(unet_run, image, tmp_path / "whole", tiling=Tiling(tile="512"), engine="torch")
    label(unet_run, image, tmp_path / "cut", tiling=Tiling(tile="16", exact=True), engine="torch")
    whole, cut = load(tmp_path / "whole" / "big.png"), load(tmp_path / "cut" / "big.png")
    assert 0 < whole.mean() < 1, "both classes occur"
    np.testing.assert_array_equal(cut, whole)


def test_the_halo_comes_from_the_network(unet_run: Path) -> None:
    model = open_model(unet_run)
    section = apply_tiling(Tiling(exact=True), model.plan, model.network)
    assert section.halo == (10, 10), "U-Net of depth 1: sees 9, pools by 2"


def test_averaging_respects_directions(unet_run: Path) -> None:
    model = open_model(unet_run)
    plan, network = model.plan, model.network
    free = plan.augmentation.model_copy(update={"mirror_axes": (0, 1)})
    both = plan.model_copy(update={"augmentation": free})
    section = apply_tiling(Tiling(average="rotations"), both, network)
    assert (section.mirror_axes, section.rotations) == ((0, 1), True)
    upright = plan.augmentation.model_copy(update={"mirror_axes": (1,)})
    one = plan.model_copy(update={"augmentation": upright})
    assert apply_tiling(Tiling(average="mirror"), one, network).mirror_axes == (1,)
    with pytest.raises(BadPlan, match="axes without one: x"):
        apply_tiling(Tiling(average="rotations"), one, network)


def test_the_fastest_tile_is_found_by_timing(
    unet_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pretended engine takes a millisecond for a batch of any size: the fewest batches win."""
    model = open_model(unet_run)
    section = model.plan.inference.model_copy(update={"tile": (128, 128), "batch": 1})
    monkeypatch.setattr(module_of_tiles._Timer, "seconds", pretended_seconds)
    chosen = module_of_tiles.choose_tile(model, section, [(1000, 1000)] * 1000)
    assert chosen.section.tile == (1024, 1024), "one tile"
    monkeypatch.setattr(module_of_tiles, "available_bytes", lambda: 1)
    assert module_of_tiles.choose_tile(model, section, [(1000, 1000)]).section.tile == (128, 128)


def pretended_seconds(self: Any, section: Any) -> float:
    return len(self._lay(section)[0]) / 1000


def test_views_are_averaged_only_where_that_pays(unet_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(unet_run, tmp_path / "run"))
    notes = Notes()
    settle_tiling(open_model(run), Tiling(average="auto"), listener=notes)
    stored = json.loads((run / "averaging.json").read_text())
    assert (stored["n_cases"], stored["chosen"]) == (1, _that_pays(stored["dice"]))
    assert "Averaging over views" in notes.text
    stored |= {"chosen": "rotations"}
    (run / "averaging.json").write_text(json.dumps(stored))
    again = choose_averaging(open_model(run), Tiling())
    assert again.chosen == "rotations", "kept, not measured again"


def test_what_gains_less_than_two_thousandths_does_not_pay() -> None:
    assert _that_pays({"none": 0.9, "mirror": 0.9019, "rotations": 0.9021}) == "rotations"
    assert _that_pays({"none": 0.9, "mirror": 0.903, "rotations": 0.9045}) == "mirror"
    assert _that_pays({"none": 0.9, "mirror": 0.89}) == "none"
    assert _that_pays({"none": None}) == "none"


def test_all_that_is_wrong_is_told_at_once(unet_run: Path) -> None:
    model = open_model(unet_run)
    plan, network = model.plan, model.network
    bad = Tiling("3x3x3", exact=True, blend=1.5, average="twice", skip_empty=-1)
    with pytest.raises(BadPlan) as caught:
        apply_tiling(bad, plan, network)
    text = str(caught.value)
    for part in ("--tile is '3x3x3'", "--blend is 1.5", "'twice'", "--skip-empty is -1", "--exact"):
        assert part in text


def test_blending_and_skipping_label_every_pixel(
    unet_run: Path, image: Path, tmp_path: Path
) -> None:
    found = label(unet_run, image, tmp_path / "b", tiling=Tiling("32", blend=0.5))
    assert sum(found.predictions[0].class_pixels) == 150 * 131
    empty = label(unet_run, image, tmp_path / "s", tiling=Tiling("32", skip_empty=1e6))
    assert empty.predictions[0].class_pixels == (150 * 131, 0), "all taken for background"
    assert empty.n_skipped == empty.n_tiles > 1
    assert (found.n_skipped, found.n_tiles > 1) == (0, True)
    assert empty.predictions[0].confidence == pytest.approx(1)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    folder = tmp_path / "three"
    folder.mkdir()
    for name in "abc":
        Image.fromarray(RANDOM.integers(0, 256, (20, 24), np.uint8)).save(folder / f"{name}.png")
    return folder


def test_only_what_is_missing_is_labelled_again(
    unet_run: Path, three: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    whole = label(unet_run, three, out)
    before = {name: (out / f"{name}.png").stat().st_mtime_ns for name in "abc"}
    (out / "b.png").unlink()
    again = label(unet_run, three, out, resume=True)
    after = {name: (out / f"{name}.png").stat().st_mtime_ns for name in "abc"}
    for one, other in zip(again.predictions, whole.predictions, strict=True):
        assert (one.image, one.class_pixels) == (other.image, other.class_pixels)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-6), "batches round"
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["b"] > before["b"]


def test_an_image_that_changed_is_labelled_again(
    unet_run: Path, three: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    label(unet_run, three, out)
    before = (out / "a.png").stat().st_mtime_ns
    later = before / 1e9 + 60
    os.utime(three / "a.png", (later, later))
    label(unet_run, three, out, resume=True)
    assert (out / "a.png").stat().st_mtime_ns > before


def test_going_on_otherwise_is_refused(unet_run: Path, three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    label(unet_run, three, out)
    with pytest.raises(BadOutput, match=r"overlap was 0\.0, now 0\.5"):
        label(unet_run, three, out, resume=True, tiling=Tiling(blend=0.5))
    (out / "prediction.json").write_text("{")
    with pytest.raises(BadOutput, match="cannot be read"):
        label(unet_run, three, out, resume=True)


def test_a_foreign_folder_is_not_gone_on_with(unet_run: Path, three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious.txt").write_text("x")
    with pytest.raises(BadOutput, match="holds files already"):
        label(unet_run, three, out, resume=True)


def test_ctrl_c_keeps_what_is_done(
    unet_run: Path, three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes while the first image is computed; what was opened by then is finished."""
    calls = []
    compute = TorchEngine.logits

    def interrupted(self: TorchEngine, images: Any) -> Any:
        calls.append(len(images))
        if len(calls) == 1:
            os.kill(os.getpid(), 2)
        return compute(self, images)

    for number in range(60):
        Image.fromarray(RANDOM.integers(0, 256, (16, 16 + number), np.uint8)).save(
            three / f"more-{number:02}.png"
        )
    out = tmp_path / "out"
    monkeypatch.setattr(TorchEngine, "logits", interrupted)
    stopped = label(unet_run, three, out)
    assert not stopped.is_finished
    assert 0 < len(stopped.predictions) < 63
    assert not [path for path in out.iterdir() if path.name.startswith((".", "tmp"))]
    rest = label(unet_run, three, out, resume=True)
    assert rest.is_finished
    assert len(rest.predictions) == 63
    assert len(json.loads((out / "prediction.json").read_text())["images"]) == 63


def test_memory_is_named_before_anything_starts(
    unet_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixelwise.commands.peak_memory as module

    monkeypatch.setattr(module, "available_bytes", lambda: 100_000_000)
    section = open_run(unet_run).read_plan().inference
    small = Header(Path("small.png"), (100, 100), 1, np.dtype("uint8"), "PNG")
    large = Header(Path("large.png"), (20_000, 20_000), 3, np.dtype("uint8"), "PNG")
    require_memory([small], 60_000_000, section, 2)
    with pytest.raises(BadData, match=r"large\.png.*about 1\.53 GB.*--tile"):
        require_memory([small, large], 60_000_000, section, 2)


def test_what_is_read_by_region_is_not_counted_whole(unet_run: Path) -> None:
    """400 million pixels: as PNG 3 bytes each; the labels stay on disk beyond 2^28 bytes."""
    section = open_run(unet_run).read_plan().inference
    picture = Header(Path("a.png"), (20_000, 20_000), 3, np.dtype("uint8"), "PNG")
    stack = Header(Path("a.tif"), (20_000, 20_000), 3, np.dtype("uint8"), "TIFF")
    assert image_bytes(picture, section, 2) == 1_200_000_000 + 2**28
    assert image_bytes(stack, section, 2) == 2**28
