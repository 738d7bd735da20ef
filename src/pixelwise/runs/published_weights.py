"""Published weights from a local file: safetensors, or PyTorch's format without running code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pixelwise.core.errors import UnreadableFile


def read_published_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file or a PyTorch one (never unpickling code).

    A nested "state_dict" or "model" is opened; a "module." before every name is dropped.
    Raises: UnreadableFile for anything else.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise _unreadable(path, str(error).split("\n", 1)[0]) from error
    except pickle.UnpicklingError as error:
        raise _unreadable(path, "it holds more than tensors, or is damaged") from error
    tensors = _tensors(content)
    if not tensors:
        raise _unreadable(path, "there are no named tensors in it")
    return tensors


def _tensors(content: Any) -> dict[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        return {}
    named = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    return {name.removeprefix("module."): value for name, value in named.items()}


def _unreadable(path: Path, reason: str) -> UnreadableFile:
    return UnreadableFile(
        f"the weights cannot be read: {reason}",
        "a .safetensors file, or a .pt or .pth file of named tensors",
        "Save the state dict of the network alone.",
        path=path,
        code="bad-weights",
    )
