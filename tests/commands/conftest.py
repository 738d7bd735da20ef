"""A data set of bright squares, and a run whose network labels what is bright: exactly known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import pixelwise.commands.plan as plan_module
from pixelwise.commands.train import train
from pixelwise.planning.candidate import Candidate, Measurement

DARK, BRIGHT = 40, 220
SHAPE = (40, 48)
Pixels = npt.NDArray[np.uint8]

BRIGHT_NETWORK = '''
"""A network that knows what is bright, and needs no training."""

import torch
from torch import nn

from pixelwise.networks import NETWORKS


class Bright(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images):
        values = images[:, :1] * self.weight
        return torch.cat([torch.zeros_like(values), 4 * values], 1)


@NETWORKS.register("bright")
def bright(io, *, unused: int = 0):
    """What is bright."""
    return Bright()
'''

SETTINGS = (
    "network.name=bright",
    "intensity.scheme=data set",
    "intensity.centre=[130]",
    "intensity.scale=[45]",
    "sampling.patch=[16,16]",
    "sampling.batch=2",
    "training.steps=3",
    "training.threads=1",
    "training.validation_cases=1",
)
"""Three steps of a network that is right from the start."""

TINY = (
    "network.name=unet",
    "network.options.width=4",
    "network.options.depth=1",
    *SETTINGS[4:],
)
"""Three steps of a small U-Net."""


class PretendedProbe:
    """Measures nothing, so that planning takes no time."""

    def __init__(self, threads: int, limit_seconds: float) -> None:
        self.threads = threads
        self.spent_seconds = 0.0

    def __call__(self, candidate: Candidate) -> Measurement:
        return Measurement(0.01, 1e7, 10_000_000, 1000, "float32", "contiguous", "pretended")


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def advance(self, done: float, total: float, text: str) -> None:
        assert 0 <= done <= total

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def draw_squares(seed: int, shape: tuple[int, int] = SHAPE) -> Pixels:
    """A dark image with two bright squares of 6 x 6 that do not touch."""
    random = np.random.default_rng(seed)
    image = np.full(shape, DARK, np.uint8)
    for left in (2, shape[1] // 2 + 2):
        y, x = random.integers(0, shape[0] - 6), left + random.integers(0, 10)
        image[y : y + 6, x : x + 6] = BRIGHT
    image[0, 0] = DARK + seed  # no two images are the same
    return image


def write_squares(root: Path, n_train: int = 4, n_val: int = 1, n_test: int = 1) -> Path:
    """images/ and masks/ with 0 and 255, given splits where there is more than one case."""
    counts = {"train": n_train, "val": n_val, "test": n_test}
    splits: dict[str, list[str]] = {}
    index = 0
    for split, count in counts.items():
        splits[split] = [f"case-{index + i}" for i in range(count)]
        for name in splits[split]:
            image = draw_squares(index)
            mask = ((image > 130) * 255).astype(np.uint8)
            for folder, pixels in (("images", image), ("masks", mask)):
                (root / folder).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(root / folder / f"{name}.png")
            index += 1
    if index > 1:
        (root / "splits.json").write_text(json.dumps(splits))
    return root


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning without measuring."""
    monkeypatch.setattr(plan_module, "Probe", PretendedProbe)


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images of bright squares: 4 train, 1 val, 1 test. Read only."""
    return write_squares(tmp_path_factory.mktemp("squares") / "data")


@pytest.fixture(scope="session")
def use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's file with the network `bright`."""
    path = tmp_path_factory.mktemp("own") / "bright.py"
    path.write_text(BRIGHT_NETWORK)
    return path


@pytest.fixture(scope="session")
def bright_run(
    squares: Path, use: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A finished run of the network `bright`. Read only."""
    run = tmp_path_factory.mktemp("runs") / "bright"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "Probe", PretendedProbe)
        train(squares, run=run, settings=SETTINGS, use=use)
    yield run


@pytest.fixture(scope="session")
def unet_run(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a small U-Net. Read only."""
    run = tmp_path_factory.mktemp("runs") / "unet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "Probe", PretendedProbe)
        train(squares, run=run, settings=TINY)
    return run
