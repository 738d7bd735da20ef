"""Bundles from strangers: what is damaged, unsafe or changed is refused, and never opened."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

import pixelwise.runs.bundle as bundle_module
from pixelwise.core.errors import BadBundle, BadOutput
from pixelwise.runs.bundle import is_bundle, open_bundle, write_bundle
from pixelwise.runs.onnx_references import external_files
from tests.plans import make_plan

Files = dict[str, bytes]


class Trap:
    """Unpickling it makes a file: a stand-in for anything worse."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def tiny_model(*, outside: str = "") -> bytes:
    """y = x + 1, the 1 stored in the model or said to lie in another file."""
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    if outside:
        one = TensorProto(name="one", data_type=TensorProto.FLOAT, dims=[1])
        one.data_location = TensorProto.EXTERNAL
        one.external_data.add(key="location", value=outside)
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None]) for n in ("x", "y")]
    node = helper.make_node("Add", ["x", "one"], ["y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:], [one])
    model: bytes = helper.make_model(graph, ir_version=8).SerializeToString()
    return model


HEAD: dict[str, Any] = {
    "form": "onnx",
    "made_with": {"pixelwise": "0.1.0"},
    "weights_sha256": "0" * 64,
    "network": {
        "file": "network.onnx", "n_outputs": 2, "needs_bytes": 1000,
        "field": {"margin": 0, "multiple": 1, "remainder": 0, "smallest": 1, "alignment": 1,
                  "reach": None},
    },
    "test": {"input": "test/input.npy", "labels": "test/labels.npy"},
}  # fmt: skip


def contents(**more: bytes) -> Files:
    plan = make_plan().model_dump_json().encode()
    return {"network.onnx": tiny_model(), "plan.json": plan, **more}


def made(tmp_path: Path, files: Files | None = None, **changes: Any) -> Path:
    out = tmp_path / "good.zip"
    write_bundle(out, files or contents(), {**HEAD, **changes})
    return out


def rewritten(path: Path, change: Any, name: str = "bad.zip") -> Path:
    """The same zip after `change` had its way with the entries: name -> content."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    change(entries)
    out = path.with_name(name)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in entries.items():
            archive.writestr(file, content)
    return out


def refusal(path: Path) -> str:
    with pytest.raises(BadBundle) as caught:
        open_bundle(path)
    return str(caught.value)


def code_of(path: Path) -> str:
    with pytest.raises(BadBundle) as caught:
        open_bundle(path)
    return caught.value.problems[0].code


def test_what_was_written_is_read(tmp_path: Path) -> None:
    for out in (tmp_path / "b.zip", tmp_path / "folder"):
        write_bundle(out, contents(), HEAD)
        assert is_bundle(out)
        found = open_bundle(out)
        assert found.model == tiny_model()
        assert found.plan == make_plan()
        assert found.field.multiple == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = set()
    for name in ("a.zip", "b.zip"):
        write_bundle(tmp_path / name, contents(), HEAD)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_a_changed_weight_is_found_by_its_hash(tmp_path: Path) -> None:
    def flip(entries: Files) -> None:
        model = bytearray(entries["network.onnx"])
        model[-9] ^= 1
        entries["network.onnx"] = bytes(model)

    text = refusal(rewritten(made(tmp_path), flip))
    assert "network.onnx" in text
    assert "hash" in text


def test_all_changes_are_listed_at_once(tmp_path: Path) -> None:
    def change(entries: Files) -> None:
        entries["plan.json"] += b" "
        del entries["network.onnx"]
        entries["stranger.txt"] = b"hello"

    with pytest.raises(BadBundle) as caught:
        open_bundle(rewritten(made(tmp_path), change))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "a/../../b", "C:\\x"])
def test_a_zip_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    bad = rewritten(made(tmp_path), lambda entries: entries.update({name: b"x"}))
    assert code_of(bad) == "escaping"
    assert not (tmp_path.parent / "outside.txt").exists()


def test_a_link_in_a_zip_or_a_folder_is_refused(tmp_path: Path) -> None:
    good = made(tmp_path)
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(good, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert code_of(good) == "escaping"
    folder = tmp_path / "folder"
    write_bundle(folder, contents(), HEAD)
    (folder / "link").symlink_to("/etc/passwd")
    assert code_of(folder) == "escaping"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bad = rewritten(made(tmp_path), lambda entries: entries.update({"zeros": bytes(1 << 25)}))
    assert bad.stat().st_size < 1 << 20
    assert code_of(bad) == "zip-bomb"


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    good = made(tmp_path)
    size = len(contents()["plan.json"])
    data = bytearray(good.read_bytes())
    # the size in the central directory stands 22 bytes before the name
    place = data.rindex(b"plan.json") - 22
    assert int.from_bytes(data[place : place + 4], "little") == size
    data[place : place + 4] = (size - 100).to_bytes(4, "little")
    bad = tmp_path / "bad.zip"
    bad.write_bytes(data)
    assert code_of(bad) in ("damaged-bundle", "tampered-bundle")


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_a_pickle_is_refused_and_never_opened(tmp_path: Path, form: str) -> None:
    sprung = tmp_path / "sprung"
    if form == "pickle":
        content = pickle.dumps(Trap(sprung))
    else:
        stream = io.BytesIO()
        torch.save({"weights": Trap(sprung)}, stream)
        content = stream.getvalue()
    bad = made(tmp_path, contents(**{"weights.bin": content}))
    assert code_of(bad) == "pickle"
    assert not sprung.exists()


def test_arrays_that_hold_objects_are_never_unpickled(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    stream = io.BytesIO()
    np.save(stream, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    open_bundle(made(tmp_path, contents(**{"test/input.npy": stream.getvalue()})))
    assert not sprung.exists()


def test_a_model_that_refers_to_other_files_is_refused(tmp_path: Path) -> None:
    assert external_files(tiny_model()) == []
    assert external_files(tiny_model(outside="../../secret")) == ["location=../../secret"]
    files = contents() | {"network.onnx": tiny_model(outside="../../secret")}
    assert "secret" in refusal(made(tmp_path, files))


def test_references_are_found_in_every_place_of_a_model() -> None:
    """In attributes, in the graphs of branches, and in functions; onnx itself is the judge."""
    hidden = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1])
    hidden.data_location = TensorProto.EXTERNAL
    hidden.external_data.add(key="location", value="f")
    constant = helper.make_node("Constant", [], ["c"], value=hidden)
    branch = helper.make_graph([constant], "b", [], [])
    conditional = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    function = helper.make_function("d", "F", [], ["c"], [constant], [])
    opset = [helper.make_opsetid("", 17)]
    for model in (
        helper.make_model(helper.make_graph([constant], "g", [], [])),
        helper.make_model(helper.make_graph([conditional], "g", [], [])),
        helper.make_model(helper.make_graph([], "g", [], []), functions=[function]),
    ):
        model.opset_import.extend(opset)
        assert set(external_files(model.SerializeToString())) == {"location=f"}


def test_rubbish_is_no_reference_and_no_crash() -> None:
    random = np.random.default_rng(0)
    for size in (0, 1, 7, 300):
        assert isinstance(external_files(random.bytes(size)), list)


def test_a_newer_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    def age(entries: Files) -> None:
        head = json.loads(entries["bundle.json"])
        entries["bundle.json"] = json.dumps(head | {"format_version": 2}).encode()

    text = refusal(rewritten(made(tmp_path), age))
    assert "format is 2" in text
    assert "update pixelwise" in text


def test_a_model_larger_than_memory_is_refused_with_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_module, "available_bytes", lambda: 10**9)
    network = HEAD["network"] | {"needs_bytes": 5 * 10**9}
    text = refusal(made(tmp_path, network=network))
    assert "5" in text
    assert "GB" in text


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert not is_bundle(path)
    assert code_of(path) == "damaged-bundle"
    assert code_of(tmp_path / "nowhere.zip") == "no-bundle"


def test_nothing_is_replaced_without_being_asked(tmp_path: Path) -> None:
    out = made(tmp_path)
    with pytest.raises(BadOutput, match="exists already"):
        write_bundle(out, contents(), HEAD)
    write_bundle(out, contents(), HEAD, overwrite=True)
    letter = tmp_path / "letter.txt"
    letter.write_text("dear")
    with pytest.raises(BadOutput):
        write_bundle(letter, contents(), HEAD, overwrite=True)
    assert letter.read_text() == "dear"


def test_the_tiny_model_is_a_model() -> None:
    onnx.checker.check_model(onnx.load_from_string(tiny_model()))
