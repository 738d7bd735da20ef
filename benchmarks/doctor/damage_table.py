"""One set broken in every way, one way at a time: found, named, located, and false alarms."""

from __future__ import annotations

import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.doctor.damages import DAMAGES, Expected
from benchmarks.doctor.set_copy import copy_set
from pixelwise.commands.check import CheckResult, check

TUNED_ON = ("dsb2018-fluo", "camvid", "camvid-fullres", "chase-db1", "msd-hippocampus", "ph2-skin")
"""Sets whose findings were looked at while limits were chosen; the others only count."""

QUIET = frozenset({"uneven-background", "mirrored-classes"})
"""Findings that describe a set and accuse no file."""


def measure(source: Path, work: Path) -> dict[str, Any]:
    """Every damage on a copy of the set, and the set as it is."""
    started = time.monotonic()
    undamaged = check(copy_set(source, work / "plain").root)
    seconds = time.monotonic() - started
    alarms = {
        s.code: list(s.cases)[:10] or "the set" for s in _symptoms(undamaged) if s.code not in QUIET
    }
    described = [s.code for s in _symptoms(undamaged) if s.code in QUIET]
    found: dict[str, Any] = {
        "alarms undamaged": alarms,
        "described": described,
        "tuned on": source.name in TUNED_ON,
        "seconds": round(seconds, 1),
    }
    for name, damage in DAMAGES.items():
        copy = copy_set(source, work / "damaged")
        random = np.random.default_rng(zlib.crc32(f"{source.name} {name}".encode()))
        expected = damage(copy, random)
        if expected is None:
            found[name] = "does not apply"
            continue
        copy.save()
        found[name] = _judge(check(copy.root), expected, undamaged)
    return found


def _symptoms(result: CheckResult) -> tuple[Any, ...]:
    return result.examination.symptoms if result.examination is not None else ()


def _judge(result: CheckResult, expected: Expected, undamaged: CheckResult) -> str:
    """ "located 2 of 2", or what is missing; cases that are named besides, and were not before."""
    named: set[str] = set()
    codes: set[str] = set()
    for symptom in _symptoms(result):
        if symptom.code in expected.codes:
            codes.add(symptom.code)
            named |= set(symptom.cases)
            named |= {Path(f).name.split(".")[0] for p in symptom.places for f in p.files}
    for problem in result.problems:
        if problem.code in expected.codes:
            codes.add(problem.code)
            named.add(Path(problem.path).name.split(".")[0])
    before = {c for s in _symptoms(undamaged) if s.code in expected.codes for c in s.cases}
    all_codes = {symptom.code for symptom in _symptoms(result)}
    missing = [code for code in expected.also if code not in all_codes]
    if not codes:
        return f"not found (named instead: {', '.join(sorted(all_codes)) or 'nothing'})"
    located = sum(case in named for case in expected.cases)
    besides = len(
        {c for s in _symptoms(result) if s.code in expected.codes for p in s.places
         for c in (p.case,)} - set(expected.cases) - before
    )  # fmt: skip
    text = f"located {located} of {len(expected.cases)} as {', '.join(sorted(codes))}"
    text += f"; {besides} others named" if besides else ""
    return text + (f"; missing: {', '.join(missing)}" if missing else "")
