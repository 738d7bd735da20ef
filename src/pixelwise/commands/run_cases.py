"""The cases that a run was made with, by split, as far as their files are still there."""

from __future__ import annotations

from collections.abc import Mapping

from pixelwise.core.case import Case
from pixelwise.core.errors import BadData, Problem, raise_errors
from pixelwise.core.plan import Plan
from pixelwise.runs.folder import RunFolder


def split_cases(folder: RunFolder, plan: Plan, split: str) -> list[Case]:
    """The labelled cases of a split. Raises BadData if there are none or files have gone."""
    splits: Mapping[str, tuple[str, ...]] = plan.data.splits
    wanted = splits.get(split, ())
    known = {case.id: case for case in folder.read_cases()}
    cases = [known[i] for i in wanted if i in known and known[i].label is not None]
    if not cases:
        counts = ", ".join(f"{name} {len(ids)}" for name, ids in splits.items())
        raise BadData(
            f"the run has no labelled cases in its split {split!r}",
            f"a split with cases (it has {counts})",
            "Choose another --split.",
            path=folder.path,
            code="empty-split",
        )
    files = [path for case in cases for path in (*case.images, case.label) if path is not None]
    gone = [path for path in files if not path.exists()]
    raise_errors(
        [
            Problem(
                "it has gone since the training",
                "the file that the run was made with",
                "Put the data back where it was, or score folders with --truth and --predicted.",
                str(path),
                code="gone",
            )
            for path in gone
        ],
        BadData,
    )
    return cases
