"""What a plan was made for and where: what must be the same for a repetition bit for bit."""

from __future__ import annotations

import hashlib
import json

from pixelwise.core.plan import OriginSection
from pixelwise.core.records import Facts
from pixelwise.core.runtime import environment

DECISIVE = ("processor", "instructions", "torch", "numpy", "pixelwise")
"""What of a machine can change the last bits of a training: which arithmetic runs, in which order.
The number of threads is part of the plan itself."""


def machine_facts() -> dict[str, str]:
    """What of this machine decides on the last bits of a training."""
    found = environment()
    return {key: found[key] for key in DECISIVE if key in found}


def data_digest(facts: Facts) -> str:
    """A number that changes with the pixels of the training cases, their masks or their splits.

    It is made of sizes, class counts and intensity statistics, not of files, so that moving or
    packing a data set anew changes nothing.
    """
    content = [
        [case.id, case.split, case.shape, case.dtype, case.class_pixels]
        + [f"{value:.6g}" for value in (*case.means, *case.stds)]
        for case in sorted(facts.cases, key=lambda case: case.id)
        if case.split in ("train", "val")
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def differences_from(origin: OriginSection, facts: Facts) -> tuple[str, ...]:
    """Sentences on what is not as it was when a plan was made; () if a run can be repeated."""
    sentences = []
    here = machine_facts()
    changed = {
        key: (value, here.get(key, "unknown"))
        for key, value in origin.machine.items()
        if here.get(key) != value
    }
    if changed:
        shown = "; ".join(f"{key} {there}, here {now}" for key, (there, now) in changed.items())
        sentences.append(
            f"The plan was made on another machine or with other versions ({shown}): the same "
            "steps are taken, but weights will differ in their last digits, and scores a little."
        )
    if origin.data_digest and origin.data_digest != data_digest(facts):
        sentences.append(
            "The data has changed since the plan was made (the same cases, but other sizes, masks "
            "or intensities): the weights will not be those of the first training."
        )
    return tuple(sentences)
