"""Which engine labels fastest without being wrong: what was measured, and on which machine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from pixelwise.core.errors import UserError
from pixelwise.core.files import read_json, write_json
from pixelwise.core.records import Record
from pixelwise.core.runtime import processor_name, usable_cores
from pixelwise.runs.folder import RunFolder

ENGINE_FORMAT = 1
_DECIDING = ("pixelwise", "torch", "onnxruntime", "openvino")


class EngineFigures(Record):
    """One engine: time of a tile, and its validation Dice against float32 in PyTorch.

    milliseconds: of one tile, the shortest of several. dice: mean over the foreground.
    fall, worst_fall: by how much the mean, and that of the class that lost most, is lower than
    PyTorch's in float32 (negative: higher). agreement: share of equal pixels. None where
    it was not measured. note: why it was refused, or was not scored.
    """

    name: str
    milliseconds: float | None = None
    dice: float | None = None
    class_dice: tuple[float | None, ...] = ()
    fall: float | None = None
    worst_fall: float | None = None
    worst_class: str = ""
    agreement: float | None = None
    is_accepted: bool = False
    note: str = ""


class Machine(Record):
    """What a verdict depends on; on any other machine, or for other weights, it is void."""

    processor: str
    cores: int
    versions: Mapping[str, str]
    weights_sha256: str


class EngineChoice(Record):
    """The verdict of one machine on one set of weights.

    tile: what was timed, (n, c, [z,] y, x). n_calibration: tiles of training cases that
    the ranges of int8 were measured on. n_cases: validation cases that engines were scored on.
    """

    format_version: int = ENGINE_FORMAT
    chosen: str
    machine: Machine
    tile: tuple[int, ...]
    n_calibration: int
    n_cases: int
    class_names: tuple[str, ...]
    engines: tuple[EngineFigures, ...]

    def figures(self, name: str) -> EngineFigures | None:
        """What was measured of an engine, None if nothing."""
        return next((figures for figures in self.engines if figures.name == name), None)


def this_machine(weights_sha256: str) -> Machine:
    """This processor and these versions, with the weights that a verdict is about."""
    return Machine(
        processor=processor_name(),
        cores=usable_cores(),
        versions={name: _version(name) for name in _DECIDING},
        weights_sha256=weights_sha256,
    )


def save_engine_choice(run: RunFolder, choice: EngineChoice) -> None:
    """Write the verdict into the run folder."""
    write_json(_path(run), choice.model_dump(mode="json"))


def read_engine_choice(run: RunFolder) -> EngineChoice | None:
    """The verdict of a run, wherever it was made; None if there is none that can be read."""
    if not _path(run).is_file():
        return None
    try:
        return EngineChoice.model_validate(read_json(_path(run)))
    except (UserError, ValidationError):
        return None


def valid_engine_choice(run: RunFolder) -> EngineChoice | None:
    """The verdict of a run if it was made here: on this processor, with these versions."""
    choice = read_engine_choice(run)
    here = this_machine(str(run.read_status().get("weights_sha256")))
    return choice if choice is not None and choice.machine == here else None


def _path(run: RunFolder) -> Path:
    return run.path / "engine.json"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
