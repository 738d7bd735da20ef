"""A user's own U-Net from one file: trained, used, and refused with reasons where it is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .conftest import Run, as_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "my_unet.py"
BROKEN = """
from torch import nn
from pixelwise.networks import NETWORKS

@NETWORKS.register("halving", dimensions=(2,))
def halving(io) -> nn.Module:
    '''Answers on half the grid.'''
    return nn.Conv2d(io.in_channels, io.out_channels, 3, stride=2, padding=1)
"""


def own_settings(name: str, *more: str) -> list[str]:
    settings = as_settings("training.steps=4", f"network.name={name}", *more)
    pairs = zip(settings[::2], settings[1::2], strict=True)
    kept = [p for p in pairs if not p[1].startswith("network.options") or p[1] in more]
    return [word for pair in kept for word in pair]


def test_own_network_is_trained_and_used(run: Run, tiny_data: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "run", tmp_path / "out"
    settings = own_settings("my-unet", "network.options.width=4")
    trained = run("train", tiny_data, "--run", folder, "--use", EXAMPLE, *settings)
    assert trained.code == 0, trained.err
    images = tiny_data / "images"
    assert run("predict", folder, images, "--out", out, "--use", EXAMPLE).code == 0
    assert len(list(out.glob("case-*.png"))) == 6


def test_a_run_with_an_own_network_says_what_it_lacks(
    run: Run, tiny_data: Path, tmp_path: Path
) -> None:
    """A fresh process, which has never seen the file: one clear sentence that names --use."""
    folder = tmp_path / "run"
    settings = own_settings("my-unet", "network.options.width=4")
    assert run("train", tiny_data, "--run", folder, "--use", EXAMPLE, *settings).code == 0
    words = ["predict", str(folder), str(tiny_data / "images"), "--out", str(tmp_path / "out")]
    answer = subprocess.run(
        [sys.executable, "-m", "pixelwise", *words], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "--use" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()


def test_a_network_that_breaks_the_contract_is_not_trained(
    run: Run, tiny_data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "halving.py"
    file.write_text(BROKEN)
    folder = tmp_path / "run"
    settings = own_settings("halving")
    answer = run("train", tiny_data, "--run", folder, "--use", file, *settings)
    assert answer.code == 2
    assert "halving" in answer.err
    assert "grid" in answer.err
    assert not folder.exists()
