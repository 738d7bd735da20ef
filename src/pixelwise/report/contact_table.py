"""Which classes of a case touch, and how much: the matrix of shared boundaries, shaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from pixelwise.arrays.contacts import contact_areas
from pixelwise.core.case import IGNORE
from pixelwise.report.elements import element, folded, scrollable
from pixelwise.report.pictures import ColouredClass, Labels
from pixelwise.report.wording import size_text

FEWEST_CLASSES = 3
MOST_CLASSES = 12
"""With fewer classes there is nothing to tell apart, with more the table cannot be read."""

MOST_PIXELS = 30_000_000
"""Larger cases are not measured for a page; `predict --measure` does it for any size."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Boundaries shared by every two classes (k, k), in truth and prediction.

    Units: lengths (n_dims 2) in `unit`, areas (3) in its square.
    """

    names: tuple[str, ...]
    true: Matrix
    predicted: Matrix
    unit: str
    n_dims: int


def measure_contacts(
    truth: Labels,
    predicted: Labels,
    classes: Sequence[ColouredClass],
    spacing: tuple[float, ...] | None,
    unit: str,
) -> Contacts | None:
    """The shared boundaries of a case, None where the table would say nothing or take too long.

    Shape: truth, predicted ([z,] y, x) ids from 0 in the order of `classes`, 255 = void; void
    of the truth is left out of both.
    """
    n = len(classes)
    if not FEWEST_CLASSES <= n <= MOST_CLASSES or truth.size > MOST_PIXELS:
        return None
    scored = np.where(truth == IGNORE, np.uint8(IGNORE), predicted)
    true, found = (contact_areas(labels, n, spacing)[:n, :n] for labels in (truth, scored))
    names = tuple(entry.name for entry in classes)
    return Contacts(names, true, found, unit if spacing is not None else "px", truth.ndim)


def contact_fold(contacts: Contacts) -> Markup:
    """The matrix, folded away: the true value, the predicted one below, shaded by the true one."""
    names = contacts.names
    head = [element("th", "Touches", scope="col")]
    head += [element("th", name, scope="col", class_="number") for name in names[1:]]
    largest = max(float(contacts.true.max()), 1e-12)
    rows = []
    for i, name in enumerate(names[:-1]):
        cells = [
            _cell(contacts, i, j, largest) if j > i else element("td") for j in range(1, len(names))
        ]
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    what = "length" if contacts.n_dims == 2 else "area"
    whole = element(
        "table",
        element("caption", f"{what.capitalize()} of the shared boundary in truth, predicted below"),
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="confusion",
    )
    return folded("Which classes touch", scrollable(whole, "Shared boundaries"), is_bulk=True)


def _cell(contacts: Contacts, i: int, j: int, largest: float) -> Markup:
    true, predicted = (float(m[i, j]) for m in (contacts.true, contacts.predicted))
    texts = [
        size_text(v, contacts.unit, 2) if contacts.n_dims == 3 else f"{v:.4g} {contacts.unit}"
        for v in (true, predicted)
    ]
    part = f"--part:{true / largest:.4f}"
    return element("td", texts[0], element("small", texts[1]), class_="number right", style=part)
