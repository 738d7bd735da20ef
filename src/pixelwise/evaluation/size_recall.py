"""How many true objects were found, by their size: quarters of all objects of a set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelwise.core.records import SizeRecall
from pixelwise.evaluation.object_scores import CaseObjects

QUARTILES = (25, 50, 75)


def recall_by_size(objects: Sequence[CaseObjects], class_id: int) -> SizeRecall | None:
    """The objects of a class in size classes of about equal number; None if there is none.

    Edges are the quartiles of all true sizes of the set, equal ones merged.
    """
    sizes = np.concatenate([case.sizes for case in objects]) if objects else np.zeros(0)
    if sizes.size == 0:
        return None
    touched = np.concatenate([case.touched for case in objects])
    found = np.concatenate([case.found for case in objects])
    edges = np.unique(np.percentile(sizes, QUARTILES, method="higher"))
    edges = edges[edges > sizes.min()]
    place = np.digitize(sizes, edges)
    n = len(edges) + 1
    counts = [np.bincount(place[mask], minlength=n) for mask in (sizes >= 0, touched, found)]
    n_objects, n_touched, n_matched = (tuple(int(c) for c in count) for count in counts)
    return SizeRecall(
        class_id=class_id,
        edges=tuple(float(edge) for edge in edges),
        n_objects=n_objects,
        n_touched=n_touched,
        n_matched=n_matched,
    )
