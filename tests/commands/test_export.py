"""Bundles of runs: they run without this package, give its labels, and name nobody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pixelwise.commands.run_engines as run_engines_module
from pixelwise.commands.export import export
from pixelwise.commands.export_test_pair import label_array
from pixelwise.commands.open_engine import open_engine
from pixelwise.commands.open_model import open_model
from pixelwise.commands.run_engines import RunEngines
from pixelwise.core.errors import BadOutput, BadPlan, MissingExtra, UnknownName, UserError
from pixelwise.core.files import hash_file
from pixelwise.runs.bundle import open_bundle
from pixelwise.runs.folder import open_run
from pixelwise.runs.runner_file import runner_source
from pixelwise.runs.runner_main import Runner
from pixelwise.runs.trained_network import load_network

from .conftest import draw_squares

GUARD = """
import sys

ALLOWED = {"numpy", "onnxruntime", "google", "flatbuffers", "packaging"}

class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in ALLOWED:
            return None
        raise ImportError(f"{name} is not allowed here", name=top)

sys.meta_path.insert(0, Guard())
"""
"""Put before the runner: it may import the standard library, NumPy and ONNX Runtime alone."""


@pytest.fixture(scope="module")
def bundle(unet_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "folder"
    export(unet_run, out=out)
    return out


def copied(run: Path, tmp_path: Path) -> Path:
    """The run, to be changed."""
    return Path(shutil.copytree(run, tmp_path / "run"))


def guarded(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = GUARD + f"sys.argv = ['runner.py', *{list(words)!r}]\n"
    code += f"import runpy\nrunpy.run_path({str(folder / 'runner.py')!r}, run_name='__main__')\n"
    return subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )


def test_the_runner_needs_nothing_but_numpy_and_a_runtime(bundle: Path, tmp_path: Path) -> None:
    answer = guarded(bundle, "--test")
    assert answer.returncode == 0, answer.stderr
    assert "100.000000%" in answer.stdout
    np.save(tmp_path / "image.npy", draw_squares(9, (61, 83)))
    answer = guarded(bundle, str(tmp_path / "image.npy"), str(tmp_path / "labels.npy"))
    assert answer.returncode == 0, answer.stderr
    labels = np.load(tmp_path / "labels.npy")
    assert labels.shape == (61, 83)
    assert labels.dtype == np.uint8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.npy", "labels.npy"]


def test_the_guard_of_these_tests_does_guard(tmp_path: Path) -> None:
    (tmp_path / "runner.py").write_text("import scipy")
    answer = guarded(tmp_path)
    assert answer.returncode != 0
    assert "scipy is not allowed here" in answer.stderr


WAYS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": [16, 16], "halo": [8, 8]},
    "one tile": {"tile": [512, 512], "halo": [8, 8]},
    "mirrored": {"tile": [32, 32], "halo": [4, 4], "mirror_axes": [0, 1]},
    "turned": {"tile": [32, 32], "halo": [4, 4], "mirror_axes": [1], "rotations": True},
    "blended": {"tile": [32, 32], "halo": [0, 0], "overlap": 0.5},
    "blended and mirrored": {"tile": [32, 48], "halo": [0, 0], "overlap": 0.25, "mirror_axes": [0]},
    "skipping": {"tile": [16, 16], "halo": [8, 8], "skip_below": 0.5},
}


def with_way(bundle: Path, target: Path, inference: dict[str, Any]) -> Path:
    """The bundle with another way of prediction in its plan, its hash put right."""
    shutil.copytree(bundle, target)
    plan = json.loads((target / "plan.json").read_text())
    plan["inference"] |= inference
    (target / "plan.json").write_text(json.dumps(plan))
    head = json.loads((target / "bundle.json").read_text())
    head["files"]["plan.json"]["sha256"] = hash_file(target / "plan.json")
    (target / "bundle.json").write_text(json.dumps(head))
    return target


@pytest.mark.parametrize("way", WAYS)
def test_the_runner_gives_the_labels_of_the_package_pixel_for_pixel(
    bundle: Path, tmp_path: Path, way: str
) -> None:
    folder = with_way(bundle, tmp_path / "bundle", WAYS[way])
    runner, model = Runner(folder), open_model(folder, engine="onnx")
    random = np.random.default_rng(3)
    for shape in ((61, 83), (16, 16), (7, 130)):
        image = random.integers(0, 255, (1, *shape), dtype=np.uint8)
        image[:, : shape[0] // 3] = 60
        wanted = label_array(image, model.plan, model.opened)
        assert 0 < wanted.mean() < 1, "labels that are all equal prove nothing"
        np.testing.assert_array_equal(runner.label(image), wanted)


@pytest.mark.parametrize("form", ["onnx", "openvino", "bioimageio"])
def test_every_form_agrees_with_pytorch_in_float32(
    unet_run: Path, tmp_path: Path, form: str
) -> None:
    result = export(unet_run, to=form, out=tmp_path / "b.zip")
    assert result.agreement["torch-float32"] >= 0.9999
    model = open_model(tmp_path / "b.zip")
    run = open_run(unet_run)
    plan = run.read_plan()
    plain = open_engine("torch-float32", run, plan, load_network(run, plan))
    image = draw_squares(11, (70, 90))[None]
    equal = label_array(image, plan, plain) == label_array(image, plan, model.opened)
    assert equal.mean() >= 0.9999
    assert model.opened.engine.name == ("openvino" if form == "openvino" else "onnx") + "-float32"


def test_a_bundle_names_no_case_no_file_and_no_place(bundle: Path, unet_run: Path) -> None:
    run = open_run(unet_run)
    names = [case.id for case in run.read_cases()]
    assert names
    for file in bundle.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for secret in (*names, str(unet_run), str(Path.cwd()), str(Path.home()) + "/"):
                assert secret.encode() not in content, f"{file.name} holds {secret}"
    plan = json.loads((bundle / "plan.json").read_text())
    assert plan["data"]["splits"] == {}
    assert plan["reasons"] == []


def test_the_test_image_is_generated_unless_one_is_given(
    bundle: Path, unet_run: Path, tmp_path: Path
) -> None:
    own = draw_squares(4, (33, 41))
    Image.fromarray(own).save(tmp_path / "mine.png")
    export(unet_run, out=tmp_path / "with", test_image=tmp_path / "mine.png")
    np.testing.assert_array_equal(np.load(tmp_path / "with/test/input.npy"), own)
    assert np.load(bundle / "test/input.npy").shape != own.shape


def test_a_bundle_that_was_changed_is_refused_by_its_runner(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(bundle, folder)
    with (folder / "network.onnx").open("ab") as stream:
        stream.write(b"\0")
    answer = guarded(folder, "--test")
    assert answer.returncode == 2
    assert "network.onnx was changed" in answer.stderr
    (folder / "network.onnx").unlink()
    assert "network.onnx is missing" in guarded(folder, "--test").stderr


def test_the_runner_refuses_pickled_arrays(bundle: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.array([{}], dtype=object), allow_pickle=True)
    answer = guarded(bundle, str(tmp_path / "bad.npy"), str(tmp_path / "out.npy"))
    assert answer.returncode == 2
    assert not (tmp_path / "out.npy").exists()


def test_the_runner_is_one_file_that_python_reads() -> None:
    text = runner_source()
    compile(text, "runner.py", "exec")
    assert "pixelwise.runs" not in text
    assert text.startswith('"""Labels images with an exported bundle')


def test_an_unfit_wish_is_refused_before_anything_is_written(
    unet_run: Path, tmp_path: Path
) -> None:
    for options in ({"to": "keras"}, {"precision": "float16"}):
        with pytest.raises(BadPlan, match="Choose one of these"):
            export(unet_run, out=tmp_path / "x", **options)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x").mkdir()
    (tmp_path / "x/letter.txt").write_text("dear")
    with pytest.raises(BadOutput):
        export(unet_run, out=tmp_path / "x")
    assert (tmp_path / "x/letter.txt").read_text() == "dear"


def opened(run: Path, name: str) -> str:
    folder = open_run(run)
    plan = folder.read_plan()
    return open_engine(name, folder, plan, load_network(folder, plan)).engine.name


def test_engines_by_short_and_by_full_name(unet_run: Path) -> None:
    assert opened(unet_run, "onnx") == "onnx-float32"
    assert opened(unet_run, "openvino") == "openvino-float32"
    assert opened(unet_run, "trained") == "torch-float32"


@pytest.mark.parametrize("extra", ["onnx", "openvino"])
def test_a_missing_runtime_names_its_extra(
    unet_run: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    opened(unet_run, extra)
    monkeypatch.setitem(sys.modules, "openvino" if extra == "openvino" else "onnxruntime", None)
    with pytest.raises(MissingExtra, match=rf"pip install 'pixelwise\[{extra}\]'"):
        opened(unet_run, extra)


def test_a_precision_that_the_processor_lacks_is_refused(
    unet_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_engines_module, "has_bfloat16", lambda: False)
    with pytest.raises(BadPlan, match="does not compute in bfloat16"):
        opened(unet_run, "torch-bfloat16")
    with pytest.raises(BadPlan, match="openvino-bfloat16"):
        opened(unet_run, "onnx-bfloat16")


def test_an_unknown_engine_is_refused_with_suggestions(unet_run: Path) -> None:
    with pytest.raises((BadPlan, UnknownName), match=r"Did you mean.*openvino-int8"):
        opened(unet_run, "openvino-int9")


def test_a_converted_model_is_remade_when_it_was_damaged(unet_run: Path, tmp_path: Path) -> None:
    run = copied(unet_run, tmp_path)
    folder = open_run(run)
    plan = folder.read_plan()
    network = load_network(folder, plan)
    first = RunEngines(folder, plan, network).float_model
    path = run / "engines/network.onnx"
    path.write_bytes(b"rubbish")
    assert RunEngines(folder, plan, network).float_model.model == first.model
    assert path.read_bytes() == first.model


def test_a_network_that_says_why_is_not_exported(
    unet_run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = run_engines_module.NETWORKS.find("unet")
    monkeypatch.setitem(entry.facts, "no_export", "it sorts its input")  # type: ignore[index]  # a plain dict
    with pytest.raises(UserError, match="it sorts its input"):
        export(copied(unet_run, tmp_path), out=tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_the_bundle_opens_with_its_plan_and_scores(bundle: Path) -> None:
    found = open_bundle(bundle)
    assert found.plan.network.name == "unet"
    scores = json.loads((bundle / "scores.json").read_text())
    assert "val" in scores
    assert "cases" not in scores["val"]
    card = (bundle / "README.md").read_text()
    assert found.manifest.weights_sha256 in card
