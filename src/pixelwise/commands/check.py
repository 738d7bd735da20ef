"""check: how every file was paired and read, what the masks mean, and what is wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pixelwise.commands.check_page import write_check_page
from pixelwise.commands.doubtful_labels import Doubt, rank_labels
from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadOutput, Problem
from pixelwise.core.progress import SILENT, Listener
from pixelwise.core.records import Facts
from pixelwise.data.case_look import look_at_image
from pixelwise.data.cases import as_data_set, explore
from pixelwise.data.facts import gather_facts
from pixelwise.data.finding import Finding
from pixelwise.data.kept_checks import check_key, find_kept, keep
from pixelwise.data.mask_scan import N_THREADS
from pixelwise.data.set_exam import Examination, examine_set
from pixelwise.data.set_problems import condense
from pixelwise.data.split_symptoms import class_symptoms

_SAID_BETTER = frozenset({"same-picture"})
"""Problems of the facts that the closer look says with their places."""

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Learned:
    """What reading every file once gave."""

    facts: Facts | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was understood, and every problem: errors first, then warnings and notes.

    examination: the closer look with its places, None where there was none. doubts: labels that
    a trained run disbelieves, the most doubtful first. page: where the page was written.
    """

    root: Path
    dataset: DataSet | None
    facts: Facts | None
    problems: tuple[Problem, ...]
    examination: Examination | None = None
    doubts: tuple[Doubt, ...] = ()
    page: Path | None = None

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
    quick: bool = False,
    run: str | Path | None = None,
    use: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    listener: Listener = SILENT,
) -> CheckResult:
    """Look at every file of a folder of images and masks, and list all problems at once.

    group, label_map, seed, allow_unpaired: as for find_cases. Never raises for bad data.
    quick: leave out the closer look (masks off their image, copies, leaks, drift, shading).
    run: a trained run that ranks the labels it disbelieves; use: its own network's file.
    out: an HTML page to write. Raises BadOutput where it cannot be written, BadRun for the run.
    """
    page = _free_place(out, overwrite)
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
    facts = examination = None
    doubts: tuple[Doubt, ...] = ()
    key = None
    if dataset is not None:
        key = check_key(dataset) if max_pixels is None else None
        learned = find_kept(key, "facts", Learned)
        if learned is None:
            listener.say(f"Reading {len(dataset.cases)} images and masks …")
            learned = Learned(*_gather(dataset, listener, max_pixels))
            keep(key, "facts", learned)
        facts = learned.facts
        problems += learned.problems
    if dataset is not None and facts is not None:
        if quick:
            problems += [symptom.problem for symptom in class_symptoms(facts, dataset)]
        else:
            examination = find_kept(key, "exam", Examination)
            if examination is None:
                listener.say("Comparing masks with images, and cases with each other …")
                examination = examine_set(dataset, facts, listener)
                keep(key, "exam", examination)
            problems = [p for p in problems if p.code not in _SAID_BETTER]
            problems += [symptom.problem for symptom in examination.symptoms]
        if run is not None:
            doubts, doubtful = rank_labels(dataset, Path(run), use=use, listener=listener)
            problems += doubtful
    problems += _look_at_others(finding, dataset, max_pixels)
    ordered = sorted(condense(problems), key=lambda problem: _ORDER[problem.severity])
    result = CheckResult(finding.root, dataset, facts, tuple(ordered), examination, doubts, page)
    if page is not None:
        write_check_page(page, result)
        listener.say(f"Written: {page}")
    return result


def _gather(
    dataset: DataSet, listener: Listener, max_pixels: int | None
) -> tuple[Facts | None, tuple[Problem, ...]]:
    facts, problems = gather_facts(dataset, listener, max_pixels=max_pixels)
    return facts, tuple(problems)


def _free_place(out: str | Path | None, overwrite: bool) -> Path | None:
    page = None if out is None else Path(out)
    if page is not None and page.exists() and (page.is_dir() or not overwrite):
        raise BadOutput(
            "there is something already",
            "a new file",
            "Choose another name, or give --overwrite to replace a page.",
            path=page,
            code="exists",
        )
    return page


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
