"""Asks the tools that are installed and writes down what they say, with versions and date.

python -m benchmarks.peers.record

Tools are no dependencies of the project: make an environment with them beside it. What is
written is compared with our numbers by tests/metrics/test_other_tools.py.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.peers.cases import Case, mask_cases, object_cases, probability_cases
from benchmarks.peers.object_tools import OBJECT_TOOLS, PROBABILITY_TOOLS, TOPOLOGY_TOOLS
from benchmarks.peers.tools import TOOLS, Ask, answer, is_here

RECORDED = Path(__file__).with_name("recorded.json")
KINDS = {
    "masks": (TOOLS, mask_cases),
    "objects": (OBJECT_TOOLS, object_cases),
    "topology": (TOPOLOGY_TOOLS, mask_cases),
    "probabilities": (PROBABILITY_TOOLS, probability_cases),
}


def record() -> dict[str, Any]:
    """Date, versions, checksums, answers[kind][tool][question][case]; missing tools keep theirs."""
    old = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    versions = dict(old.get("versions", {})) | {"numpy": f"numpy {metadata.version('numpy')}"}
    answers: dict[str, Any] = {}
    checksums: dict[str, Any] = {}
    for kind, (tools, make_cases) in KINDS.items():
        cases = make_cases()
        checksums[kind] = {case.name: case.checksum for case in cases}
        answers[kind] = dict(old.get("answers", {}).get(kind, {}))
        for tool, (module, distribution, functions) in tools.items():
            if not is_here(module):
                continue
            try:
                asks = functions()
            except Exception as error:  # a package that is there and cannot be imported
                print(f"{tool} is left out: {type(error).__name__}: {error}")
                continue
            answers[kind][tool] = ask_all(asks, cases)
            versions[tool] = f"{distribution} {metadata.version(distribution)}"
    return {
        "date": datetime.date.today().isoformat(),
        "versions": versions,
        "checksums": checksums,
        "answers": answers,
    }


def ask_all(asks: Mapping[str, Ask], cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Every question of a tool about every case."""
    with contextlib.redirect_stdout(io.StringIO()):
        return {
            name: {
                case.name: answer(ask, case.truth, case.predicted, case.spacing) for case in cases
            }
            for name, ask in asks.items()
        }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    text = json.dumps(record(), indent=1, sort_keys=True)
    RECORDED.write_text(text + "\n", encoding="utf-8")
