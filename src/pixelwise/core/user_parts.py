"""A user's own network, loss or metric: one Python file, named by the user on the command line."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from pixelwise.core.errors import BadPlan, UserError


def load_user_parts(path: Path) -> None:
    """Run a user's file, so that the parts that it registers are known by their names.

    Only ever called with a file that the user names with `--use`; nothing that lies in a
    run folder or a bundle is executed. Raises BadPlan with the line that failed.
    """
    if not path.is_file():
        raise BadPlan(
            "there is no such file",
            "a Python file that registers a network, loss or metric",
            "Check the path after --use.",
            path=path,
            code="no-user-file",
        )
    name = f"pixelwise_user_{path.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(path):
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadPlan(
            "it is not a Python file",
            "a file whose name ends with .py",
            "Rename it.",
            path=path,
            code="no-user-file",
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        line = frames[-1].lineno if frames else getattr(error, "lineno", None)
        where = f" in line {line}" if line else ""
        raise BadPlan(
            f"it failed{where}: {type(error).__name__}: {error}",
            "a file that runs without an error",
            "Try `python` on it first.",
            path=path,
            code="user-file-failed",
        ) from error
