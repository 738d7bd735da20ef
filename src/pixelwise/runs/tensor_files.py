"""Tensors of a run in safetensors files: written whole or not at all, nothing ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pixelwise.core.errors import BadRun
from pixelwise.core.files import replacing


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors by name. Raises BadOutput if the place is full or cannot be written."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        try:
            save_file(plain, temporary, metadata=metadata)
        except SafetensorError as error:
            raise _as_os_error(error) from error


def _as_os_error(error: SafetensorError) -> OSError:
    text = str(error)
    number = 28 if "os error 28" in text or "No space" in text else 5
    return OSError(number, "No space left on device" if number == 28 else text)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read tensors by name. Raises BadRun if the file is missing or damaged."""
    if not path.exists():
        raise BadRun(
            "it is missing",
            "the weights of the run",
            "The training may have been stopped before its first save: train again.",
            path=path,
            code="missing-weights",
        )
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, what: str) -> BadRun:
    """The error for a file of a run that does not hold what it should."""
    return BadRun(
        f"it is damaged or foreign: {what}",
        "a file as `pixelwise train` wrote it",
        "Restore it from a backup, or train again.",
        path=path,
        code="damaged-run",
    )
