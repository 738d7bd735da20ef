"""check: how every file was paired and read, what the masks mean, and what is wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pixelwise.core.case import DataSet
from pixelwise.core.errors import Problem
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Facts
from pixelwise.data.case_look import look_at_image
from pixelwise.data.cases import as_data_set, explore
from pixelwise.data.facts import gather_facts
from pixelwise.data.finding import Finding
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.data.set_problems import condense

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was understood, and every problem: errors first, then warnings and notes."""

    root: Path
    dataset: DataSet | None
    facts: Facts | None
    problems: tuple[Problem, ...]

    @property
    def is_usable(self) -> bool:
        """Whether a training could start: a data set, facts, and no error."""
        is_understood = self.dataset is not None and self.facts is not None
        return is_understood and all(p.severity != "error" for p in self.problems)


def check(
    data: Path | str,
    *,
    group: str | None = None,
    label_map: str | None = None,
    seed: int = 0,
    allow_unpaired: bool = False,
    max_pixels: int | None = None,
    listener: Listener = SILENT,
) -> CheckResult:
    """Look at every file of a folder of images and masks, and list all problems at once.

    group, label_map, seed, allow_unpaired: as for find_cases. Never raises for bad data.
    """
    listener.say(f"Looking at {data} …")
    finding = explore(
        data,
        group=group,
        label_map=label_map,
        seed=seed,
        allow_unpaired=allow_unpaired,
        max_pixels=max_pixels,
    )
    dataset = as_data_set(finding)
    problems = list(finding.problems)
    facts = None
    if dataset is not None:
        listener.say(f"Reading {len(dataset.cases)} images and masks …")
        facts, found = gather_facts(dataset, listener, max_pixels=max_pixels)
        problems += found
    problems += _look_at_others(finding, dataset, max_pixels)
    ordered = sorted(condense(problems), key=lambda problem: _ORDER[problem.severity])
    return CheckResult(finding.root, dataset, facts, tuple(ordered))


def _look_at_others(
    finding: Finding, dataset: DataSet | None, max_pixels: int | None
) -> list[Problem]:
    """Images that belong to no case of the data set are read too, for their own faults."""
    cases = dataset.cases if dataset else ()
    used = {path for case in cases if case.split for path in case.images}
    others = [path for path in finding.images if path not in used]
    with ThreadPoolExecutor(N_THREADS) as pool:
        results = list(pool.map(lambda path: look_at_image(path, max_pixels), others))
    return condense([problem for result in results for problem in result])
