"""Every set's contract against the test images of every set: who is warned of, who is refused.

`pytest -rP` shows the table: a row for each contract, a column for each set of images.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from pixelwise.core.case import Case
from pixelwise.core.errors import UserError
from pixelwise.core.plan import DataSection, IntensitySection
from pixelwise.core.records import Facts
from pixelwise.data.cases import find_cases
from pixelwise.data.channels import match_channels, mismatch_sentence
from pixelwise.data.facts import gather_facts
from pixelwise.data.image_look import look_at
from pixelwise.data.input_contract import ContractCheck, contract_of
from pixelwise.planning.choices import choose_intensity
from pixelwise.readers.stacked import open_images

SETS = (
    "camvid", "chase-db1", "dic-hela", "dsb2018-fluo", "isbi2012-em", "ph2-skin",
    "msd-hippocampus", "mni152-tissue",
)  # fmt: skip
_MOST = 30
"""Test images of each set that are looked at."""


def _contract(facts: Facts, intensity: IntensitySection) -> ContractCheck:
    data = DataSection.model_construct(
        n_dims=facts.n_dims,
        n_channels=len(facts.channels),
        spacing=facts.spacing,
        unit=facts.unit,
    )
    return ContractCheck(contract_of(data, intensity, facts))


def _judge(check: ContractCheck, case: Case) -> str:
    """As `predict` judges a file: other dimensions and channels first, then the contract."""
    with open_images(case.images) as source:
        if len(source.header.shape) != check.contract.n_dims:
            return "refused"
        try:
            mismatch_sentence(source.header, check.contract.n_channels)
        except UserError:
            return "refused"
        look = look_at(source, partial(match_channels, n_channels=check.contract.n_channels))
        found = check.problems(source.header, look)
    if any(problem.severity == "error" for problem in found):
        return "refused"
    return "warned" if found else "taken"


@pytest.mark.slow
@pytest.mark.real_data
def test_own_images_are_taken_and_others_named(real_data: Path) -> None:
    checks, images = {}, {}
    for name in SETS:
        dataset, _ = find_cases(real_data / name)
        assert dataset is not None
        facts, _ = gather_facts(dataset)
        assert facts is not None
        checks[name] = _contract(facts, choose_intensity(facts)[0])
        cases = [case for case in dataset.cases if case.split == "test"] or list(dataset.cases)
        images[name] = cases[:: -(-len(cases) // _MOST)]
    table = {
        (run, other): Counter(_judge(checks[run], case) for case in images[other])
        for run in SETS
        for other in SETS
    }
    for run in SETS:
        cells = (table[run, other] for other in SETS)
        shown = (f"{c['taken']}/{c['warned']}/{c['refused']}" for c in cells)
        sys.stdout.write(f"{run:16}" + "".join(f"{cell:>9}" for cell in shown) + "\n")
    own = sum((table[name, name] for name in SETS), Counter[str]())
    others = sum((c for (a, b), c in table.items() if a != b), Counter[str]())
    sys.stdout.write(f"own {dict(own)}, others {dict(others)}\n")
    assert own["refused"] == 0
    assert own["warned"] <= 0.05 * own.total()
    assert others["taken"] <= 0.01 * others.total()
    assert others["refused"] >= 0.8 * others.total()
