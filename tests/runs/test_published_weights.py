"""Published weights are read without running what lies in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from pixelwise.core.errors import UnreadableFile
from pixelwise.runs.published_weights import read_published_weights

TENSORS = {"conv.weight": torch.arange(4.0), "conv.bias": torch.ones(1)}


@pytest.mark.parametrize(
    "content",
    [
        TENSORS,
        {"state_dict": TENSORS, "epoch": 3},
        {"model": {f"module.{name}": value for name, value in TENSORS.items()}},
    ],
)
def test_the_usual_nestings(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    found = read_published_weights(path)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(TENSORS, path)
    assert read_published_weights(path).keys() == TENSORS.keys()


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def test_code_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": Bomb(tmp_path / "boom")}, path)
    with pytest.raises(UnreadableFile, match=r"weights\.pth.*more than tensors"):
        read_published_weights(path)
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    with pytest.raises(UnreadableFile, match=r"weights\.pth"):
        read_published_weights(path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_what_is_no_file_of_weights(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=name):
        read_published_weights(path)


def test_tensors_without_names(tmp_path: Path) -> None:
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    with pytest.raises(UnreadableFile, match="no named tensors"):
        read_published_weights(tmp_path / "list.pt")
