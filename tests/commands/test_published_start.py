"""Published weights through the command: a made-up file with public names, taken, recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file
from torch import Tensor

from pixelwise.cli import main
from pixelwise.commands.plan import plan
from pixelwise.commands.predict import predict
from pixelwise.commands.train import train
from pixelwise.core.errors import BadPlan, UserError
from pixelwise.core.files import hash_file
from pixelwise.networks import NetworkIO, build_network
from pixelwise.runs.folder import open_run

from .conftest import SETTINGS, Notes

pytestmark = pytest.mark.usefixtures("pretend")

WIDTH = 2
INDICES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
WIDTHS = tuple(WIDTH * factor for factor in (1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8))
FCN = ("network.name=fcn-8s", f"network.options.width={WIDTH}", *SETTINGS[4:])
SEGNET = ("network.name=segnet", f"network.options.width={WIDTH}", *SETTINGS[4:])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16 at a thirty-second of its width, for colour images."""
    random = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}
    inputs = 3
    for index, width in zip(INDICES, WIDTHS, strict=True):
        scale = (2 / (9 * inputs)) ** 0.5
        state[f"features.{index}.weight"] = scale * torch.randn(
            width, inputs, 3, 3, generator=random
        )
        state[f"features.{index}.bias"] = torch.zeros(width)
        inputs = width
    state["classifier.6.bias"] = torch.zeros(1000)
    path = tmp_path_factory.mktemp("weights") / "vgg16.safetensors"
    save_file(state, path)
    return path


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def with_settings(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def test_the_command_takes_and_records_them(squares: Path, tmp_path: Path, weights: Path) -> None:
    """Grey images: the three colours of the first filter are summed; the rest is copied."""
    run = tmp_path / "run"
    settings = with_settings(*FCN, f"network.weights={weights}", "optimizer.learning_rate=1e-30")
    result = invoke("train", squares, "--run", run, *settings)
    assert result.exit_code == 0, result.output
    assert "26 tensors taken over" in result.stderr
    assert "features.0.weight -> blocks.0.0.weight (3 channels summed to 1)" in result.stderr
    assert "fc6.0.weight keeps its random start" in result.stderr
    stored = json.loads((run / "plan.json").read_text())["network"]
    assert stored["weights"] == str(weights)
    assert stored["weights_sha256"] == hash_file(weights)
    assert stored["options"] == {"width": WIDTH}, "no norm is added: the weights have none"
    status = open_run(run).read_status()
    assert len(status["published_weights"]["matched"]) == 26
    assert status["published_weights"]["unused"] == ["classifier.6.bias"]
    assert "26 tensors" in status["notes"][-1]
    assert "26 tensors" in (run / "report.html").read_text()
    network = build_network("fcn-8s", NetworkIO(2, 1, 2), {"width": WIDTH})
    open_run(run).load_weights_into(network)
    grey = load_file(weights)["features.0.weight"].sum(dim=1, keepdim=True)
    torch.testing.assert_close(network.blocks[0][0].weight.detach(), grey)


def test_torch_files_and_the_form_with_norm(squares: Path, tmp_path: Path, weights: Path) -> None:
    """The same file in PyTorch's format; a network with norm keeps its own norms."""
    path = tmp_path / "vgg16.pth"
    torch.save({"state_dict": load_file(weights)}, path)
    notes = Notes()
    settings = (*SEGNET, f"network.weights={path}")
    train(squares, run=tmp_path / "run", settings=settings, listener=notes)
    assert "26 tensors of vgg16.pth" in notes.text
    assert "encoder.0.0.weight" in notes.text


def test_a_run_repeats_without_being_told(squares: Path, tmp_path: Path, weights: Path) -> None:
    """The plan names file and hash: the same weights begin the repetition."""
    first = tmp_path / "first"
    train(squares, run=first, settings=(*SEGNET, f"network.weights={weights}"))
    train(squares, run=tmp_path / "again", plan=first / "plan.json")
    runs = [(tmp_path / name / "network.safetensors").read_bytes() for name in ("first", "again")]
    assert runs[0] == runs[1]


def test_the_run_needs_the_file_no_more(squares: Path, tmp_path: Path, weights: Path) -> None:
    copy = tmp_path / "gone.safetensors"
    copy.write_bytes(weights.read_bytes())
    train(squares, run=tmp_path / "run", settings=(*SEGNET, f"network.weights={copy}"))
    copy.unlink()
    result = predict(tmp_path / "run", [squares / "images"], out=tmp_path / "labels")
    assert len(result.predictions) == 6
    with pytest.raises(UserError, match="no such file of published weights"):
        train(squares, run=tmp_path / "again", plan=tmp_path / "run" / "plan.json")


def test_another_file_under_the_same_name(squares: Path, tmp_path: Path, weights: Path) -> None:
    copy = tmp_path / "vgg.safetensors"
    copy.write_bytes(weights.read_bytes())
    made = plan(squares, settings=(*SEGNET, f"network.weights={copy}"), out=tmp_path / "plan.json")
    assert made.plan.network.weights == str(copy)
    changed = load_file(copy) | {"features.0.bias": torch.ones(WIDTH)}
    save_file(changed, copy)
    with pytest.raises(BadPlan, match="not what the plan was made with"):
        train(squares, run=tmp_path / "run", plan=tmp_path / "plan.json")
    assert not (tmp_path / "run").exists()


def test_the_planner_takes_the_full_width_without_norm(
    squares: Path, tmp_path: Path, weights: Path
) -> None:
    """Only that fits; weights of another width are refused before anything is written."""
    with pytest.raises(BadPlan, match="none of the 27 published tensors fits"):
        plan(squares, settings=("network.name=segnet", f"network.weights={weights}"))
    settings = (*FCN[:2], f"network.weights={weights}")
    gentle = plan(squares, settings=settings).plan.optimizer.learning_rate
    usual = plan(squares, settings=(*FCN[:2], "network.options.norm=none")).plan
    assert gentle == pytest.approx(usual.optimizer.learning_rate / 3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("network.weights=nowhere.pth",), "no such file of published weights"),
        (("network.name=unet", "network.options.width=4", "network.weights={}"), "no VGG16"),
    ],
)
def test_what_cannot_begin(
    squares: Path, tmp_path: Path, weights: Path, settings: tuple[str, ...], said: str
) -> None:
    filled = with_settings(*(setting.format(weights) for setting in settings))
    result = invoke("train", squares, "--run", tmp_path / "run", *filled)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "run").exists()


def test_one_start_only(squares: Path, tmp_path: Path, weights: Path) -> None:
    train(squares, run=tmp_path / "run", settings=SEGNET)
    with pytest.raises(BadPlan, match=r"from the run .* and from the published"):
        train(
            squares,
            run=tmp_path / "next",
            start_from=tmp_path / "run",
            settings=(f"network.weights={weights}",),
        )
