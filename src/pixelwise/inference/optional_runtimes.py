"""Runtimes that need not be installed: imported here, named by their extra if they are missing."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

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


def version_of(package: str) -> str:
    """The installed version of a package, "" if there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
