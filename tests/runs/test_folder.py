"""A run folder gives back what was put in, and refuses what is damaged, foreign or newer."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from pixelwise.core import files
from pixelwise.core.errors import BadOutput, BadRun
from pixelwise.core.records import IntervalRecord
from pixelwise.runs import tensor_files
from pixelwise.runs.folder import RunFolder, create_run, open_run
from tests.plans import make_dataset, make_facts, make_plan

WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2)}
RECORD = IntervalRecord(
    step=5, n_steps=9, seconds=1.5, loss=0.25, learning_rate=0.1, images_per_second=3.0
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with everything in it but scores."""
    made = create_run(tmp_path / "run", overwrite=False)
    made.save_plan(make_plan())
    made.save_facts(make_facts())
    made.save_data(make_dataset())
    made.save_environment({"torch": "1"})
    made.save_history([RECORD])
    made.save_training(WEIGHTS, {"step": 5})
    made.save_weights(WEIGHTS)
    made.save_status("finished", step=5)
    return made


def test_everything_comes_back(run: RunFolder) -> None:
    again = open_run(run.path)
    assert again.read_plan() == make_plan()
    assert again.read_facts() == make_facts()
    assert again.read_cases() == make_dataset().cases
    assert again.data_name() == "cells"
    assert again.read_environment() == {"torch": "1"}
    assert again.read_history() == (RECORD,)
    assert again.read_scores() == {}
    tensors, numbers = again.read_training()
    assert numbers == {"step": 5}
    for found in (tensors, again.read_weights()):
        assert found.keys() == WEIGHTS.keys()
        assert all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)
    assert again.read_status()["step"] == 5
    assert again.read_status()["state"] == "finished"


def test_tensors_in_any_layout_are_stored(run: RunFolder) -> None:
    value = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    run.save_weights({"a": value, "b": value[:, :1], "c": value.mT})
    run.save_status("finished")
    found = run.read_weights()
    assert torch.equal(found["a"], value)
    assert torch.equal(found["b"], value[:, :1])
    assert torch.equal(found["c"], value.mT)


def test_one_flipped_bit_in_the_weights_is_noticed(run: RunFolder) -> None:
    path = run.path / "network.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadRun, match="hash differs") as caught:
        run.read_weights()
    assert caught.value.problems[0].code == "tampered-weights"
    assert caught.value.problems[0].path == str(path)


@pytest.mark.parametrize("keep", [0, 5, 40, -1])
@pytest.mark.parametrize("name", ["network.safetensors", "state.safetensors"])
def test_truncated_weights_are_refused(run: RunFolder, name: str, keep: int) -> None:
    path = run.path / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BadRun, match=name):
        run.read_weights() if name.startswith("network") else run.read_training()


def test_weights_are_no_training_state(run: RunFolder) -> None:
    (run.path / "state.safetensors").write_bytes((run.path / "network.safetensors").read_bytes())
    with pytest.raises(BadRun, match="no training state"):
        run.read_training()


def test_weights_of_another_network_are_refused(run: RunFolder) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 4))
    with pytest.raises(BadRun, match="do not fit"):
        run.load_weights_into(network)


READINGS: dict[str, Callable[[RunFolder], Any]] = {
    "run.json": RunFolder.read_status,
    "plan.json": RunFolder.read_plan,
    "facts.json": RunFolder.read_facts,
    "data.json": RunFolder.read_cases,
    "environment.json": RunFolder.read_environment,
    "history.json": RunFolder.read_history,
}


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"[1, 2]", b"7", b"\xff\xfe\x01", b"null"])
def test_damaged_files_are_named(run: RunFolder, name: str, content: bytes) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises(BadRun) as caught:
        READINGS[name](run)
    assert str(run.path / name) in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(READINGS) - {"history.json"}))
def test_missing_files_are_named(run: RunFolder, name: str) -> None:
    (run.path / name).unlink()
    with pytest.raises(BadRun) as caught:
        READINGS[name](run)
    assert str(run.path / name) in str(caught.value)


def test_a_run_without_history_has_none(run: RunFolder) -> None:
    (run.path / "history.json").unlink()
    assert run.read_history() == ()


def test_missing_weights_are_named(run: RunFolder) -> None:
    (run.path / "network.safetensors").unlink()
    with pytest.raises(BadRun, match=r"network\.safetensors.*missing"):
        run.read_weights()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"kind": "pixelwise run", "format_version": 2}, "update pixelwise"),
        ({"kind": "other", "format_version": 1}, "does not describe a run"),
        ({"kind": "pixelwise run", "format_version": "1"}, "does not describe a run"),
        ({}, "does not describe a run"),
        ([], "run.json"),
        ([1, 2], "run.json"),
        (3, "run.json"),
        (None, "run.json"),
    ],
)
def test_foreign_folders(tmp_path: Path, status: Any, said: str) -> None:
    (tmp_path / "run.json").write_text(json.dumps(status))
    with pytest.raises(BadRun) as caught:
        open_run(tmp_path)
    assert said in str(caught.value)


def test_no_folder_and_no_run(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="there is no such folder"):
        open_run(tmp_path / "missing")
    with pytest.raises(BadRun, match="not a run folder"):
        open_run(tmp_path)


def test_an_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert create_run(tmp_path / "run", overwrite=False).read_status()["state"] == "started"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_folder_is_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("years of work")
    with pytest.raises(BadOutput, match="not a run folder"):
        create_run(tmp_path, overwrite=overwrite)
    with pytest.raises(BadOutput, match="not a run folder"):
        create_run(thesis, overwrite=overwrite)
    assert thesis.read_text() == "years of work"


def test_a_run_is_replaced_only_when_told(run: RunFolder) -> None:
    with pytest.raises(BadOutput, match=r"--resume.*--overwrite"):
        create_run(run.path, overwrite=False)
    assert run.read_plan() == make_plan()
    create_run(run.path, overwrite=True)
    assert sorted(path.name for path in run.path.iterdir()) == ["run.json"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadOutput, match="cannot be written"):
        create_run(tmp_path / "file" / "run", overwrite=False)


def test_a_full_disk_keeps_the_last_state(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}

    def fail(*args: object, **options: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device "
                              "(os error 28)")  # fmt: skip

    monkeypatch.setattr(tensor_files, "save_file", fail)
    for save in (lambda: run.save_training(WEIGHTS, {}), lambda: run.save_weights(WEIGHTS)):
        with pytest.raises(BadOutput, match="The disk is full"):
            save()

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", no_space)
    for write in (lambda: run.save_plan(make_plan()), lambda: run.save_history([])):
        with pytest.raises(BadOutput, match="The disk is full"):
            write()
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before
