"""Measures one part in this process and prints it as JSON: PART WORK-FOLDER RESULT-FILE."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.prediction import first_label, large, many, paper, peers
from benchmarks.prediction.work import Work

PARTS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "paper": paper.measure,
    "large": partial(large.measure, engine="torch-bfloat16"),
    "large-int8": partial(large.measure, engine="openvino-int8"),
    "peers-equal": partial(peers.measure, settings="equal"),
    "peers-defaults": partial(peers.measure, settings="defaults"),
    "many": partial(many.measure, engine="torch-bfloat16"),
    "many-int8": partial(many.measure, engine="openvino-int8"),
    "first-label": first_label.measure,
}


def main() -> None:
    """Measure, and keep the result."""
    name, folder, file = sys.argv[1:]
    found = PARTS[name](Work(Path(folder)))
    text = json.dumps(found, indent=2, default=lambda value: value.item())
    Path(file).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
