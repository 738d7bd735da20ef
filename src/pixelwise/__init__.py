"""Labels every pixel of an image, and tells you how well.

The verbs of the command line are functions here, with the same names and parameters.
They are imported at first use: `import pixelwise` loads neither torch nor a reader.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelwise.commands.check import check
    from pixelwise.commands.choose_engine import choose_engine
    from pixelwise.commands.compare import compare
    from pixelwise.commands.demo import demo
    from pixelwise.commands.evaluate import evaluate
    from pixelwise.commands.export import export
    from pixelwise.commands.inspect import inspect
    from pixelwise.commands.load import Model, load
    from pixelwise.commands.plan import plan
    from pixelwise.commands.predict import predict
    from pixelwise.commands.tiling import Tiling
    from pixelwise.commands.train import train

__version__ = "0.1.0"

__all__ = [
    "Model", "Tiling",
    "check", "choose_engine", "compare", "demo", "evaluate", "export", "inspect", "load",
    "plan", "predict", "train",
]  # fmt: skip


_HOMES = {"Model": "load", "Tiling": "tiling"}
"""Files in `commands` of what is no verb; a verb has a file of its name."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pixelwise' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pixelwise.commands.{_HOMES.get(name, name)}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
