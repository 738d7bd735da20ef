"""The choice of an engine: what is measured, what is refused, what is kept and for how long."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import pixelwise.commands.choose_engine as choose_module
import pixelwise.runs.engine_choice as choice_module
from pixelwise.commands.choose_engine import choose_engine, compare_dice
from pixelwise.commands.int8_network import to_int8
from pixelwise.commands.open_engine import open_engine
from pixelwise.commands.write_page import write_page
from pixelwise.core.records import CaseScores
from pixelwise.evaluation import score_case, summarise
from pixelwise.inference.onnx_engine import OnnxEngine
from pixelwise.inference.onnx_network import export_onnx
from pixelwise.inference.openvino_engine import OpenVINOEngine
from pixelwise.networks import NetworkIO, build_network
from pixelwise.runs.engine_choice import read_engine_choice, valid_engine_choice
from pixelwise.runs.folder import open_run
from pixelwise.runs.trained_network import load_network

from .conftest import Notes


@pytest.fixture(scope="module")
def run(unet_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a run, with a verdict on all engines."""
    target = Path(shutil.copytree(unet_run, tmp_path_factory.mktemp("choice") / "run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose_module, "_MOST_ROUNDS", 2)
        choose_engine(target, all_engines=True)
    return target


def scores_of(share: float) -> list[CaseScores]:
    """One case of 2,000 pixels, half of them foreground, of which a share is found."""
    truth = np.zeros((1, 2000), np.uint8)
    truth[:, :1000] = 1
    found = truth.copy()
    found[:, : round(1000 * (1 - share))] = 0
    return [score_case("a", truth, found, n_classes=2)]


def verdict(before: float, after: float) -> tuple[bool, str]:
    """What the guard says of a foreground Dice of 2s / (1 + s) that changes."""
    names = ["background", "cell"]
    summaries = [summarise(scores_of(share), names, n_draws=1) for share in (before, after)]
    found = compare_dice("openvino-int8", summaries[0], summaries[1], 1.0)
    assert found.fall == pytest.approx(
        2 * before / (1 + before) - 2 * after / (1 + after), abs=1e-9
    )
    return found.is_accepted, found.note


def test_a_fall_of_two_thousandths_is_allowed_and_more_is_not() -> None:
    # of 1,000 pixels found, 3 fewer: 2 * 0.997 / 1.997 = 0.9985; 5 fewer: 0.99749
    assert verdict(1.0, 0.997) == (True, "")
    is_accepted, note = verdict(1.0, 0.995)
    assert not is_accepted
    assert "falls by 0.0025" in note
    assert verdict(0.9, 1.0) == (True, ""), "a rise is no fall"


def test_a_single_class_may_not_pay_for_the_others() -> None:
    """The mean keeps, one class loses more than 0.005: refused, and the class is named."""
    truth = np.repeat(np.arange(3, dtype=np.uint8), 1000)[None]
    before, after = truth.copy(), truth.copy()
    before[0, 1000:1020] = 0  # class 1 lacks 20 pixels before, class 2 lacks 20 after
    after[0, 2000:2020] = 0
    names = ["ground", "one", "two"]
    found = compare_dice(
        "onnx-int8",
        *(
            summarise([score_case("a", truth, labels, n_classes=3)], names, n_draws=1)
            for labels in (before, after)
        ),
        1.0,
    )
    assert found.fall == pytest.approx(0.0, abs=1e-12)
    assert found.worst_class == "two"
    assert found.worst_fall == pytest.approx(1 - 2 * 980 / 1980)
    assert not found.is_accepted


def test_all_engines_are_measured_and_the_fastest_right_one_is_chosen(run: Path) -> None:
    choice = read_engine_choice(open_run(run))
    assert choice is not None
    assert choice.n_cases == 1
    assert choice.n_calibration >= 1
    right = [found for found in choice.engines if found.is_accepted]
    assert {found.name for found in right} >= {"torch-float32", "onnx-float32", "openvino-float32"}
    fastest = min(right, key=lambda found: found.milliseconds or np.inf)
    assert choice.chosen == fastest.name
    for found in right:
        if found.name.endswith("float32"):
            assert found.agreement is not None
            assert found.agreement >= 0.9999


def test_a_wrong_engine_is_never_chosen_however_fast(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(run, tmp_path / "run"))
    label = choose_module._Scorer._label

    def blind(self: object, name: str, opened: object) -> list[np.ndarray]:
        labels = label(self, name, opened)  # type: ignore[arg-type]  # of the test
        return [np.zeros_like(a) if "int8" in name else a for a in labels]

    monkeypatch.setattr(choose_module._Scorer, "_label", blind)
    monkeypatch.setattr(
        choose_module,
        "_time",
        lambda opened, *_: {name: 1.0 if "int8" in name else 100.0 for name in opened},
    )
    choice = choose_engine(own)
    assert "int8" not in choice.chosen
    refused = choice.figures("openvino-int8")
    assert refused is not None
    assert "falls by" in refused.note


def test_the_verdict_holds_for_this_machine_and_these_weights_only(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Path(shutil.copytree(run, tmp_path / "run"))
    folder = open_run(own)
    assert valid_engine_choice(folder) is not None
    with monkeypatch.context() as patch:
        patch.setattr(choice_module, "processor_name", lambda: "another one")
        assert valid_engine_choice(folder) is None
    with (own / "network.safetensors").open("ab") as stream:
        stream.write(b" ")
    folder.save_status("finished")
    assert valid_engine_choice(folder) is None
    (own / "engine.json").write_text("{")
    assert read_engine_choice(folder) is None


def test_auto_takes_the_verdict_and_says_so(run: Path) -> None:
    folder, notes = open_run(run), Notes()
    plan = folder.read_plan()
    choice = valid_engine_choice(folder)
    assert choice is not None
    found = open_engine("auto", folder, plan, load_network(folder, plan), listener=notes)
    assert found.engine.name == choice.chosen
    assert f"Engine {choice.chosen}" in notes.text


def test_the_page_of_the_run_shows_the_figures(run: Path) -> None:
    page = write_page(run).read_text(encoding="utf-8")
    assert "Engines for prediction" in page
    assert "openvino-int8" in page


def test_int8_is_near_and_much_smaller() -> None:
    network = build_network("unet", NetworkIO(2, 1, 2), {"width": 16, "depth": 2}).eval()
    model = export_onnx(network, n_channels=1, tile=(64, 64))
    random = np.random.default_rng(0)
    tiles = [random.standard_normal((1, 1, 64, 64), np.float32) for _ in range(4)]
    small = to_int8(model.model, tiles)
    assert len(small) < 0.5 * len(model.model)
    images = random.standard_normal((1, 1, 64, 64), np.float32)
    wanted = OnnxEngine(model.model, model.field).logits(images)
    for kind in (OnnxEngine, OpenVINOEngine):
        found = kind(small, model.field, precision="int8").logits(images)
        error = float(np.abs(found - wanted).max() / np.abs(wanted).max())
        assert 0 < error < 0.2
