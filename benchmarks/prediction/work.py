"""The folder that the parts share: generated data, trained runs, images; each is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from pixelwise.commands.train import train
from pixelwise.data.synthetic import SyntheticCase, make_case
from pixelwise.data.synthetic_files import write_dataset
from pixelwise.runs.folder import RunFolder, open_run

TRAINING_BUDGET = "2m"
_UNSEEN = 1000
"""Seeds from here on are of no training image."""


class Work:
    """Paths of what exists by now; a part that needs something makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def data(self) -> Path:
        """Pictures of cells and filaments, 512 x 512, with splits."""
        place = self.folder / "data"
        if not place.exists():
            write_dataset(place, n_train=24, n_val=6, n_test=2, shape=(512, 512), seed=0)
        return place

    def paper_run(self) -> RunFolder:
        """The paper's U-Net with its 31 million weights, one step old: its speed is what counts."""
        return self._run(
            "paper",
            "network.name=unet-paper",
            "network.options.width=64",
            "inference.tile=[512,512]",
            "training.steps=1",
            "training.validation_cases=0",
            "sampling.batch=1",
        )

    def wide_run(self) -> RunFolder:
        """A U-Net of width 32 that was trained for two minutes."""
        return self._run("width-32", "network.name=unet", "network.options.width=32")

    def _run(self, name: str, *settings: str) -> RunFolder:
        place = self.folder / name
        if not _is_finished(place):
            print(f"training {name} first", flush=True)
            train(
                self.data(),
                run=place,
                budget=TRAINING_BUDGET,
                settings=settings,
                overwrite=place.exists(),
                thumbnails=False,
            )
        return open_run(place)


def _is_finished(place: Path) -> bool:
    return (place / "run.json").exists() and open_run(place).read_status()["state"] == "finished"


def unseen_case(number: int, edge: int) -> SyntheticCase:
    """A picture that no training has seen, with its truth."""
    return make_case(_UNSEEN + number, (edge, edge))


def write_grey(path: Path, values: npt.NDArray[np.uint8]) -> Path:
    """A picture as a PNG file, unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path, compress_level=1)
    return path
