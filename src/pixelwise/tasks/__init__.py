"""One kind of answer per file: how labels become training targets, and outputs labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixelwise.core.registry import Registry

TASKS: Registry[Callable[..., Any]] = Registry("task", "pixelwise.tasks")
