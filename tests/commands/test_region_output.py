"""Predicted regions as files: a mask each, the label map where they nest, nothing half-written."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

from pixelwise.commands.region_output import (
    described_classes,
    open_label_sink,
    region_places,
    written_meaning,
)
from pixelwise.core.image import Header, whole_region
from pixelwise.core.plan import Plan
from pixelwise.data.labels import read_labels
from pixelwise.readers import open_labels
from tests.plans import STORED

NAMES = ("whole tumour", "core", "enhancing")
BRATS = {"0": 0, "1": 0b011, "2": 0b001, "4": 0b111}


def make_plan(table: dict[str, int], folders: tuple[str, ...] = ()) -> Plan:
    stored = copy.deepcopy(STORED)
    stored["task"]["name"] = "regions"
    stored["loss"]["name"] = "binary-dice"
    stored["data"]["classes"] = [
        {"id": i, "name": name, "colour": "#e69f00"} for i, name in enumerate(folders or NAMES)
    ]
    stored["data"]["labels"] = {
        "kind": "values", "to_class": table, "holds_regions": True, "folders": folders,
    }  # fmt: skip
    return Plan.model_validate(stored)


HEADER = Header(Path("a.png"), (6, 9), 1, np.dtype("u1"), "PNG")
BITS = np.random.default_rng(0).choice([0, 0b001, 0b011, 0b111], (6, 9)).astype(np.uint8)


def write(plan: Plan, out: Path, bits: np.ndarray, *, as_trained: bool = False) -> Path:
    sink, path = open_label_sink(plan, out, "a.png", HEADER, as_trained=as_trained)
    with sink:
        sink.write((slice(0, 3), slice(0, 9)), bits[:3])
        sink.write((slice(3, 6), slice(0, 9)), bits[3:])
    return path


def stored(path: Path) -> np.ndarray:
    with open_labels(path) as source:
        return source.read()[0]


def test_a_mask_for_each_region_and_the_label_map(tmp_path: Path) -> None:
    plan = make_plan(BRATS)
    path = write(plan, tmp_path, BITS)
    assert path == tmp_path / "whole_tumour" / "a.png"
    for r, folder in enumerate(("whole_tumour", "core", "enhancing")):
        assert np.array_equal(stored(tmp_path / folder / "a.png"), BITS >> r & 1)
    painted = np.select([BITS == 0, BITS == 1, BITS == 3], [0, 2, 1], 4)
    assert np.array_equal(stored(tmp_path / "labels" / "a.png"), painted)
    assert np.array_equal(read_labels(path, written_meaning(plan)), BITS)


def test_regions_that_cross_have_no_label_map(tmp_path: Path) -> None:
    plan = make_plan({"0": 0, "1": 0b001, "2": 0b010, "3": 0b011, "4": 0b100})
    bits = np.random.default_rng(1).integers(0, 8, (6, 9)).astype(np.uint8)
    path = write(plan, tmp_path, bits)
    assert not (tmp_path / "labels").exists()
    assert np.array_equal(read_labels(path, written_meaning(plan)), bits)


def test_values_of_the_training_masks(tmp_path: Path) -> None:
    plan = make_plan({"0": 0, "255": 1}, ("left", "right"))
    bits = (BITS & 3).astype(np.uint8)
    path = write(plan, tmp_path, bits, as_trained=True)
    assert set(np.unique(stored(tmp_path / "left" / "a.png"))) == {0, 255}
    assert np.array_equal(read_labels(path, written_meaning(plan, as_trained=True)), bits)
    assert region_places(plan).inside == 1


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    sink, _ = open_label_sink(make_plan(BRATS), tmp_path, "a.png", HEADER, as_trained=False)
    with pytest.raises(RuntimeError), sink:
        sink.write(whole_region((6, 9)), BITS)
        raise RuntimeError
    sink, _ = open_label_sink(make_plan(BRATS), tmp_path, "b.png", HEADER, as_trained=False)
    sink.discard()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_plain_classes_are_one_file(tmp_path: Path) -> None:
    plan = Plan.model_validate(STORED)
    sink, path = open_label_sink(plan, tmp_path, "a.png", HEADER, as_trained=False)
    sink.discard()
    assert path == tmp_path / "a.png"
    assert not written_meaning(plan).holds_regions
    assert "regions" not in described_classes(plan)


def test_classes_json_names_the_folders() -> None:
    content = described_classes(make_plan(BRATS))
    assert content["regions"] == ["whole_tumour", "core", "enhancing"]
