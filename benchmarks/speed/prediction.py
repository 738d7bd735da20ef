"""Speed of prediction: the paper's second, large images, many images, peers, the first label.

Each part runs in a process of its own; those with peers in the interpreter that has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PARTS = (
    "paper",
    "large",
    "large-int8",
    "peers-equal",
    "peers-defaults",
    "many",
    "many-int8",
    "first-label",
)


def measure(
    *,
    only: Sequence[str] = (),
    peers: str | None = None,
    work: Path | None = None,
    earlier: Mapping[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """All parts, or `only` some; what is among the `earlier` results is not measured again.

    save: is given what there is after every part, so that nothing is lost.

    peers: the interpreter of an environment with pixelwise, monai and nnunetv2.
    work: a folder for data and trained runs, kept for the next time.
    """
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        sys.exit(f"prediction has no part {unknown[0]!r}; expected one of {', '.join(PARTS)}")
    found: dict[str, Any] = dict(earlier or {})
    kept: dict[str, bool] = found.pop("kept", {})
    with tempfile.TemporaryDirectory() as scratch:
        for name in only or PARTS:
            if name in found:
                continue
            python = peers if name.startswith("peers") else sys.executable
            if python is None:
                found[name] = "not measured: name an interpreter that has the peers with --peers"
                kept[name] = False
                continue
            result = Path(scratch) / "result.json"
            words = [python, "-m", "benchmarks.prediction", name, str(work or scratch), str(result)]
            subprocess.run(words, check=True, cwd=Path(__file__).resolve().parents[2])
            found[name] = json.loads(result.read_text(encoding="utf-8"))
            found[name]["measured"] = time.strftime("%Y-%m-%dT%H:%M:%S")
            found[name]["load"] = round(os.getloadavg()[0], 2)
            kept |= {f"{name}: {what}": ok for what, ok in found[name].pop("kept").items()}
            print(f"{name}: {found[name]}", flush=True)
            save({**found, "kept": kept})
    return {**found, "kept": kept}
