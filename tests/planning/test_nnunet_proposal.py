"""nnU-Net's plan as a plan of this package: axes in order, network, intensities, the caveat."""

from __future__ import annotations

import pytest

from pixelwise.core.case import DataSet
from pixelwise.core.errors import BadPlan
from pixelwise.core.records import Facts
from pixelwise.networks import NetworkIO, build_network
from pixelwise.planning.assembly import Demand, Proposal
from pixelwise.planning.candidate import Candidate, Measurement
from pixelwise.planning.nnunet_proposal import Planner, propose_nnunet, take_fingerprint
from pixelwise.planning.plan_file import check_plan
from tests.plans import make_dataset, make_facts


def measure(candidate: Candidate) -> Measurement:
    return Measurement(26.0, 1e6, 10_000_000, 1000, "float32", "channels_last", "measured")


def volumes(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Facts:
    facts = make_facts(shape, n_cases=20)
    cases = tuple(case.model_copy(update={"spacing": spacing}) for case in facts.cases)
    return facts.model_copy(update={"cases": cases, "unit": "mm", "channel_names": ("CT",)})


def propose(facts: Facts, planner: Planner = "nnunet", **demand: int) -> Proposal:
    dataset: DataSet = make_dataset(len(facts.cases))
    boxes = [(case.shape, 1.0) for case in facts.cases]
    wanted = Demand(300.0, **demand)  # type: ignore[arg-type]
    return propose_nnunet(facts, dataset, boxes, wanted, measure=measure, planner=planner)


def test_pictures() -> None:
    """512 x 512, 4 cases: batch 2, eight stages; 258 s hold 9 steps of 26 s, and it says so."""
    found = propose(make_facts((512, 512)))
    plan = found.plan
    assert plan.network.name == "nnunet"
    assert dict(plan.network.options) == {"width": 32, "stages": 8}
    assert (plan.sampling.patch, plan.sampling.batch) == ((512, 512), 2)
    assert plan.intensity.scheme == "image" and not plan.intensity.without_zeros
    assert check_plan(plan.model_dump(mode="json"), "") == plan
    assert found.expected_steps == 9
    reason = plan.reasons[0]
    assert "250,000" in reason.fact and "processor" in reason.reason


def test_slices_across_the_last_axis_keep_their_place() -> None:
    """20 slices 3.6 apart across x: patch, strides and kernels are in the order of the file."""
    across_x = propose(volumes((320, 319, 20), (0.625, 0.625, 3.6))).plan
    across_z = propose(volumes((20, 320, 319), (3.6, 0.625, 0.625))).plan
    assert across_z.sampling.patch == (20, 320, 256)
    assert across_x.sampling.patch == (320, 256, 20)
    turned = [
        tuple((y, x, z) for z, y, x in across_z.network.options[name])
        for name in ("strides", "kernels")
    ]
    assert [across_x.network.options[name] for name in ("strides", "kernels")] == turned
    assert across_x.augmentation.still_axis == 2
    assert across_x.geometry.spacing == ()
    build_network("nnunet", NetworkIO(3, 1, 2), dict(across_x.network.options) | {"width": 4})


def test_volumes_slice_by_slice() -> None:
    plan = propose(volumes((320, 319, 20), (0.625, 0.625, 3.6)), "nnunet-2d").plan
    assert (plan.geometry.slice_axis, plan.geometry.neighbours) == (2, 0)
    assert len(plan.sampling.patch) == 2


def test_other_spacings_are_resampled_to_the_median() -> None:
    facts = volumes((60, 60, 60), (1.0, 1.0, 1.0))
    odd = facts.cases[0].model_copy(update={"spacing": (2.0, 1.0, 1.0)})
    facts = facts.model_copy(update={"cases": (odd, *facts.cases[1:])})
    geometry = propose(facts).plan.geometry
    assert geometry.spacing == (1.0, 1.0, 1.0)
    assert geometry.interpolation == "cubic"


def test_the_coarser_network_of_a_cascade() -> None:
    large = volumes((300, 512, 512), (0.8, 0.8, 0.8))
    plan = propose(large).plan
    assert any("3d_lowres" in reason.value for reason in plan.reasons)
    low = propose(large, "nnunet-3d-lowres").plan
    assert low.geometry.spacing[0] is not None and low.geometry.spacing[0] > 1.5
    with pytest.raises(BadPlan, match="no 3d_lowres"):
        propose(volumes((40, 40, 40), (1.0, 1.0, 1.0)), "nnunet-3d-lowres")


def test_computed_tomography_is_clipped_to_the_objects() -> None:
    facts = volumes((60, 60, 60), (1.0, 1.0, 1.0))
    channel = facts.channels[0].model_copy(update={"foreground": (50.0, 10.0, 20.0, 80.0)})
    section = propose(facts.model_copy(update={"channels": (channel,)})).plan.intensity
    assert section.scheme == "data set"
    assert (section.centre, section.scale, section.low, section.high) == (
        (50.0,), (10.0,), (20.0,), (80.0,),
    )  # fmt: skip


def test_the_fingerprint_counts_an_ignored_label_and_cut_off_zeros() -> None:
    facts = make_facts((50, 60), n_cases=2)
    ignored = facts.cases[0].model_copy(update={"n_ignored": 5})
    facts = facts.model_copy(update={"cases": (ignored, facts.cases[1])})
    found = take_fingerprint(facts, make_dataset(2), [((40, 41), 0.6), ((50, 60), 1.0)])
    assert found.shapes == ((1, 40, 41), (1, 50, 60))
    assert found.spacings == ((999.0, 1.0, 1.0),) * 2
    assert found.n_labels == 3
    assert propose(facts, memory_bytes=24_000_000_000).plan.sampling.batch >= 2
