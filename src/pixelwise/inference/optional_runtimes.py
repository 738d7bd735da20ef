"""Runtimes that need not be installed: imported here, named by their extra if they are missing."""

from __future__ import annotations

import importlib
from functools import cache
from importlib import metadata
from types import ModuleType
from typing import Any

from pixelwise.core.errors import MissingExtra

EXTRAS = {"onnxruntime": "onnx", "onnx": "onnx", "openvino": "openvino"}
"""Package -> the extra of ours that installs it."""


def require(module: str, purpose: str) -> ModuleType:
    """The module of an optional package. Raises MissingExtra that names the extra."""
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra = EXTRAS[package]
        raise MissingExtra(
            f"{package} is not installed, which {purpose} needs ({error})",
            f"the optional packages of the extra {extra!r}",
            f"Install them with: pip install 'pixelwise[{extra}]'",
            code="missing-extra",
        ) from error


def openvino_core() -> Any:
    """OpenVINO's core, one for the process and never let go.

    Its processor plug-in lends the thread that loads it a stack for signals, and frees that
    stack when the plug-in goes. Gone in another thread, it leaves the first one with a stack
    that is no more: the next Ctrl-C is then a segmentation fault.
    Raises MissingExtra without openvino.
    """
    return _only_core(require("openvino", "the engine openvino"))


@cache
def _only_core(openvino: ModuleType) -> Any:
    return openvino.Core()


def version_of(package: str) -> str:
    """The installed version of a package, "" if there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
