"""Models that were converted from a run's weights: kept beside them, remade when they change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelwise.core.errors import UserError
from pixelwise.core.files import hash_file, read_json, replacing, write_json
from pixelwise.runs.folder import RunFolder

FOLDER = "engines"


def save_model(run: RunFolder, name: str, model: bytes, made_of: Mapping[str, Any]) -> None:
    """Write a converted model and what it was made of, the second last: it makes it count."""
    path = _path(run, name)
    with replacing(path) as temporary:
        temporary.write_bytes(model)
    write_json(path.with_suffix(".json"), {"sha256": hash_file(path), **made_of})


def read_model(
    run: RunFolder, name: str, made_of: Mapping[str, Any]
) -> tuple[bytes, dict[str, Any]] | None:
    """A converted model with its notes, None unless it is whole and made of the same things."""
    path = _path(run, name)
    notes_path = path.with_suffix(".json")
    if not path.is_file() or not notes_path.is_file():
        return None
    try:
        notes = read_json(notes_path)
    except UserError:
        return None
    if not isinstance(notes, dict) or any(notes.get(k) != v for k, v in made_of.items()):
        return None
    return (path.read_bytes(), notes) if notes.get("sha256") == hash_file(path) else None


def _path(run: RunFolder, name: str) -> Path:
    return run.path / FOLDER / f"{name}.onnx"
